"""A voice agent in a call: it hears and speaks, and asks its tool what to say to each utterance.

What it brings and takes are the contexts of the SDK's tools.
Source: `tool.py` of https://pypi.org/project/sarvam-conv-ai-sdk/1.1.1
"""

from __future__ import annotations

import asyncio
import math
from collections.abc import Coroutine
from typing import Any, Final, TypeVar

from local_stack.phones.floor import AGENT_SPEAKS, AGENT_SPEAKS_ON, CALLER_SPEAKS, UNKNOWN
from local_stack.phones.phone_line import LineOver, PhoneLine
from local_stack.phones.provider_ear import HeardSpeech, ProviderEar
from local_stack.phones.provider_speech import SpeechTrouble
from local_stack.phones.provider_voice import ProviderVoice
from local_stack.phones.sarvam.hooks import HookFailed, HookSender
from local_stack.phones.sarvam.misbehaviour import Misbehaviour
from local_stack.phones.sarvam.options import CallOptions
from local_stack.phones.sarvam.transfer import DESTINATION, Order, ordered, put_through

_START_TIMEOUT_S: Final = 8.0
_MOST_QUESTIONS: Final = 5
"""So often the tool is asked for the rest of one answer."""
_APOLOGY: Final = "Sorry, I could not find that out. Could you say it again?"
_BARGE_IN_MS: Final = 200

_T = TypeVar("_T")


