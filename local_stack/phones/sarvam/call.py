"""One call of a voice agent, from the first ring to the result."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any, Final

import aiohttp

from local_stack.phones.call_files import CallFiles, LineTracks, known_words
from local_stack.phones.call_result import CallResult
from local_stack.phones.conversation import Conversation
from local_stack.phones.events import CallEvent, EventLog, Listener
from local_stack.phones.frame_clock import Clock, SystemClock
from local_stack.phones.measures import Turn
from local_stack.phones.phone_line import LineCut, LineOver, PhoneLine
from local_stack.phones.sarvam.agent import VoiceAgent
from local_stack.phones.sarvam.credentials import Credentials
from local_stack.phones.sarvam.hooks import HookFailed, HookSender
from local_stack.phones.sarvam.options import UNANSWERED, CallOptions, Direction
from local_stack.phones.sarvam.reports import Reports
from local_stack.phones.sarvam.state import CallState

_COMPLAINTS: Final = frozenset({"carrier_error", "callback_failed", "provider_trouble"})
_TICK_S: Final = 0.02


class SamvaadCall:
    """`run` places it and returns when all of it is over."""

    def __init__(self, options: CallOptions, listener: Listener | None = None, clock: Clock | None = None) -> None:
        self._clock = clock or SystemClock()
        self.options = options
        self.log = EventLog(self._clock.wall_ms, listener)
        self.state = CallState(self._clock.wall_ms())
        self._conversation = Conversation(options.plan, options.utterances, self._tell, options.murmur)
        self._tracks = LineTracks()
        self._is_hung_up = False
        self.line = PhoneLine(
            self._clock,
            self.log,
            self._conversation,
            self._tracks,
            max_call_ms=options.max_call_ms,
            is_cut=lambda: self._is_hung_up,
        )
        self.agent: VoiceAgent | None = None

    @property
    def turns(self) -> Sequence[Turn]:
        return self._conversation.turns

    def hang_up(self) -> None:
        """The simulated person puts the phone down."""
        self.log.add("caller_hangs_up")
        self._is_hung_up = True

    async def run(self) -> CallResult:
        """Whatever the app does wrong stands in the result and is never raised."""
        options = self.options
        is_inbound = options.direction is Direction.INBOUND
        numbers = (options.user_number, options.agent_number)
        from_number, to_number = numbers if is_inbound else reversed(numbers)
        self.log.add("call_started", None, call_sid=options.name, direction=options.direction.value,
                     **{"from": from_number, "to": to_number})  # fmt: skip
        async with aiohttp.ClientSession() as session:
            sender = HookSender(session, self.log, Credentials.of(options))
            self.agent = VoiceAgent(options, self.line, sender)
            try:
                await self._live(self.agent)
                urls = {name: options.account.hook(options.app_url, name) for name in ("end", "result")}
                await Reports(options, self.state, sender, urls).tell(self.agent.context, self.agent.transcript)
            finally:
                await self.line.stop()
                self._write_files()
        return self.result()

    async def _live(self, agent: VoiceAgent) -> None:
        now_ms = self.line.now_ms
        try:
            if await self._is_answered():
                self.state.answered_ms = now_ms()
                self.log.add("call_answered")
                reason = await agent.converse()
                self.state.end(now_ms(), "connected", reason)
        except LineOver as over:
            self.state.end(now_ms(), "connected", str(over))
        except LineCut:
            self.state.end(now_ms(), "connected", "the caller hung up")
        except HookFailed as failure:
            self.log.add("carrier_error", code="hook", message=str(failure))
            self.state.end(now_ms(), "failed", str(failure), "local:on_start_failed")
        finally:
            self.state.end(now_ms(), "failed", "the simulator was stopped", "local:stopped")
            await agent.let_go()
            self.log.add("call_ended", status=self.state.status, reason=self.state.end_reason,
                         duration_s=self.state.duration_s)  # fmt: skip

    async def _is_answered(self) -> bool:
        if self.options.direction is Direction.INBOUND:
            return True
        until = self._clock.monotonic() + self.options.ring_ms / 1000
        while (left_s := until - self._clock.monotonic()) > 0 and not self._is_hung_up:
            await self._clock.sleep(min(_TICK_S, left_s))
        if self.options.callee.picks_up:
            return True
        status, reason = UNANSWERED[self.options.callee]
        self.state.end(self.line.now_ms(), status, "the called side did not answer", f"local:{reason}")
        return False

    def _tell(self, name: str, at_ms: float, facts: dict[str, Any]) -> None:
        self.log.add(name, at_ms, **facts)

    def _write_files(self) -> None:
        if self.options.state_dir is not None:
            files = CallFiles(self.options.state_dir / "calls" / self.options.folder_name)
            files.write(self._tracks, self.log.events, self.result().to_json(), known_words(self.turns))

    def result(self) -> CallResult:
        """What the call has come to so far."""
        state, state_dir = self.state, self.options.state_dir
        return CallResult(
            call_sid=self.options.name,
            status=state.status,
            end_reason=state.end_reason,
            media_opened=self.agent is not None and self.agent.has_begun,
            turns=tuple(self.turns),
            errors=tuple(_complaint(event) for event in self.log.events if event.name in _COMPLAINTS),
            duration_s=round(state.duration_s),
            lag_p99_ms=self.line.lag_p99_ms,
            most_waiting_ms=self.line.most_waiting_ms,
            folder=None if state_dir is None else state_dir / "calls" / self.options.folder_name,
            events=tuple(self.log.events),
        )


def _complaint(event: CallEvent) -> str:
    code = event.facts.get("code")
    return f"{code}: {event.facts['message']}" if code is not None else str(event.facts["message"])
