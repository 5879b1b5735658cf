"""The Lex V2 bot with which a flow listens: hears words and keys, asks its code hook, speaks, and can be broken into.

Source: https://docs.aws.amazon.com/lexv2/latest/dg/lambda-input-format.html, …/session-attribs-speech.html
"""

from __future__ import annotations

import uuid
from dataclasses import dataclass
from typing import Any, Final

from local_stack.phones.connect.flow import Block
from local_stack.phones.connect.functions import FunctionError
from local_stack.phones.connect.misbehaviour import Misbehaviour
from local_stack.phones.connect.stage import Stage, spoken_text
from local_stack.phones.floor import AGENT_SPEAKS, AGENT_SPEAKS_ON, while_listening
from local_stack.phones.phone_line import FRAME_S
from local_stack.phones.provider_ear import ProviderEar
from local_stack.phones.provider_speech import SpeechTrouble

FALLBACK: Final = "FallbackIntent"
_HOOK_LIMIT_S: Final = 30.0
_MOST_MESSAGES, _LONGEST_MESSAGE = 5, 1024
_DIALOG_ACTIONS: Final = frozenset({"Close", "ConfirmIntent", "Delegate", "ElicitIntent", "ElicitSlot"})
_CONTENT: Final = frozenset({"PlainText", "SSML", "CustomPayload", "ImageResponseCard"})


class BotFailed(Exception):
    """The block takes its branch for errors; the message is one line."""


@dataclass(frozen=True)
class _Input:
    """`mode` as Lex names it: Speech or DTMF. No words: the caller was silent."""

    words: str
    mode: str = "Speech"


