"""Runs scenarios one after the other: the agent is put in, the call is made, everything is read back and checked."""

from __future__ import annotations

import asyncio
import json
import random
import time
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Any, Final

from local_stack.eval.app_door import AppDoor
from local_stack.eval.callers import ImprovisingCaller, PlacedCall, SpeakingCaller, TypingCaller, from_file, from_wav
from local_stack.eval.chat_model import ChatModel
from local_stack.eval.checks import Check, Verdict, check_all
from local_stack.eval.judging import judge
from local_stack.eval.observed import Observed
from local_stack.eval.offers import offered
from local_stack.eval.other_ends import transfers
from local_stack.eval.outcome import Outcome
from local_stack.eval.persona_caller import PersonaCaller
from local_stack.eval.phone import Phone
from local_stack.eval.scenario import LOCAL, SCRIPTED, CallerLine, Scenario
from local_stack.eval.speech_door import SpeechDoor
from local_stack.eval.stack import CalledStack
from local_stack.eval.trouble import CannotEvaluate
from local_stack.samples.service import SampleServices

_FINISHED_WITHIN_S: Final = {SCRIPTED: 20.0, LOCAL: 120.0}
"""So long the app may take to read a call that is over."""
_LOOKED_EVERY_S: Final = 0.3
_KEPT_TRIES: Final = 20
_KINDS: Final = {".pdf": "application/pdf", ".html": "text/html", ".md": "text/markdown", ".txt": "text/plain",
                 ".csv": "text/csv"}  # fmt: skip


