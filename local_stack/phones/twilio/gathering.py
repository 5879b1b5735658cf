"""`<Gather>`: listens for words or keys while its prompts are heard, and tells the app what came.

Source: https://www.twilio.com/docs/voice/twiml/gather
"""

from __future__ import annotations

import asyncio
from dataclasses import dataclass
from typing import Final

from local_stack.phones.floor import AGENT_SPEAKS, AGENT_SPEAKS_ON, while_listening
from local_stack.phones.phone_line import FRAME_S
from local_stack.phones.provider_ear import ProviderEar
from local_stack.phones.provider_speech import SpeechTrouble
from local_stack.phones.twilio.forms import Fields
from local_stack.phones.twilio.speaking import perform_prompts
from local_stack.phones.twilio.stage import Stage, asked
from local_stack.phones.twilio.verbs import Gather
from local_stack.phones.twilio.voice_webhook import Source

_CONFIDENCE: Final = "0.9"
"""The local recogniser is never less sure nor more."""


@dataclass(frozen=True)
class Gathered:
    """`speech` or `digits` is there, or nothing came."""

    speech: str = ""
    digits: str = ""
    finished_by: str = ""

    @property
    def is_empty(self) -> bool:
        return not (self.speech or self.digits)


async def gather(stage: Stage, verb: Gather) -> Source | None:
    """What the app wants next, or None to go on with the next verb. Raises: LineOver, LineCut."""
    stage.context.state.taken_up = True
    listener = _Listener(stage, verb)
    gathered = await listener.listen()
    if gathered.is_empty and not verb.action_on_empty:
        return None
    return asked(verb.action, _fields(verb, gathered))


def _fields(verb: Gather, gathered: Gathered) -> Fields:
    fields: Fields = []
    if gathered.speech:
        fields = [("SpeechResult", gathered.speech), ("Confidence", _CONFIDENCE), ("Language", verb.language)]
    if gathered.digits:
        fields += [("Digits", gathered.digits), ("FinishedOnKey", gathered.finished_by)]
    if gathered.is_empty:
        fields = [("Digits", "")] if "dtmf" in verb.inputs else [("SpeechResult", "")]
    return [("msg", "Gather End"), *fields]


class _Listener:
    def __init__(self, stage: Stage, verb: Gather) -> None:
        self._stage = stage
        self._verb = verb
        self._line = stage.line
        self._ear = ProviderEar(verb.speech_timeout_ms, verb.max_speech_s * 1000)
        self._digits = ""

    async def listen(self) -> Gathered:
        self._stage.log.add("provider_listens", language=self._verb.language)
        self._line.listeners.append(self._ear.take)
        try:
            self._line.floor = AGENT_SPEAKS
            await self._prompt()
            self._line.floor = while_listening(self._verb.timeout_s)
            return await self._wait()
        finally:
            self._line.floor = AGENT_SPEAKS_ON
            self._line.listeners.remove(self._ear.take)

    async def _prompt(self) -> None:
        """The prompts are heard to their end, or until the caller says something, if that may be."""
        prompting = asyncio.create_task(perform_prompts(self._stage, self._verb.prompts))
        try:
            await self._line.until(lambda: prompting.done() or (self._verb.barge_in and self._has_begun()))
        finally:
            prompting.cancel()
            (outcome,) = await asyncio.gather(prompting, return_exceptions=True)
        if isinstance(outcome, Exception):
            raise outcome
        if not self._verb.barge_in:
            self._ear.forget()

    def _has_begun(self) -> bool:
        speaks = self._ear.speaking_since_ms is not None or bool(self._ear.speech)
        return ("speech" in self._verb.inputs and speaks) or ("dtmf" in self._verb.inputs and bool(self._ear.digits))

    async def _wait(self) -> Gathered:
        """Until words or keys are complete, or nothing has come for the verb's time."""
        left_s = float(self._verb.timeout_s)
        while left_s > 0 or self._is_speaking():
            await self._line.tick()
            left_s -= 0 if self._is_speaking() else FRAME_S
            if "dtmf" in self._verb.inputs:
                if (keyed := self._take_digits()) is not None:
                    return keyed
                if self._ear.digits or (self._digits and left_s <= 0):
                    left_s = float(self._verb.timeout_s)
            if "speech" in self._verb.inputs and self._ear.speech and (heard := await self._understand()):
                return Gathered(speech=heard)
        return Gathered(digits=self._digits)

    def _is_speaking(self) -> bool:
        return "speech" in self._verb.inputs and self._ear.speaking_since_ms is not None

    def _take_digits(self) -> Gathered | None:
        while self._ear.digits:
            digit = self._ear.digits.popleft()
            if digit in self._verb.finish_on_key:
                return Gathered(digits=self._digits, finished_by=digit)
            self._digits += digit
            if len(self._digits) == self._verb.num_digits:
                return Gathered(digits=self._digits)
        return None

    async def _understand(self) -> str:
        """The words of what was said, while the line goes on; empty for a sound without words."""
        speech = self._ear.speech.popleft()
        hearing = asyncio.create_task(
            self._stage.context.carrier.speech.hear_line(speech.ulaw_8k, self._verb.language)
        )
        try:
            await self._line.until(hearing.done)
            words = hearing.result()
        except SpeechTrouble as trouble:
            self._stage.log.add("provider_trouble", message=str(trouble))
            return ""
        finally:
            hearing.cancel()
            await asyncio.gather(hearing, return_exceptions=True)
        self._line.note_words(words)
        return words
