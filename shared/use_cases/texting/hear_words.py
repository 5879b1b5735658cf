"""The first step of a turn on a line that carries text: the provider has heard, and we learn the words."""

from __future__ import annotations

import asyncio
import logging
from collections.abc import Awaitable, Callable
from contextlib import aclosing
from dataclasses import dataclass, replace

from shared.domain import pipe_names, takes
from shared.domain.call import Agent, EndReason, TurnOutcome
from shared.domain.errors import MediaError
from shared.domain.fillers import without_fillers
from shared.domain.language_switch import LANGUAGE
from shared.domain.ledger import Moment
from shared.domain.limits import LONGEST_ANSWER_S, CallLimits
from shared.domain.manner import HandOver
from shared.domain.steps import TurnRequest
from shared.domain.telephony.lines import CAPABILITIES, Capability, Line
from shared.domain.words import BrokeIn, KeyPressed, LineEnded, Started, WordsEvent
from shared.ports.clock import Clock
from shared.ports.directory import Directory
from shared.ports.live_calls import LiveCalls
from shared.ports.orchestrations import Orchestrations
from shared.ports.pipes import Entry, Pipes
from shared.use_cases.hearing.interrupting import Interrupting
from shared.use_cases.hearing.listening_end import end_listening, has_listened, tell_watch, watched_ms
from shared.use_cases.languages import call_language, language_entries, spoken_agent
from shared.use_cases.running import running
from shared.use_cases.switch_language import SwitchLanguage
from shared.use_cases.texting.attending import Attending, Place
from shared.use_cases.texting.telling import IS_KNOWN
from shared.use_cases.texting.transfer_orders import back_at_ms, is_away
from shared.use_cases.waiting import Waiting, is_end

logger = logging.getLogger(__name__)

_LOOK_AGAIN_S = 1.0
_LANGUAGE = "language"


@dataclass(frozen=True, slots=True)
class HearWords:
    """`hand_over`: the caller has pressed the key by which the agent puts calls through."""

    pipes: Pipes
    live_calls: LiveCalls
    directory: Directory
    clock: Clock
    limits: CallLimits
    hand_over: Callable[[str, HandOver], Awaitable[None]]
    switch_language: SwitchLanguage | None = None

    async def __call__(self, request: TurnRequest, orchestrations: Orchestrations) -> str:
        """Wait for the words of this turn; gives "" or the reason for which the call has ended.

        Hands its place in the words on to the next turn. May be run again after a crash: it begins at the same entry
        and writes the same.
        """
        result = await self._hear(request, orchestrations)
        await has_listened(self.pipes, request)
        return result

    async def _hear(self, request: TurnRequest, orchestrations: Orchestrations) -> str:
        live, agent = await running(self.live_calls, self.directory, request.call_id)
        hearing = _Hearing(self, request, agent, live.line, orchestrations)
        await hearing.interrupting.restore()
        attending = await self._attend(request)
        if attending is None:
            return await hearing.end(EndReason.CALLER_HUNG_UP, has_started=request.turn > 1)
        reason = None if attending.words is not None else await hearing.run(attending)
        if reason is not None:
            return await hearing.end(reason, has_started=bool(attending.place.started_ms))
        await hearing.finish(attending)
        return ""

    async def _attend(self, request: TurnRequest) -> Attending | None:
        """Where this turn stands: it may have heard its words already, before it was run again. None if the call has
        ended before.
        """
        transcript = pipe_names.turn(request.call_id, request.turn, pipe_names.TRANSCRIPT)
        for entry in await self.pipes.read(transcript):
            place, event = Place.of_fields(entry), takes.read(entry.position, entry.fields)
            if place is not None and isinstance(event, takes.Final):
                attending = Attending(place)
                attending.words, attending.words_at_ms = event.text, place.stirred_ms
                attending.language = entry.fields.get(_LANGUAGE.encode(), b"").decode()
                return attending
        if request.turn == 1:
            return Attending(Place())
        cursor = pipe_names.turn(request.call_id, request.turn, pipe_names.CURSOR)
        first = await Waiting(self.pipes, self.live_calls).first(request.call_id, cursor)
        place = None if first is None else Place.of_fields(first)
        return None if place is None else Attending(place)


