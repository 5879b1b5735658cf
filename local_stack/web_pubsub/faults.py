"""Faults that a test orders: upstream calls that are late, fail, or lose their answer."""

from __future__ import annotations

import itertools
from dataclasses import asdict, dataclass, field
from typing import Any, Literal, get_args

Effect = Literal["delay", "status", "reset", "lose_response", "timeout"]
EFFECTS: tuple[Effect, ...] = get_args(Effect)


class InvalidFault(ValueError):
    """A fault that cannot be understood; the message is one line."""


@dataclass(slots=True)
class Fault:
    """One order: which events it meets, what happens to them, and how often.

    delay: the request goes out `delay_ms` later. status: nothing goes out, the answer is `status`.
    reset: nothing goes out, the network failed. lose_response: the request is handled upstream, then the
    network fails, so that the event comes again with the same ce-id. timeout: no answer ever came.
    """

    id: int
    effect: Effect
    hub: str | None = None
    event: str | None = None
    connection_id: str | None = None
    delay_ms: float = 0.0
    status: int = 503
    times_left: int | None = None
    met: int = field(default=0)

    def meets(self, hub: str, event: str, connection_id: str) -> bool:
        """Whether this event is meant; what is not given is any."""
        return self.hub in (None, hub) and self.event in (None, event) and self.connection_id in (None, connection_id)


class Faults:
    """The faults that are ordered now."""

    def __init__(self) -> None:
        self._orders: list[Fault] = []
        self._ids = itertools.count(1)

    def __bool__(self) -> bool:
        return bool(self._orders)

    def order(self, document: object) -> Fault:
        """Take an order as JSON: effect, and optionally hub, event, connectionId, delayMs, status, times.

        Raises: InvalidFault.
        """
        fault = _parse(document, next(self._ids))
        self._orders.append(fault)
        return fault

    def take(self, hub: str, event: str, connection_id: str) -> Fault | None:
        """The fault that this upstream call meets, if any; one that has been met often enough is gone."""
        for fault in self._orders:
            if fault.meets(hub, event, connection_id):
                fault.met += 1
                if fault.times_left is not None:
                    fault.times_left -= 1
                    if fault.times_left == 0:
                        self._orders.remove(fault)
                return fault
        return None

    def clear(self) -> None:
        """Withdraw all orders."""
        self._orders.clear()

    def as_json(self) -> list[dict[str, Any]]:
        """What is ordered now."""
        return [asdict(fault) for fault in self._orders]


def _parse(document: object, fault_id: int) -> Fault:
    known = {"effect", "hub", "event", "connectionId", "delayMs", "status", "times"}
    if not isinstance(document, dict) or set(document) - known:
        raise InvalidFault(f"a fault is an object with {', '.join(sorted(known))}")
    effect = document.get("effect")
    if effect not in EFFECTS:
        raise InvalidFault(f"effect must be one of {', '.join(EFFECTS)}")
    numbers = {key: document.get(key) for key in ("delayMs", "status", "times")}
    if any(value is not None and not isinstance(value, int | float) for value in numbers.values()):
        raise InvalidFault("delayMs, status and times must be numbers")
    times = numbers["times"]
    hub = document.get("hub")
    return Fault(
        id=fault_id,
        effect=effect,
        hub=hub.lower() if isinstance(hub, str) else None,
        event=document.get("event"),
        connection_id=document.get("connectionId"),
        delay_ms=float(numbers["delayMs"] or 0),
        status=int(numbers["status"] or 503),
        times_left=None if times is None else max(1, int(times)),
    )
