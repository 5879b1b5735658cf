"""Running calls in memory, with tickets that grow old."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace

from shared.domain.errors import StoreError
from shared.domain.ledger import Cost, cost_entry
from shared.ports.clock import Clock
from shared.ports.live_calls import LiveCall
from tests.fakes.pipes import FakePipes

_TICKET_LIFETIME_MS = 60_000


class FakeLiveCalls:
    """Fills the port `LiveCalls`. `closed` lists the calls that were forgotten; `down` makes every method fail."""

    def __init__(self, clock: Clock, pipes: FakePipes | None = None) -> None:
        self.down = False
        self.closed: list[str] = []
        self._clock = clock
        self._pipes = pipes
        self._calls: dict[str, LiveCall] = {}
        self._journals: dict[tuple[str, int], dict[str, str]] = {}
        self._tickets: dict[str, tuple[str, float, str]] = {}
        self._drawn: dict[tuple[str, str], int] = {}

    async def open(self, call: LiveCall) -> None:
        self._require_up()
        self._calls.setdefault(call.call_id, call)

    async def get(self, call_id: str) -> LiveCall | None:
        self._require_up()
        return self._calls.get(call_id)

    async def attach(self, call_id: str, *, hub: str, connection_id: str, stream_id: str, at_ms: int) -> bool:
        self._require_up()
        call = self._calls.get(call_id)
        if call is None or call.connection_id:
            return call is not None and call.connection_id == connection_id
        started_ms = call.started_ms or at_ms
        self._calls[call_id] = replace(
            call, hub=hub, connection_id=connection_id, stream_id=stream_id, started_ms=started_ms
        )
        return True

    async def detach(self, call_id: str, *, connection_id: str) -> None:
        self._require_up()
        call = self._calls.get(call_id)
        if call is not None and connection_id and call.connection_id == connection_id:
            self._calls[call_id] = replace(call, connection_id="", stream_id="")

    async def end(self, call_id: str, reason: str) -> bool:
        self._require_up()
        call = self._calls.get(call_id)
        if call is None or call.end_reason:
            return False
        self._calls[call_id] = replace(call, end_reason=reason)
        return True

    async def leave(self, call_id: str, reason: str) -> bool:
        self._require_up()
        call = self._calls.get(call_id)
        if call is None or call.end_reason or (reason and call.leaving):
            return False
        self._calls[call_id] = replace(call, leaving=reason)
        return True

    async def order_language(self, call_id: str, language: str, *, order: str) -> bool:
        return self._change(call_id, language=language, language_order=order)

    async def keep_phrases(self, call_id: str, phrases: str) -> bool:
        return self._change(call_id, phrases=phrases)

    async def pass_on(self, call_id: str, agent_id: str, version: int, *, turn: int) -> bool:
        self._require_up()
        call = self._calls.get(call_id)
        if call is None or call.end_reason or call.agent_since > turn:
            return False
        self._calls[call_id] = replace(call, agent_id=agent_id, agent_version=version, agent_since=turn)
        return True

    def _change(self, call_id: str, **facts: str) -> bool:
        self._require_up()
        call = self._calls.get(call_id)
        if call is None or call.end_reason:
            return False
        self._calls[call_id] = replace(call, **facts)  # type: ignore[arg-type]
        return True

    async def issue_ticket(self, call_id: str) -> str:
        self._require_up()
        ticket = f"ticket-{len(self._tickets) + 1}"
        self._tickets[ticket] = (call_id, self._clock.now_ms(), "")
        return ticket

    async def redeem_ticket(self, ticket: str, *, connection_id: str) -> str | None:
        self._require_up()
        call_id, issued_ms, holder = self._tickets.get(ticket, ("", 0.0, ""))
        if self._clock.now_ms() - issued_ms > _TICKET_LIFETIME_MS or holder not in ("", connection_id):
            return None
        self._tickets[ticket] = (call_id, issued_ms, connection_id)
        return call_id or None

    async def note(self, call_id: str, turn: int, entries: Mapping[str, str | float]) -> None:
        self._require_up()
        self._journal(call_id, turn).update({name: str(value) for name, value in entries.items()})

    async def note_once(self, call_id: str, turn: int, name: str, value: str | float) -> None:
        self._require_up()
        self._journal(call_id, turn).setdefault(name, str(value))

    async def count(self, call_id: str, turn: int, costs: Mapping[Cost, float]) -> None:
        self._require_up()
        if costs:
            journal = self._journal(call_id, turn)
            for cost, amount in costs.items():
                journal[cost_entry(cost)] = f"{float(journal.get(cost_entry(cost), 0)) + amount:.17g}"

    async def draw(self, call_id: str, name: str) -> int:
        self._require_up()
        drawn = self._drawn.get((call_id, name), 0)
        self._drawn[call_id, name] = drawn + 1
        return drawn

    async def journal(self, call_id: str, turn: int) -> dict[str, str]:
        self._require_up()
        return dict(self._journals.get((call_id, turn), {}))

    async def journals(self, call_id: str, turns: range) -> list[dict[str, str]]:
        return [await self.journal(call_id, turn) for turn in turns]

    async def close(self, call_id: str, last_turn: int) -> None:
        self._require_up()
        self.closed.append(call_id)
        self._calls.pop(call_id, None)
        for key in [key for key in self._journals if key[0] == call_id and key[1] <= last_turn + 1]:
            del self._journals[key]
        self._drawn = {key: drawn for key, drawn in self._drawn.items() if key[0] != call_id}
        if self._pipes is not None:
            self._pipes.forget(call_id)

    async def ping(self) -> None:
        self._require_up()

    def _journal(self, call_id: str, turn: int) -> dict[str, str]:
        return self._journals.setdefault((call_id, turn), {})

    def _require_up(self) -> None:
        if self.down:
            raise StoreError("fake_down", "the live calls are down", retryable=True)
