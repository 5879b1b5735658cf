"""What must be known of a call while it runs, by whichever worker runs its next step."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Protocol

from shared.domain.ledger import Cost
from shared.domain.telephony.lines import Line, Provider


@dataclass(frozen=True, slots=True)
class LiveCall:
    """`started_ms`: when its audio began (Unix epoch, 0 before); `hub` and `connection_id`: where it ends.

    `language`: the one that an operator has ordered last, by the order of that name; `phrases`: what is said in the
    language of the call besides answers (`shared.domain.phrases`).
    `agent_id`: who leads the conversation now, since the turn `agent_since`; `agent_version`: the one that was
    published when that began, 0 for what is published now.
    `leaving`: for which reason the provider was told to go on without us (`LINE_LEFT_OPEN`), before it has answered.
    """

    call_id: str
    tenant_id: str
    agent_id: str
    provider: Provider
    provider_call_id: str
    line: Line
    hub: str = ""
    connection_id: str = ""
    stream_id: str = ""
    started_ms: int = 0
    end_reason: str = ""
    leaving: str = ""
    language: str = ""
    language_order: str = ""
    phrases: str = ""
    agent_version: int = 0
    agent_since: int = 0


class LiveCalls(Protocol):
    """Raises `StoreError` (retryable) when the store does not answer in time. All of it expires by itself."""

    async def open(self, call: LiveCall) -> None:
        """Remember a call that is about to start; opening it again changes nothing."""
        ...

    async def get(self, call_id: str) -> LiveCall | None: ...

    async def attach(self, call_id: str, *, hub: str, connection_id: str, stream_id: str, at_ms: int) -> bool:
        """Note where the audio flows, and at the first time since when. False if another connection is attached."""
        ...

    async def detach(self, call_id: str, *, connection_id: str) -> None:
        """This connection is the call's no more, if it was: another one may take its place."""
        ...

    async def end(self, call_id: str, reason: str) -> bool:
        """Note why the call ends; the first reason stands. False if it was ended already or is not there."""
        ...

    async def leave(self, call_id: str, reason: str) -> bool:
        """Note `leaving`; with "" that nothing has come of it. False if the call has ended, is being left already, or
        is not there: of several who ask at the same moment, one is told True.
        """
        ...

    async def order_language(self, call_id: str, language: str, *, order: str) -> bool:
        """Note `language` and `language_order`. False if the call has ended or is not there."""
        ...

    async def keep_phrases(self, call_id: str, phrases: str) -> bool:
        """Note `phrases`. False if the call has ended or is not there."""
        ...

    async def pass_on(self, call_id: str, agent_id: str, version: int, *, turn: int) -> bool:
        """Note that this agent goes on with the call. False if another one was settled in a later turn, or the call
        has ended or is not there.
        """
        ...

    async def issue_ticket(self, call_id: str) -> str:
        """A single-use secret for the media socket of this call, good for a minute."""
        ...

    async def redeem_ticket(self, ticket: str, *, connection_id: str) -> str | None:
        """The ticket's call; None for an unknown or old ticket, or one that another connection has used.

        The same connection may ask again: the realtime service repeats an event whose answer was lost.
        """
        ...

    async def note(self, call_id: str, turn: int, entries: Mapping[str, str | float]) -> None:
        """Add to the journal of a turn; an entry that stands already is replaced."""
        ...

    async def note_once(self, call_id: str, turn: int, name: str, value: str | float) -> None:
        """Add to the journal of a turn, unless it stands already (steps may run twice)."""
        ...

    async def count(self, call_id: str, turn: int, costs: Mapping[Cost, float]) -> None:
        """Add to the turn's costs (`shared.domain.ledger.cost_entry`)."""
        ...

    async def draw(self, call_id: str, name: str) -> int:
        """The next number of a count that the call keeps, from 0: 0, then 1, then 2."""
        ...

    async def journal(self, call_id: str, turn: int) -> dict[str, str]:
        """The journal of a turn; empty where nothing has happened."""
        ...

    async def journals(self, call_id: str, turns: range) -> list[dict[str, str]]:
        """Several journals in one go, in order."""
        ...

    async def close(self, call_id: str, last_turn: int) -> None:
        """Forget everything about the call, pipes included."""
        ...

    async def ping(self) -> None:
        """Raises: StoreError if the store is not ready."""
        ...
