"""The step `listen` of a call that somebody else's agent leads: one long turn, in which nobody of ours speaks."""

from __future__ import annotations

import logging
from collections.abc import Callable
from dataclasses import dataclass, replace

from shared.domain import pipe_names, takes
from shared.domain.call import Agent, EndReason, Turn
from shared.domain.errors import TelephonyError
from shared.domain.limits import CallLimits
from shared.domain.steps import TurnRequest
from shared.ports.call_store import CallStore
from shared.ports.clock import Clock
from shared.ports.delegates import Delegates, DelegateSession, Meeting
from shared.ports.file_store import FileStore
from shared.ports.live_calls import LiveCall, LiveCalls
from shared.ports.media_channel import MediaChannels
from shared.ports.media_codec import FrameDecoder
from shared.ports.orchestrations import Orchestrations
from shared.ports.pipes import Pipes
from shared.use_cases.calls.greeting import write_greeting
from shared.use_cases.calls.sound_pieces import SoundPieces
from shared.use_cases.delegating.bridge import Bridge
from shared.use_cases.delegating.frame_reading import FrameReading
from shared.use_cases.delegating.minutes import Minutes, SoundKeeping
from shared.use_cases.hearing.interrupting import Interrupting
from shared.use_cases.hearing.listening_end import end_listening, tell_watch
from shared.use_cases.speaking.line_channel import LineChannel
from shared.use_cases.waiting import Waiting

logger = logging.getLogger(__name__)

_LONGEST_RUN_MS = 12 * 60_000
"""Below what a turn may last; then the next turn meets the agent anew, and tells it what was said."""
_MEETINGS = 3
_LATEST_SPEECHES = 20
_CARRIED, _YES, _NO = "carried", "yes", "no"
_GO_ON = "Sorry, where were we?"