class VoiceAgent:
    """`transcript` is what was said, as (role, text); `context` what the tools hand back."""

    def __init__(self, options: CallOptions, line: PhoneLine, sender: HookSender) -> None:
        self.transcript: list[tuple[str, str]] = []
        self.context: dict[str, Any] = _first_context(options)
        self.has_begun = False
        self._options = options
        self._line = line
        self._sender = sender
        self._order: Order | None = None
        self._ear = ProviderEar()
        self._voice = ProviderVoice(line, options.speech)

    async def converse(self) -> str:
        """Until the agent ends the call, or has put the caller through; gives why. Raises: LineOver, LineCut,
        HookFailed.
        """
        await self._begin()
        self._line.listeners.append(self._ear.take)
        while not self.context.get("end_conversation"):
            await self._listen()
            if self._ear.speech:
                await self._answer(self._ear.speech.popleft())
            if self._order is not None and await self._put_through(self._order):
                return "the person to whom the caller was put through hung up"
        await self._voice.finish()
        return "the agent ended the conversation"

    async def _put_through(self, order: Order) -> bool:
        """What the agent has still to say is said first; nobody can interrupt it any more."""
        self._order = None
        await self._voice.finish()
        self._line.listeners.remove(self._ear.take)
        self._line.floor = UNKNOWN
        try:
            return await put_through(self._options, self._line, order.to)
        finally:
            self._ear.forget()
            self._line.listeners.append(self._ear.take)

    async def _begin(self) -> None:
        """The on-start hook says what to say first."""
        given = await self._during(
            self._sender.ask("voice", self._hook("start"), {"context": self.context}, _START_TIMEOUT_S)
        )
        self.context = {**self.context, **given.get("context", given)}
        self.context["language"] = self.context.get("initial_language_name") or self._options.language
        self._forget_if_told()
        self.has_begun = True
        message = self.context.get("initial_bot_message") or self._options.initial_bot_message
        self._line.log.add("media_opened", took_ms=0.0, url="samvaad")
        if message:
            self._speak(str(message))

    async def _listen(self) -> None:
        """Until the caller has said something; whoever speaks into the agent's words silences it."""
        while not self._ear.speech:
            self._line.floor = AGENT_SPEAKS if self._voice.is_busy else CALLER_SPEAKS
            frame = await self._line.tick()
            since_ms = self._ear.speaking_since_ms
            if since_ms is not None and self._voice.is_busy and frame.at_ms - since_ms >= _BARGE_IN_MS:
                await self._silence()

    async def _silence(self) -> None:
        cut = await self._voice.stop()
        self._line.log.add("agent_silenced", heard_ms=cut.heard_ms)
        if self.transcript and self.transcript[-1][0] == "agent":
            self.transcript[-1] = ("agent", cut.heard)

    async def _answer(self, heard: HeardSpeech) -> None:
        self._line.floor = AGENT_SPEAKS_ON
        words = await self._understood(heard)
        if not words:
            return
        self.transcript.append(("user", words))
        if self._options.caller_language:
            self.context = {**self.context, "language": self._options.caller_language}
        self._voice.begin_answer()
        try:
            await self._ask(words)
        except HookFailed as failure:
            self._line.log.add("carrier_error", code="tool", message=str(failure))
            self._speak(_APOLOGY)

    async def _understood(self, heard: HeardSpeech) -> str:
        try:
            text = await self._during(self._options.speech.hear_line(heard.ulaw_8k))
        except SpeechTrouble as trouble:
            self._line.log.add("provider_trouble", message=str(trouble))
            return ""
        turn = self._line.conversation.turn
        turn.understood = text
        self._line.log.add("provider_heard", turn=turn.number, text=text)
        return text

    async def _ask(self, words: str) -> None:
        """The tool's answer, and the rest of it where it has not all at once. Raises: HookFailed, LineOver."""
        for _ in range(_MOST_QUESTIONS):
            answer = await self._asked(words)
            if Misbehaviour.REPEATED_TURNS in self._options.misbehaviours:
                answer = await self._asked(words)
            to_user, to_llm = answer.get("message_to_user"), answer.get("message_to_llm")
            if not to_user and not to_llm:
                raise HookFailed("the tool's answer has no message")
            self._take(answer.get("context"))
            self._order = ordered(str(to_llm or ""), self.context)
            if self._order is not None and self._order.words:
                self._speak(self._order.words)
            if to_user:
                self._speak(str(to_user))
            if self.context.get("end_conversation") or not to_llm or "again" not in str(to_llm):
                return
            words = ""

    async def _asked(self, words: str) -> dict[str, Any]:
        question = {"context": self.context, "utterance": words}
        return await self._during(
            self._sender.ask("turn", self._hook("turn"), question, self._options.tool_timeout_s)
        )

    def _take(self, context: Any) -> None:
        """Raises: HookFailed for a context that the SDK would not let pass."""
        if not isinstance(context, dict):
            raise HookFailed("the tool's answer has no context")
        if context.get("language") not in self.context["allowed_languages"]:
            raise HookFailed(f"the tool wants a language that is not allowed: {context.get('language')!r}")
        if context["language"] != self.context["language"]:
            self._line.log.add("language_changed", language=context["language"])
        self.context = context
        self._forget_if_told()

    def _forget_if_told(self) -> None:
        if Misbehaviour.FORGETFUL in self._options.misbehaviours:
            self.context = {**self.context, "internal_variables": {}}

    def _speak(self, text: str) -> None:
        self._voice.say(text)
        self.transcript.append(("agent", text))

    def _hook(self, name: str) -> str:
        return self._options.account.hook(self._options.app_url, name)

    async def _during(self, deed: Coroutine[Any, Any, _T]) -> _T:
        """Time passes on the line meanwhile. Raises: LineOver, LineCut, and what the deed raises."""
        task = asyncio.create_task(deed)
        try:
            await self._line.until(task.done)
            return await task
        finally:
            task.cancel()
            if not task.done():
                await asyncio.gather(task, return_exceptions=True)

    async def let_go(self) -> None:
        """The line is over."""
        try:
            await self._voice.stop()
        except LineOver:
            return


def _first_context(options: CallOptions) -> dict[str, Any]:
    return {
        "agent_variables": {DESTINATION: "", **options.agent_variables},
        "internal_variables": {},
        "engagement_metadata": {
            "interaction_id": options.interaction_id,
            "attempt_id": options.attempt_id or None,
            "campaign_id": None,
            "interaction_language": options.language,
            "app_id": options.account.app_id,
            "app_version": options.app_version,
            # Without its plus sign, as the SDK's own example has it.
            "agent_phone_number": options.agent_number.removeprefix("+"),
        },
        "user_identifier": options.user_number,
        "provider_ref_id": f"local-{math.floor(options.ring_ms)}",
        "initial_bot_message": options.initial_bot_message or None,
        "initial_state_name": "start",
        "initial_language_name": options.language,
        "language": options.language,
        "allowed_languages": list(options.allowed_languages),
        "end_conversation": False,
        "state": "start",
        "next_valid_states": [],
    }
