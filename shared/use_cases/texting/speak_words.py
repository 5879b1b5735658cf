"""The third step of a turn on a line that carries text: the answer goes to the provider, who speaks it."""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from dataclasses import dataclass
from functools import partial

from shared.domain import pipe_names
from shared.domain.call import Agent, TurnOutcome
from shared.domain.ledger import Cost
from shared.domain.steps import TurnRequest
from shared.domain.telephony.lines import CAPABILITIES, Capability
from shared.ports.clock import Clock
from shared.ports.directory import Directory
from shared.ports.live_calls import LiveCall, LiveCalls
from shared.ports.pipes import Pipes
from shared.ports.text_channel import TextChannels
from shared.use_cases.fencing import FencedPipes, fenced
from shared.use_cases.languages import spoken_agent
from shared.use_cases.running import agent_of
from shared.use_cases.speaking.first_sound import FirstSound
from shared.use_cases.speaking.speaking_notes import SpeakingNotes
from shared.use_cases.texting.answer_following import AnswerFollowing
from shared.use_cases.texting.outlets import Outlet, ReplyOutlet, SocketOutlet, close_quietly
from shared.use_cases.texting.telling import IS_KNOWN, Telling, TellingParts
from shared.use_cases.waiting import Waiting


@dataclass(frozen=True, slots=True)
class SpeakWords:
    pipes: Pipes
    live_calls: LiveCalls
    directory: Directory
    channels: TextChannels
    clock: Clock

    async def __call__(
        self, request: TurnRequest, on_first_sound: Callable[[], Awaitable[None]] | None = None
    ) -> str:
        """Tell the turn's answer; gives the outcome. Run again after a crash, it goes on where it stopped.

        `on_first_sound` is told, beside all else, when the first sentence has gone out or none will; should it fail,
        that is a line in the log.
        """
        first_sound = FirstSound(request, on_first_sound)
        deed = partial(self._speak, request, first_sound)
        outcome = await fenced(self.pipes, self.live_calls, request, pipe_names.SPEAK_EPOCH, deed)
        await first_sound.close()
        return outcome

    async def _speak(
        self, request: TurnRequest, first_sound: FirstSound, pipes: FencedPipes, journal: dict[str, str]
    ) -> str:
        notes = SpeakingNotes(pipes, self.live_calls, request, journal)
        live = await self._started(request)
        if "outcome" in journal:
            return await notes.over(journal.get("said", ""), journal["outcome"])
        if live is None:
            await notes.closed({"said": "", "outcome": TurnOutcome.UNHEARD})
            return await notes.over("", TurnOutcome.UNHEARD)
        agent = await agent_of(self.directory, live)
        has_socket = Capability.TEXT_STREAM in CAPABILITIES[live.line]
        outlet = self._outlet(request, pipes, live, agent, has_socket=has_socket)
        waiting = Waiting(self.pipes, self.live_calls)
        parts = TellingParts(
            clock=self.clock,
            live_calls=self.live_calls,
            outlet=outlet,
            following=AnswerFollowing(self.pipes, waiting, self.clock, request, waits_for_line=has_socket),
            notes=notes,
            first_sound=first_sound,
            has_socket=has_socket,
            spoken=partial(spoken_agent, self.live_calls, request.call_id, request.turn),
        )
        telling = Telling(parts, request, agent, journal)
        outcome = await telling.run()
        if not has_socket:
            await close_quietly(outlet)
        return await self._end(request, notes, telling, outcome)

    async def _end(self, request: TurnRequest, notes: SpeakingNotes, telling: Telling, outcome: TurnOutcome) -> str:
        if telling.is_stopped:  # perhaps because somebody else has ended the turn
            journal = await self.live_calls.journal(request.call_id, request.turn)
            if "outcome" in journal:
                return await notes.over(journal.get("said", ""), journal["outcome"])
        notes.count(Cost.CHARACTERS_SPOKEN, len(telling.said))
        known = {IS_KNOWN: "1"} if telling.is_known else {}
        await notes.closed({"said": telling.said, "outcome": outcome, **known, **telling.moments})
        return await notes.over(telling.said, outcome)

    def _outlet(
        self, request: TurnRequest, pipes: FencedPipes, live: LiveCall, agent: Agent, *, has_socket: bool
    ) -> Outlet:
        if not has_socket:
            return ReplyOutlet(pipes, request)
        return SocketOutlet(
            pipes,
            self.clock,
            request,
            live=live,
            channels=self.channels,
            live_calls=self.live_calls,
            language=agent.language,
        )

    async def _started(self, request: TurnRequest) -> LiveCall | None:
        """The call once its line is there, or None if it ended before."""
        live = await self.live_calls.get(request.call_id)
        if live is None or Capability.TEXT_STREAM not in CAPABILITIES[live.line] or live.connection_id:
            return live
        return await Waiting(self.pipes, self.live_calls).connected(request.call_id)
