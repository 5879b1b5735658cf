"""What remains of a call: its turns while it runs; recording, transcript and end when it is over."""

from __future__ import annotations

import asyncio
import logging
from collections.abc import Awaitable, Callable
from dataclasses import dataclass

from shared.domain import pipe_names
from shared.domain.call import Call, EndReason, Recording, Turn, TurnOutcome, end_state
from shared.domain.knowledge.citations import read_citations
from shared.domain.latency import latency_of
from shared.domain.ledger import read_costs, read_moments
from shared.domain.recording import CONTENT_TYPE, stereo_wav
from shared.domain.steps import TurnRequest, WrapUpRequest
from shared.domain.transcript import text_of
from shared.ports.call_store import CallStore
from shared.ports.clock import Clock
from shared.ports.file_store import FileStore
from shared.ports.live_calls import LiveCall, LiveCalls
from shared.ports.media_channel import MediaChannels
from shared.ports.pipes import Pipes
from shared.ports.turn_meter import TurnMeter
from shared.use_cases.calls.sound_pieces import SoundPieces
from shared.use_cases.screens import show
from shared.use_cases.waiting import Waiting, is_end

logger = logging.getLogger(__name__)

_LAST_WORDS_S = 20.0
"""For all steps together: as long as a transcription may take, with its second try."""
_AT_LEAST_S = 0.5


def turn_of(number: int, journal: dict[str, str]) -> Turn | None:
    """A turn as its journal tells it, or None if nobody has said anything in it."""
    heard, said = journal.get("heard"), journal.get("said", journal.get("saying", ""))
    if not heard and not said:
        return None
    outcome = TurnOutcome(journal.get("outcome", TurnOutcome.RUNNING))
    citations = read_citations(journal)
    return Turn(number, heard, said, outcome, read_moments(journal), read_costs(journal), citations)


@dataclass(frozen=True, slots=True)
class KeepRecords:
    """`remember`: keeps what a call was about, by tenant and call, before it is forgotten."""

    call_store: CallStore
    live_calls: LiveCalls
    pipes: Pipes
    files: FileStore
    channels: MediaChannels
    meter: TurnMeter
    clock: Clock
    remember: Callable[[str, str], Awaitable[None]] | None = None

    async def of_turn(self, request: TurnRequest) -> None:
        """Copy the journal of a turn that is over into the store; with a call's first turn also the greeting's. Who
        watches the service, and the caller who has a screen, see how long it took.
        """
        numbers = range(0 if request.greet else request.turn, request.turn + 1)
        turns = await self._save_turns(request.tenant_id, request.call_id, numbers)
        live = await self.live_calls.get(request.call_id)
        if live is None:
            return
        for turn in turns:
            self.meter.record(turn, provider=live.provider, tenant_id=live.tenant_id, agent_id=live.agent_id)
        await self._show(live, turns)

    async def _show(self, live: LiveCall, turns: list[Turn]) -> None:
        if not live.connection_id or live.end_reason:
            return
        channel = self.channels.open(live.provider, live.hub, live.connection_id, live.stream_id)
        for turn in turns:
            latency = latency_of(turn.moments)
            message = {
                "type": "turn",
                "latency": latency.to_json() if latency else None,
                "costs": dict(turn.costs),
            }
            await show(channel, live.call_id, turn.number, message)

    async def of_call(self, request: WrapUpRequest) -> None:
        """Save what the last turns left, the transcript, and the recording.

        May be run again after a crash: everything is written under the same names.
        """
        await self._last_turns(request)
        call = await self.call_store.get(request.tenant_id, request.call_id)
        if call is not None:
            await self.call_store.save_transcript(request.tenant_id, request.call_id, text_of(call.turns))
        await self._recording(request, call)

    async def close(self, request: WrapUpRequest) -> None:
        """Note that the call is over, and forget what was needed while it ran. May be run again."""
        live = await self.live_calls.get(request.call_id)
        first = live.end_reason if live is not None else ""  # a step that broke down may have followed from it
        reason = EndReason(first or request.end_reason)
        await self.call_store.advance(
            request.tenant_id, request.call_id, end_state(reason), at=self.clock.now(), reason=reason
        )
        if self.remember is not None:
            await self.remember(request.tenant_id, request.call_id)
        await self.live_calls.close(request.call_id, request.last_turn)
        await self.meter.flush()

    async def _last_turns(self, request: WrapUpRequest) -> None:
        """The turn before the last one may just be ending; wait for its steps, then save what all have left."""
        before = max(0, request.last_turn - 1)
        waiting = Waiting(self.pipes, self.live_calls)
        began_ms = self.clock.now_ms()
        steps = (pipe_names.SENTENCES, pipe_names.SPOKEN)
        for pipe in (pipe_names.LISTENED, *steps) if before else steps:  # nobody listens in turn 0
            name = pipe_names.turn(request.call_id, before, pipe)
            left_s = _LAST_WORDS_S - (self.clock.now_ms() - began_ms) / 1000
            if await waiting.within(name, max(_AT_LEAST_S, left_s), of=is_end) is None:
                logger.warning("call %s: turn %d did not end: %s", request.call_id, before, pipe)
        await self._save_turns(request.tenant_id, request.call_id, range(request.last_turn + 1))

    async def _save_turns(self, tenant_id: str, call_id: str, numbers: range) -> list[Turn]:
        journals = zip(numbers, await self.live_calls.journals(call_id, numbers), strict=True)
        turns = [turn for number, journal in journals if (turn := turn_of(number, journal)) is not None]
        for turn in turns:
            await self.call_store.save_turn(tenant_id, call_id, turn)
        return turns

    async def _recording(self, request: WrapUpRequest, call: Call | None) -> None:
        pieces = SoundPieces(self.files)
        if call is not None and call.recording is not None:  # it is whole; a crash may have left its pieces behind
            await pieces.forget(request.call_id)
            return
        sides = await pieces.read(request.call_id)
        if not any(sides.values()):
            return
        wav, duration_ms = await asyncio.to_thread(stereo_wav, sides["caller"], sides["agent"])
        blob = f"recordings/{request.tenant_id}/{request.call_id}.wav"
        await self.files.put(blob, wav, content_type=CONTENT_TYPE)
        recording = Recording(self.files.container, blob, duration_ms)
        await self.call_store.save_recording(request.tenant_id, request.call_id, recording)
        await pieces.forget(request.call_id)
