"""Contact events: what EventBridge brings to the function, at best once and in any order."""

from __future__ import annotations

from typing import Any, Final

from local_stack.phones.connect.functions import FunctionError
from local_stack.phones.connect.misbehaviour import Misbehaviour
from local_stack.phones.connect.stage import Stage

_LIMIT_S: Final = 15.0
_MOST_TRIES: Final = 3


class Notices:
    """Tells of one contact."""

    def __init__(self, stage: Stage) -> None:
        self._stage = stage
        self._kept: list[dict[str, Any]] = []

    def tell(self, kind: str) -> None:
        event = self._stage.contact.contact_event(kind, self._stage.line.now_ms())
        ways = self._stage.ways
        if Misbehaviour.EVENTS_LOST in ways:
            return
        if Misbehaviour.EVENTS_REORDERED in ways:
            self._kept.append(event)
            return
        for _ in range(2 if Misbehaviour.EVENTS_TWICE in ways else 1):
            self._stage.beside(self._bring(event))

    async def finish(self) -> None:
        """What was kept back comes now, the last one first."""
        for event in reversed(self._kept):
            await self._bring(event)
        self._kept.clear()

    async def _bring(self, event: dict[str, Any]) -> None:
        """Lambda tries an event again whose invocation failed."""
        kind = event["detail"]["eventType"]
        for tries in range(1, _MOST_TRIES + 1):
            try:
                await self._stage.functions.invoke(event, _LIMIT_S)
            except FunctionError as error:
                if tries == _MOST_TRIES:
                    self._stage.log.add("callback_failed", message=f"contact event {kind}: {error}")
            else:
                self._stage.log.add("contact_event_brought", kind=kind)
                return
