"""A relay session without sound: the caller's words are typed in, and what the agent says is read at once."""

from __future__ import annotations

from collections.abc import Callable

from local_stack.phones.twilio.relay_messages import RelayMessage, SendDigits, SwitchLanguage, Text, written
from local_stack.phones.twilio.stage import Stage
from local_stack.phones.twilio.verbs import Relay


class TypedDialogue:
    """In the place of `RelayDialogue`. Every whole answer is told as `agent_said`, with its `text`."""

    def __init__(self, stage: Stage, verb: Relay, send: Callable[[str], None]) -> None:
        self._stage = stage
        self._verb = verb
        self._send = send
        self._language, self._tts_language = verb.transcription_language, verb.language
        self._answer = ""
        self._prompts = 0
        self._is_amid_answer = False

    @property
    def is_amid_first_reply(self) -> bool:
        return self._prompts > 0 and self._is_amid_answer

    def greet(self) -> None:
        if self._verb.welcome_greeting:
            self._tell(self._verb.welcome_greeting, self._tts_language)

    def take(self, message: RelayMessage) -> None:
        """Carries out what the app has sent."""
        match message:
            case Text():
                self._take_text(message)
            case SendDigits(digits):
                self._stage.log.add("keys_sent", digits=digits)
            case SwitchLanguage(tts_language, transcription_language):
                self._language = transcription_language or self._language
                self._tts_language = tts_language or self._tts_language
                self._stage.log.add("language_switched", language=self._language, tts_language=self._tts_language)
            case _:
                self._stage.log.add("sound_passed_over")

    def _take_text(self, message: Text) -> None:
        """Who reads has read all as soon as it is there."""
        if not self._is_amid_answer:
            self._is_amid_answer = True
            self._inform("agentSpeaking", "on")
        self._answer += message.token
        if not message.last:
            return
        answer, self._answer, self._is_amid_answer = self._answer.strip(), "", False
        self._inform("agentSpeaking", "off")
        if "tokens-played" in self._verb.events:
            self._send(written(type="info", name="tokensPlayed", value=answer))
        self._tell(answer, message.lang or self._tts_language)

    def _tell(self, answer: str, language: str) -> None:
        if not any(character.isalnum() for character in answer):
            return
        turn = self._stage.line.conversation.turn
        turn.spoken = f"{turn.spoken or ''} {answer}".strip()
        self._stage.log.add("agent_said", turn=self._prompts, text=answer, language=language)

    async def take_tick(self) -> None:
        """Passes on what was typed, once the agent has said all."""
        typed = self._stage.context.state.typed
        if not typed or self._is_amid_answer:
            return
        words = typed.popleft()
        self._prompts += 1
        self._stage.line.note_words(words.text)
        language = words.language or self._stage.context.options.language or self._language
        self._send(written(type="prompt", voicePrompt=words.text, lang=language, last=True))

    def _inform(self, name: str, value: str) -> None:
        if "speaker-events" in self._verb.events:
            now_ms = round(self._stage.line.now_ms())
            self._send(written(type="info", name=name, value=value, ts=now_ms))

    async def close(self) -> None:
        """Nothing runs besides the session."""