class _Hearing:
    """One turn's run of the step."""

    def __init__(
        self, step: HearWords, request: TurnRequest, agent: Agent, line: Line, orchestrations: Orchestrations
    ) -> None:
        self._step = step
        self._request = request
        self._agent = agent
        self._orchestrations = orchestrations
        self._has_socket = Capability.TEXT_STREAM in CAPABILITIES[line]
        # Who asks by requests has said all it was given before it brings words.
        self.interrupting = Interrupting(
            step.pipes, step.live_calls, request, may=agent.interruptible or not self._has_socket
        )

    async def run(self, attending: Attending) -> EndReason | None:
        """Until the turn is over (None) or the call."""
        began_ms = self._step.clock.now_ms()
        words = pipe_names.words(self._request.call_id)
        follow = self._step.pipes.follow(words, attending.place.after, idle_s=_LOOK_AGAIN_S)
        async with aclosing(follow) as batches:
            async for batch in batches:
                if (reason := await self._take(batch, attending)) is not None:
                    return reason
                attending.look(self._step.clock.now_ms())
                if attending.words is not None:
                    return None
                if (reason := await self._limit_reached(attending.place, began_ms)) is not None:
                    return reason
        return None

    async def _take(self, batch: list[Entry], attending: Attending) -> EndReason | None:
        """Why the call ends with these entries, if it does."""
        for entry in batch:
            event = attending.take(entry)
            if isinstance(event, LineEnded):
                return EndReason(event.reason)
            if event is not None:
                await self._act(event)
            if attending.words is not None:
                return None
        return None

    async def _act(self, event: WordsEvent) -> None:
        match event:
            case Started() if self._request.turn == 1:
                greeting = replace(self._request, turn=0)
                await tell_watch(greeting, self._orchestrations, watched_ms(self._agent))
            case KeyPressed(_, key):
                rule = self._agent.manner.hand_over
                if rule is not None and rule.key == key:
                    await self._step.hand_over(self._request.call_id, rule)
            case BrokeIn(at_ms, heard) if self._agent.interruptible:
                await self._broken_into(at_ms, heard)
            case _:
                pass

    async def _broken_into(self, at_ms: float, heard: str) -> None:
        """The answer before is over; should nothing of it have gone out yet, it was the one before that."""
        pipes, before = self._step.pipes, self._request.turn - 1
        sent = pipe_names.turn(self._request.call_id, before, pipe_names.SENT)
        journal = await self._step.live_calls.journal(self._request.call_id, before)
        if "outcome" in journal:
            await self._correct(before, journal, at_ms, heard)
        elif await pipes.last(sent) is not None:
            await self.interrupting.stop(at_ms, heard=heard)
        elif before:
            journal = await self._step.live_calls.journal(self._request.call_id, before - 1)
            await self._correct(before - 1, journal, at_ms, heard)

    async def _correct(self, turn: int, journal: dict[str, str], at_ms: float, heard: str) -> None:
        """All that was sent was taken to be heard; the line knows better."""
        said = journal.get("said", "")
        agent = await spoken_agent(self._step.live_calls, self._request.call_id, turn + 1, self._agent)
        heard = without_fillers(agent, heard.strip(), said)
        if said and IS_KNOWN not in journal and said.split() != heard.split():
            known = {"said": heard, "outcome": TurnOutcome.INTERRUPTED.value, IS_KNOWN: "1"}
            moments: dict[str, str | float] = {Moment.INTERRUPTED: at_ms}
            await self._step.live_calls.note(self._request.call_id, turn, {**known, **moments})

    async def _limit_reached(self, place: Place, began_ms: float) -> EndReason | None:
        now_ms, limits = self._step.clock.now_ms(), self._step.limits
        if not place.started_ms:
            return EndReason.NO_MEDIA if now_ms - began_ms >= limits.no_media_s * 1000 else None
        if now_ms - place.started_ms >= limits.longest_call_s * 1000:
            return EndReason.TOO_LONG
        return EndReason.SILENT if await self._is_too_quiet(place, now_ms) else None

    async def _is_too_quiet(self, place: Place, now_ms: float) -> bool:
        # Who asks by requests does not tell that the caller is speaking.
        unseen_ms = 0 if self._has_socket else self._step.limits.longest_speech_ms
        limit_ms = self._agent.quiet_limit_ms + unseen_ms
        if now_ms - place.stirred_ms < limit_ms or await self._was_away(now_ms - limit_ms):
            return False
        before = await self._step.live_calls.journal(self._request.call_id, self._request.turn - 1)
        ended = before.get(Moment.PLAYBACK_ENDED)
        if ended is not None:
            return now_ms - float(ended) >= limit_ms
        if "outcome" in before:
            return True
        return now_ms - place.stirred_ms >= limit_ms + LONGEST_ANSWER_S * 1000

    async def _was_away(self, since_ms: float) -> bool:
        pipes, call_id = self._step.pipes, self._request.call_id
        if await back_at_ms(pipes, call_id) > since_ms:
            return True
        return await is_away(pipes, self._step.live_calls, call_id)

    async def finish(self, attending: Attending) -> None:
        """The turn is the caller's: let it be answered, and the next one begin."""
        step, request = self._step, self._request
        at_ms, words = attending.words_at_ms, attending.words or ""
        place = replace(attending.place, stirred_ms=at_ms).to_fields()
        position, fields = takes.written(takes.Final(1, words))
        transcript = pipe_names.turn(request.call_id, request.turn, pipe_names.TRANSCRIPT)
        spoken = pipe_names.turn(request.call_id, request.turn - 1, pipe_names.SPOKEN)
        # Who answers looks at the language as soon as the words are there.
        last, language = await asyncio.gather(step.pipes.last(spoken), self._note_language(words, attending.language))
        await step.pipes.append(transcript, {**fields, **place, _LANGUAGE: attending.language}, position=position)
        self.interrupting.overlaps = last is None or not is_end(last)
        await self.interrupting.stop(at_ms)
        heard: dict[str, str | float] = {
            Moment.SPEECH_ENDED: at_ms,
            Moment.TRANSCRIPT: at_ms,
            Moment.TURN_ENDED: at_ms,
            "heard": words,
        }
        await asyncio.gather(
            self._orchestrations.speech_began(request.call_id, request.turn),
            tell_watch(request, self._orchestrations, watched_ms(self._agent, self.interrupting)),
            step.live_calls.note(request.call_id, request.turn, heard),
        )
        cursor = pipe_names.turn(request.call_id, request.turn + 1, pipe_names.CURSOR)
        await step.pipes.append(cursor, place, position="1-0")
        await self._follow_language(*language)

    async def _note_language(self, words: str, told: str) -> tuple[str, str]:
        """In which language the call was, and in which it goes on."""
        step, request = self._step, self._request
        before = await call_language(step.live_calls, request.call_id, request.turn, self._agent)
        entries = await language_entries(
            step.live_calls, request.call_id, request.turn, self._agent, words=words, told=told, is_sure=True
        )
        if not entries:
            return before, before
        await step.live_calls.note(request.call_id, request.turn, entries)
        return before, str(entries[LANGUAGE])

    async def _follow_language(self, before: str, language: str) -> None:
        step, call_id = self._step, self._request.call_id
        if step.switch_language is None or not self._agent.manner.languages:
            return
        live = await step.live_calls.get(call_id)
        if live is None:
            return
        try:
            await step.switch_language.follow(live, self._agent, before, language)
        except MediaError as error:
            logger.warning("call %s: the line was not told of %s: %s", call_id, language, error.code)

    async def end(self, reason: EndReason, *, has_started: bool) -> str:
        await tell_watch(self._request, self._orchestrations, 0)
        if self._request.turn == 1 and not has_started:
            await tell_watch(replace(self._request, turn=0), self._orchestrations, 0)
        step, at_ms = self._step, self._step.clock.now_ms()
        return await end_listening(
            step.pipes, step.live_calls, self._request, self.interrupting, reason=reason, at_ms=at_ms
        )