@dataclass(frozen=True, slots=True)
class CarryCall:
    pipes: Pipes
    live_calls: LiveCalls
    call_store: CallStore
    delegates: Delegates | None
    decoder_of: Callable[[LiveCall, int], FrameDecoder]
    channels: MediaChannels
    files: FileStore
    clock: Clock
    limits: CallLimits
    longest_run_ms: int = _LONGEST_RUN_MS

    async def __call__(
        self, request: TurnRequest, live: LiveCall, agent: Agent, orchestrations: Orchestrations
    ) -> str | None:
        """Bring the call to the agent's delegate; gives "" or the reason for which it has ended. None where the
        delegate does not come: then our own agent takes the call, from its greeting on.

        Run again after a crash it meets the delegate anew, and tells it what was said.
        """
        first = await self.live_calls.journal(request.call_id, 0)
        was_begun = _CARRIED in await self.live_calls.journal(request.call_id, request.turn)
        if first.get(_CARRIED) == _NO:
            await self._begin(request, None, greeting=agent.greeting)
            return None
        there = await self._connected(live)
        place = await self._place(request) if there is not None else None
        if there is None or place is None:
            await self._begin(request, orchestrations, greeting="")
            return await self._end(request, EndReason.CALLER_HUNG_UP)
        minutes = Minutes(self.call_store, request)
        said = await minutes.restore()
        is_new = not said and first.get(_CARRIED) != _YES
        session = await self._meet(request, agent, said, greeting=agent.greeting if is_new else _GO_ON)
        if session is None and is_new:
            await self.live_calls.note(request.call_id, 0, {_CARRIED: _NO})
            await self._begin(request, None, greeting=agent.greeting)
            return None
        for turn in {0, request.turn}:
            await self.live_calls.note(request.call_id, turn, {_CARRIED: _YES})
        await self._begin(request, orchestrations, greeting="")
        if session is None:
            return await self._end(request, EndReason.ERROR)
        if was_begun:
            place = await self._now(there, place)
        bridge = self._bridge(request, there, session, minutes, place)
        reason = await self._run(bridge, agent)
        if reason is None:
            return await self._hand_on(request, orchestrations, bridge)
        return await self._end(request, reason)

    # the line

    async def _connected(self, live: LiveCall) -> LiveCall | None:
        """The call once its sound flows; None if it ended before."""
        if live.connection_id:
            return live
        return await Waiting(self.pipes, self.live_calls).connected(live.call_id)

    async def _place(self, request: TurnRequest) -> tuple[str, int] | None:
        if request.turn == 1:
            return "0-0", 0
        cursor = pipe_names.turn(request.call_id, request.turn, pipe_names.CURSOR)
        entry = await Waiting(self.pipes, self.live_calls).first(request.call_id, cursor)
        if entry is None or b"after" not in entry.fields:
            return None
        return entry.fields[b"after"].decode(), int(entry.fields[b"at_ms"])

    async def _now(self, live: LiveCall, place: tuple[str, int]) -> tuple[str, int]:
        """What was said while nobody listened is not brought any more."""
        last = await self.pipes.last(pipe_names.frames(live.call_id))
        if last is None or b"d" not in last.fields:
            return place
        elapsed_ms = int(self.clock.now_ms()) - live.started_ms if live.started_ms else 0
        return last.position, max(place[1], elapsed_ms)

    # the agent

    async def _meet(
        self, request: TurnRequest, agent: Agent, said: list[Turn], *, greeting: str
    ) -> DelegateSession | None:
        delegate = agent.manner.delegate
        if delegate is None or self.delegates is None:
            return None
        call = await self.call_store.get(request.tenant_id, request.call_id)
        lines = [line for turn in said for line in (turn.heard, turn.said) if line][-_LATEST_SPEECHES:]
        variables = {"conversation_so_far": "\n".join(lines)} if lines else {}
        meeting = Meeting(request.call_id, call.caller if call else "", agent.language, greeting, variables)
        try:
            return await self.delegates.open(delegate, meeting)
        except TelephonyError as error:
            logger.warning("call %s: the delegate does not come: %s", request.call_id, error)
            return None

    async def _run(self, bridge: Bridge, agent: Agent) -> EndReason | None:
        """Why the call ends, or None. A delegate that is lost is met again, a few times."""
        for _ in range(_MEETINGS):
            try:
                return await bridge.run()
            except TelephonyError as error:
                logger.warning("call %s: the delegate is lost: %s", bridge.request.call_id, error)
            finally:
                await bridge.session.end()
            said = await bridge.minutes.restore()
            session = await self._meet(bridge.request, agent, said, greeting=_GO_ON)
            if session is None:
                break
            bridge = replace(bridge, session=session, _pending=bytearray())
        return EndReason.ERROR

    def _bridge(
        self, request: TurnRequest, live: LiveCall, session: DelegateSession, minutes: Minutes, place: tuple[str, int]
    ) -> Bridge:
        position, from_ms = place
        return Bridge(
            pipes=self.pipes,
            clock=self.clock,
            limits=self.limits,
            request=request,
            session=session,
            channel=LineChannel(self.channels, self.live_calls, self.clock, live),
            reading=FrameReading(self.decoder_of(live, from_ms), stream_ms=from_ms),
            minutes=minutes,
            keeping=SoundKeeping(SoundPieces(self.files), request),
            until_ms=self.clock.now_ms() + self.longest_run_ms,
            position=position,
        )

    # our own steps

    async def _begin(self, request: TurnRequest, orchestrations: Orchestrations | None, *, greeting: str) -> None:
        """Nobody of ours says anything in this turn, unless with the greeting our agent takes the call."""
        if request.turn == 1:
            await write_greeting(self.pipes, request.call_id, greeting)
        if orchestrations is not None:
            for turn in (0, 1) if request.turn == 1 else (request.turn,):
                await tell_watch(replace(request, turn=turn), orchestrations, 0)

    async def _hand_on(self, request: TurnRequest, orchestrations: Orchestrations, bridge: Bridge) -> str:
        """The next turn goes on with the call."""
        position, fields = takes.written(takes.Ended())
        transcript = pipe_names.turn(request.call_id, request.turn, pipe_names.TRANSCRIPT)
        await self.pipes.append(transcript, fields, position=position)
        await orchestrations.speech_began(request.call_id, request.turn)
        cursor = pipe_names.turn(request.call_id, request.turn + 1, pipe_names.CURSOR)
        place = {"after": bridge.position, "at_ms": str(bridge.reading.stream_ms)}
        await self.pipes.append(cursor, place, position="1-0")
        return ""

    async def _end(self, request: TurnRequest, reason: EndReason) -> str:
        interrupting = Interrupting(self.pipes, self.live_calls, request, may=False)
        at_ms = self.clock.now_ms()
        return await end_listening(self.pipes, self.live_calls, request, interrupting, reason=reason, at_ms=at_ms)
