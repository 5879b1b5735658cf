"""What a socket that carries words tells us of its call, as the provider says it."""

from __future__ import annotations

from dataclasses import dataclass

from shared.domain import pipe_names
from shared.domain.call import EndReason
from shared.domain.words import BrokeIn, KeyPressed, Said, Stirred, WordsEvent, written
from shared.ports.clock import Clock
from shared.ports.pipes import Pipes
from shared.use_cases.calls.attach_media import AttachMedia
from shared.use_cases.calls.end_call import EndCall


@dataclass(frozen=True, slots=True)
class TextStreams:
    """Each is one command on the call's words pipe, and changes nothing where the call is not there any more.

    `event_id` names the message within its call, so that one that comes twice in a row counts once.
    """

    pipes: Pipes
    attach_media: AttachMedia
    end_call: EndCall
    clock: Clock

    async def started(
        self, ticket: str, *, provider_call_id: str, hub: str, connection_id: str, stream_id: str = ""
    ) -> str:
        """The socket bears the ticket of its call; gives the call id. Raises: Unauthenticated, Conflict."""
        return await self.attach_media.by_ticket(
            ticket,
            provider_call_id=provider_call_id,
            hub=hub,
            connection_id=connection_id,
            stream_id=stream_id,
        )

    async def heard(self, call_id: str, text: str, language: str = "", *, event_id: str = "") -> None:
        """The caller has finished a turn, and said this."""
        await self._tell(call_id, Said(self.clock.now_ms(), text, language), event_id)

    async def stirred(self, call_id: str, *, event_id: str = "") -> None:
        """The caller has begun to speak, or goes on: the words will follow."""
        await self._tell(call_id, Stirred(self.clock.now_ms()), event_id)

    async def interrupted(self, call_id: str, heard_text: str, *, event_id: str = "") -> None:
        """The caller spoke into our answer, of which this had been said."""
        await self._tell(call_id, BrokeIn(self.clock.now_ms(), heard_text), event_id)

    async def key(self, call_id: str, digit: str, *, event_id: str = "") -> None:
        """The caller pressed a key."""
        await self._tell(call_id, KeyPressed(self.clock.now_ms(), digit), event_id)

    async def ended(self, call_id: str) -> None:
        """The socket is gone, and with it the call."""
        await self.end_call.note(call_id, EndReason.CALLER_HUNG_UP)

    async def _tell(self, call_id: str, event: WordsEvent, event_id: str) -> None:
        await self.pipes.append(pipe_names.words(call_id), written(event, key=event_id), must_exist=True)