class Bot:
    """One run of the block `Get customer input` with a bot."""

    def __init__(self, stage: Stage, block: Block) -> None:
        self._stage = stage
        self._contact = stage.contact
        self._alias = self._contact.resolve(block.parameters.get("LexV2Bot", {}).get("AliasArn", ""))
        given = block.parameters.get("LexSessionAttributes", {})
        self._contact.lex |= {name: self._contact.resolve(value) for name, value in given.items()}
        self._ear = ProviderEar(self._setting("audio:end-timeout-ms", 640), 15_000)

    async def talk(self, prompt: str) -> str:
        """The intent that is fulfilled in the end. Raises: BotFailed, LineOver, LineCut."""
        line = self._stage.line
        line.listeners.append(self._ear.take)
        try:
            texts = [prompt]
            while True:
                heard = await self._listen(texts)
                answer = await self._ask(heard)
                state = answer["sessionState"]
                self._contact.lex = dict(state.get("sessionAttributes") or {})
                texts = [message["content"] for message in answer.get("messages") or []]
                if state["dialogAction"]["type"] == "Close":
                    await self._stage.say(" ".join(spoken_text(text) for text in texts))
                    return str(state["intent"]["name"])
        finally:
            line.listeners.remove(self._ear.take)

    def _setting(self, name: str, otherwise: int) -> int:
        given = self._contact.lex.get(f"x-amz-lex:{name}:*:*", "")
        return int(given) if given.isdecimal() else otherwise

    # what the caller says

    async def _listen(self, texts: list[str]) -> _Input:
        voice, ear = self._stage.voice, self._ear
        ear.forget()
        voice.begin_answer()
        for text in texts:
            voice.say(spoken_text(text), self._contact.language)
        may_interrupt = self._contact.lex.get("x-amz-lex:allow-interrupt:*:*", "true") == "true"
        self._stage.line.floor = AGENT_SPEAKS
        await self._stage.line.until(lambda: not voice.is_busy or (may_interrupt and self._has_begun()))
        if voice.is_busy:
            cut = await voice.stop()
            self._stage.log.add("provider_interrupted", heard=cut.heard, heard_ms=cut.heard_ms)
        elif not may_interrupt:
            ear.forget()
        self._stage.line.floor = while_listening(self._setting("audio:start-timeout-ms", 4000) / 1000)
        try:
            return await self._wait()
        finally:
            self._stage.line.floor = AGENT_SPEAKS_ON

    def _has_begun(self) -> bool:
        return self._ear.speaking_since_ms is not None or bool(self._ear.speech or self._ear.digits)

    async def _wait(self) -> _Input:
        left_s = self._setting("audio:start-timeout-ms", 4000) / 1000
        while left_s > 0 or self._ear.speaking_since_ms is not None:
            await self._stage.line.tick()
            left_s -= 0 if self._ear.speaking_since_ms is not None else FRAME_S
            if self._ear.digits:
                return _Input(await self._keys(), "DTMF")
            if self._ear.speech and (words := await self._understand()):
                return _Input(words)
        return _Input("")

    async def _keys(self) -> str:
        """Until no more come for a while, or the key that ends them."""
        keys, quiet_s = "", self._setting("dtmf:end-timeout-ms", 5000) / 1000
        left_s, most = quiet_s, self._setting("dtmf:max-length", 1024)
        while left_s > 0 and len(keys) < most:
            while self._ear.digits:
                key, left_s = self._ear.digits.popleft(), quiet_s
                if key == "#":
                    return keys
                keys += key
            await self._stage.line.tick()
            left_s -= FRAME_S
        return keys

    async def _understand(self) -> str:
        speech = self._ear.speech.popleft()
        hearing = self._stage.speech.hear_line(speech.ulaw_8k, self._contact.language.partition("-")[0])
        try:
            words = str(await self._stage.while_line_goes_on(hearing))
        except SpeechTrouble as trouble:
            self._stage.log.add("provider_trouble", message=str(trouble))
            return ""
        if words:
            self._stage.note_words(words)
        return words

    # what its code hook says to it

    async def _ask(self, heard: _Input) -> dict[str, Any]:
        utterance = str(uuid.uuid4())
        event = self._event(heard, "DialogCodeHook", utterance)
        try:
            answer = await self._stage.invoke(event, _HOOK_LIMIT_S, "lex code hook")
            if Misbehaviour.LEX_ASKS_TWICE in self._stage.ways:
                checked = _checked(answer)
                self._contact.lex = dict(checked["sessionState"].get("sessionAttributes") or {})
                again = self._event(heard, "FulfillmentCodeHook", utterance)
                answer = await self._stage.invoke(again, _HOOK_LIMIT_S, "lex code hook, again")
        except FunctionError as error:
            raise BotFailed(str(error)) from error
        return _checked(answer)

    def _event(self, heard: _Input, source: str, utterance: str) -> dict[str, Any]:
        intent = {"name": FALLBACK, "slots": {}, "state": "ReadyForFulfillment", "confirmationState": "None"}
        understood = [{"transcription": heard.words, "transcriptionConfidence": 0.92}] if heard.words else []
        return {
            "messageVersion": "1.0",
            "invocationSource": source,
            "inputMode": heard.mode,
            "responseContentType": "audio/mpeg",
            "sessionId": self._contact.contact_id,
            "inputTranscript": heard.words,
            "invocationLabel": None,
            "bot": {
                "id": "LOCALBOT01",
                "name": "voice-agent",
                "aliasId": self._alias.rpartition("/")[2] or "TSTALIASID",
                "aliasName": "live",
                "localeId": self._contact.language.replace("-", "_"),
                "version": "1",
            },
            "interpretations": [{"intent": intent, "nluConfidence": None, "interpretationSource": "Lex"}],
            "proposedNextState": None,
            "requestAttributes": {
                "x-amz-lex:accept-content-types": "PlainText,SSML",
                "x-amz-lex:channels:platform": "Connect",
            },
            "sessionState": {
                "sessionAttributes": dict(self._contact.lex),
                "activeContexts": [],
                "intent": intent,
                "originatingRequestId": utterance,
            },
            "transcriptions": understood,
        }


def _checked(answer: Any) -> dict[str, Any]:
    """As Lex validates it. Raises: BotFailed."""
    try:
        state, messages = answer["sessionState"], answer.get("messages") or []
        kind, attributes = state["dialogAction"]["type"], state.get("sessionAttributes") or {}
        is_good = (
            kind in _DIALOG_ACTIONS
            and (kind != "Close" or "name" in state["intent"])
            and all(isinstance(value, str) for value in attributes.values())
            and len(messages) <= _MOST_MESSAGES
            and all(_is_message(message) for message in messages)
        )
    except (KeyError, TypeError, AttributeError):
        is_good = False
    if not is_good:
        raise BotFailed("the code hook's answer is malformed")
    checked: dict[str, Any] = answer
    return checked


def _is_message(message: dict[str, Any]) -> bool:
    return message["contentType"] in _CONTENT and 1 <= len(message["content"]) <= _LONGEST_MESSAGE