@dataclass
class Runner:
    """`model`: that plays callers and judges; None: judged statements are passed over."""

    stack: CalledStack
    app: AppDoor
    phone: Phone
    speech: SpeechDoor
    services: SampleServices
    model: ChatModel | None

    @property
    def mode(self) -> str:
        return SCRIPTED if self.stack.is_scripted else LOCAL

    async def run(self, scenarios: Sequence[Scenario], tell: Callable[[Outcome], None]) -> list[Outcome]:
        """Each outcome is told as soon as it is there. Raises: CannotEvaluate where the app cannot be asked."""
        wanted = {need for each in scenarios if self.mode in each.models for need in each.needs}
        there = await offered(wanted, self.app)
        outcomes: list[Outcome] = []
        for scenario in scenarios:
            outcome = await self._one(scenario, there)
            tell(outcome)
            outcomes.append(outcome)
        return outcomes

    async def _one(self, scenario: Scenario, there: set[str]) -> Outcome:
        if self.mode not in scenario.models:
            return Outcome(scenario, skipped=f"is not for the {self.mode} model")
        if missing := sorted(set(scenario.needs) - there):
            return Outcome(scenario, skipped=f"needs {', '.join(missing)}, which the app does not offer")
        if scenario.caller.persona is not None and self.model is None:
            return Outcome(scenario, skipped="needs a model that plays the caller")
        began = time.monotonic()
        try:
            seen = await self._call(scenario)
            checks = [*check_all(scenario, seen), *[await self._judged(each, seen) for each in scenario.call.judged]]
        except CannotEvaluate as trouble:
            return Outcome(scenario, trouble=str(trouble), took_s=time.monotonic() - began)
        finally:
            for number in scenario.people:
                await self.phone.forget_person(number)
        return Outcome(scenario, seen, checks, took_s=time.monotonic() - began)

    async def _call(self, scenario: Scenario) -> Observed:
        if not scenario.caller.number:
            number = f"+1415{random.randint(2_000_000, 9_999_999)}"
            scenario = replace(scenario, caller=replace(scenario.caller, number=number))
        document = json.loads(json.dumps(scenario.agent).replace("${SAMPLES_URL}", self.services.url))
        await self.app.publish(scenario.agent_name, document)
        await self._upload(scenario, document)
        await self._direct(scenario)
        for number, person in scenario.people.items():
            await self.phone.set_person(number, person)
        self.services.begin(scenario.tool_faults)
        before = 0 if self.stack.is_scripted else len(await self.speech.requests())
        began = time.monotonic()
        placed, understood = await self._followed(scenario)
        result = placed.result
        if not result["media_opened"]:
            raise CannotEvaluate(
                f"the app did not take up the call: {'; '.join(result['errors']) or 'no reason given'}"
            )
        duration_s = time.monotonic() - began
        call = await self.app.ended_call(placed.call_sid)
        finished = await self.app.finished(call, document, within_s=_FINISHED_WITHIN_S[self.mode])
        return Observed(
            record=finished.record,
            shown=finished.shown,
            analysis=finished.analysis,
            understood=understood,
            events=placed.events,
            journal=[
                *self.services.journal,
                *await self.app.deeds(call["call_id"]),
                *await self._transfers(scenario, placed),
            ],
            requests=(await self.speech.requests())[before:],
            folder=None if scenario.by_text else placed.folder,
            duration_s=duration_s,
        )

    async def _transfers(self, scenario: Scenario, placed: PlacedCall) -> list[dict[str, Any]]:
        """A person's end of a call is kept a moment later than the caller's."""
        calls = self.stack.state_dir / "calls"
        are_expected = any(use.name == "transfer" for use in scenario.call.tools)
        for _ in range(_KEPT_TRIES if are_expected else 0):
            if found := transfers(calls, placed.events):
                return found
            await asyncio.sleep(_LOOKED_EVERY_S)
        return transfers(calls, placed.events)

    async def _followed(self, scenario: Scenario) -> tuple[PlacedCall, Mapping[str, Any] | None]:
        """The call, and what the app last told of the conversation's state while it ran."""
        if not scenario.call.intent and not scenario.call.slots:
            return await self._placed(scenario), None
        calling = asyncio.create_task(self._placed(scenario), name="call")
        understood: Mapping[str, Any] | None = None
        try:
            while not (await asyncio.wait({calling}, timeout=_LOOKED_EVERY_S))[0]:
                running = await self.app.running_call(scenario.caller.number)
                understood = (running or {}).get("understood") or understood
            return calling.result(), understood
        finally:
            calling.cancel()
            await asyncio.gather(calling, return_exceptions=True)

    async def _placed(self, scenario: Scenario) -> PlacedCall:
        if scenario.by_text:
            number = await self.app.give_number("twilio-relay", scenario.agent_name)
            return await self._typing(scenario).call(scenario, number)
        number = await self.app.give_number(scenario.line, scenario.agent_name)
        if scenario.caller.persona is not None and self.model is not None:
            persona = PersonaCaller(self.model, scenario.caller.persona)
            improvising = ImprovisingCaller(self.phone, persona.next_words, self._voice, self.app.said_from)
            return await improvising.call(scenario, number)
        handed = scenario.caller.handed
        gateway = await self.app.give_number("connect", scenario.agent_name) if handed else ""
        return await SpeakingCaller(self.phone, self._sound).call(scenario, number, gateway)

    def _typing(self, scenario: Scenario) -> TypingCaller:
        persona = scenario.caller.persona
        if persona is None or self.model is None:
            return TypingCaller(self.phone)
        return TypingCaller(self.phone, PersonaCaller(self.model, persona).next_words)

    async def _direct(self, scenario: Scenario) -> None:
        """Only a script has to be told what comes; what is spoken is known by the recording that stands for it."""
        if not self.stack.is_scripted:
            return
        lines = scenario.caller.lines
        voices = [
            None if scenario.by_text or line.wav else str(self._stand_in(line, at)["id"])
            for at, line in enumerate(lines)
        ]
        await self.speech.direct(lines, voices, scenario.finds)

    async def _sound(self, line: CallerLine, at: int) -> dict[str, Any]:
        """The recording of the line; else a voice for it: with the script, anybody's recorded sentence will do."""
        if line.wav is not None:
            return from_file(line.wav, line.say)
        if self.stack.is_scripted or line.recording:
            voice = self._stand_in(line, at)
            return from_file(voice["file"], line.say, str(voice["id"]))
        return await self._voice(line.say)

    async def _voice(self, words: str) -> dict[str, Any]:
        return from_wav(await self.speech.say(words), words, "synthetic voice")

    def _stand_in(self, line: CallerLine, at: int) -> Mapping[str, Any]:
        voices = self.stack.voices()
        if line.recording:
            named = [voice for voice in voices if voice["id"] == line.recording]
            if not named:
                raise CannotEvaluate(f"there is no recorded voice {line.recording!r}")
            return named[0]
        if at >= len(voices):
            raise CannotEvaluate(f"with the scripted model a caller speaks at most {len(voices)} lines")
        return voices[at]

    async def _upload(self, scenario: Scenario, document: Mapping[str, Any]) -> None:
        collections = (document.get("knowledge") or {}).get("collections") or ["eval"]
        for file in scenario.documents:
            kind = _KINDS.get(file.suffix.lower())
            if kind is None:
                raise CannotEvaluate(f"{file}: documents are {', '.join(_KINDS)}")
            await self.app.upload(collections[0], file.stem, file.read_bytes(), kind)

    async def _judged(self, wanted: Any, seen: Observed) -> Check:
        what = f"judged at least {wanted.at_least:g}: {wanted.rubric}"
        if self.model is None:
            return Check(what, Verdict.SKIPPED, "nobody judges with the scripted model; see --judge-url")
        score, reason = await judge(self.model, wanted.rubric, seen.conversation)
        verdict = Verdict.PASSED if score >= wanted.at_least else Verdict.FAILED
        return Check(what, verdict, f"{score:g}: {reason}")
