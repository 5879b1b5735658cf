"""A call goes on in another language: the line is told, and what is said besides answers is made ready in it."""

from __future__ import annotations

import asyncio
import hashlib
import logging
from collections.abc import Callable
from dataclasses import dataclass, field, replace
from typing import Protocol

from shared.domain.call import Agent
from shared.domain.errors import Conflict, InvalidRequest, NotFound, VoiceAgentError
from shared.domain.heard_language import is_of_several
from shared.domain.language_switch import HEARD, LANGUAGE, ORDER, primary, tag_among
from shared.domain.phrases import Phrases, speaking, to_translate
from shared.domain.telephony.lines import CAPABILITIES, Capability, require
from shared.ports.call_store import CallStore
from shared.ports.clock import Clock
from shared.ports.directory import Directory
from shared.ports.live_calls import LiveCall, LiveCalls
from shared.ports.short_memory import ShortMemory
from shared.ports.text_channel import TextChannels
from shared.ports.translation import Translation
from shared.use_cases.running import agent_of

logger = logging.getLogger(__name__)

_TRANSLATED_WITHIN_S = 4.0
"""All of an agent's phrases, side by side."""
_IDENTIFIED_WITHIN_S = 3.0
_FEWEST_WORDS = 3
"""Fewer could be of many languages."""
_TEXT = "text"


class PreparesSounds(Protocol):
    def prepare(self, agent: Agent) -> None:
        """See in the background that the sounds of the agent's phrases are there."""
        ...


@dataclass(frozen=True, slots=True)
class SwitchLanguage:
    """`translation`: None where nobody translates. `sounds`: who makes the phrases' sound, asked for on lines that
    carry sound.
    """

    live_calls: LiveCalls
    call_store: CallStore
    directory: Directory
    channels: TextChannels
    memory: ShortMemory
    translation: Translation | None
    sounds: Callable[[], PreparesSounds]
    clock: Clock
    _preparing: dict[tuple[str, str], asyncio.Task[None]] = field(default_factory=dict)
    _identifying: set[asyncio.Task[None]] = field(default_factory=set)

    async def order(self, tenant_id: str, call_id: str, wanted: str) -> str:
        """From the next turn on the call is in this language, which is given back as the agent names it. Ordering it
        again changes nothing.

        Raises: NotFound, Conflict for a call that does not run, Unsupported, InvalidRequest for a language that the
        agent does not speak, MediaError.
        """
        live = await self.live_calls.get(call_id)
        if live is None or live.tenant_id != tenant_id:
            if await self.call_store.get(tenant_id, call_id) is None:
                raise NotFound("call_unknown", "there is no such call")
            raise _not_running()
        require(live.line, Capability.LANGUAGE_SWITCH)
        agent = await agent_of(self.directory, live)
        language = _known(agent, wanted)
        order = f"{self.clock.now_ms():.3f}"
        if live.end_reason or not await self.live_calls.order_language(call_id, language, order=order):
            raise _not_running()
        await self.tell_line(live, language)
        await self.call_store.enrich(tenant_id, call_id, language=language)
        self.prepare(live, agent, language)
        return language

    async def follow(self, live: LiveCall, agent: Agent, before: str, language: str) -> None:
        """A turn has shown in which language the call goes on; `before` it, it was in that one. Raises: MediaError
        (retryable where it may get through later).
        """
        if language != before:
            await self.tell_line(live, language)
        phrases = Phrases.from_text(live.phrases)
        if language != (agent.language if phrases is None else phrases.language):
            self.prepare(live, agent, language)

    async def tell_line(self, live: LiveCall, language: str) -> None:
        """A line that hears by a socket of its own is told; all others are with their next request or frame."""
        if Capability.TEXT_STREAM in CAPABILITIES[live.line] and live.connection_id:
            await self.channels.open_text(live).switch_language(language)

    def identify(self, live: LiveCall, agent: Agent, turn: int, words: str) -> None:
        """In the background: who heard a turn has not told its language, and its letters may be of several."""
        tags = (agent.language, *agent.manner.languages)
        if self.translation is None or len(words.split()) < _FEWEST_WORDS or not is_of_several(words, tags):
            return
        task = asyncio.create_task(self.note_identified(live, agent, turn, words), name="identify a language")
        self._identifying.add(task)
        task.add_done_callback(self._identifying.discard)

    async def note_identified(self, live: LiveCall, agent: Agent, turn: int, words: str) -> None:
        """The call switches where the turn before was in that language as well. Never raises."""
        assert self.translation is not None
        call_id = live.call_id
        try:
            async with asyncio.timeout(_IDENTIFIED_WITHIN_S):
                heard = (await self.translation.identify(words)).language
            tag = tag_among((agent.language, *agent.manner.languages), heard) if heard else ""
            if not tag:
                return
            before, now = await self.live_calls.journals(call_id, range(turn - 1, turn + 1))
            if now.get(ORDER, "") != before.get(ORDER, ""):
                return  # an operator has said in which language the call goes on, whatever this was
            current = now.get(LANGUAGE, agent.language)
            following = tag if before.get(HEARD) == heard and primary(current) != heard else current
            await self.live_calls.note(call_id, turn, {HEARD: heard, LANGUAGE: following})
            await self.follow(live, agent, current, following)
        except (VoiceAgentError, TimeoutError) as error:
            logger.warning("call %s turn %d: language not identified: %s", call_id, turn, type(error).__name__)

    def prepare(self, live: LiveCall, agent: Agent, language: str) -> None:
        """In the background; who needs a phrase before it is there says it as there is one."""
        key = (live.call_id, language)
        if key in self._preparing:
            return
        task = asyncio.create_task(self.make_ready(live, agent, language), name="prepare a language")
        self._preparing[key] = task
        task.add_done_callback(lambda _: self._preparing.pop(key, None))

    async def make_ready(self, live: LiveCall, agent: Agent, language: str) -> None:
        """Note the language with the call, and what is said in it. Never raises: a later turn tries again."""
        try:
            await self.call_store.enrich(live.tenant_id, live.call_id, language=language)
            phrases = await self._phrases(agent, language)
            await self.live_calls.keep_phrases(live.call_id, phrases.to_text())
        except VoiceAgentError as error:
            logger.warning("call %s: its language is not prepared: %s", live.call_id, error.code)
            return
        logger.info("call %s goes on in %s", live.call_id, language)
        if Capability.AUDIO in CAPABILITIES[live.line]:
            self.sounds().prepare(replace(speaking(agent, language, phrases), greeting=""))  # that has been said

    async def _phrases(self, agent: Agent, language: str) -> Phrases:
        """Those that were not translated are left out, all fillers together."""
        apology, fillers = to_translate(agent, language)
        wanted = [text for text in (apology, *fillers) if text]
        if not wanted or self.translation is None:
            return Phrases(language)
        texts = await asyncio.gather(*(self._in_language(text, agent, language) for text in wanted))
        translated = dict(zip(wanted, texts, strict=True))
        said = [translated[filler] for filler in fillers]
        return Phrases(language, translated.get(apology, ""), tuple(said) if all(said) else ())

    async def _in_language(self, text: str, agent: Agent, language: str) -> str:
        """Translated now or before; "" where that fails."""
        name = f"translated:{language}:{hashlib.sha256(text.encode()).hexdigest()}"
        try:
            if known := (await self.memory.facts(name)).get(_TEXT):
                return known
            assert self.translation is not None
            async with asyncio.timeout(_TRANSLATED_WITHIN_S):
                made = await self.translation.translate(text, target=language, source=agent.language)
            said = made.text.strip().encode(errors="replace").decode()  # JSON can hold half a character
            if said:
                await self.memory.note(name, {_TEXT: said})
            return said
        except (VoiceAgentError, TimeoutError) as error:
            logger.warning("agent %s: not translated into %s: %s", agent.agent_id, language, type(error).__name__)
            return ""


def _known(agent: Agent, wanted: str) -> str:
    """Raises: InvalidRequest."""
    tags = (agent.language, *agent.manner.languages)
    if primary(wanted) and (tag := tag_among(tags, wanted)):
        return tag
    spoken = ", ".join(dict.fromkeys(tags))
    raise InvalidRequest("language_unknown", f"this agent speaks {spoken}: add others to the languages of its manner")


def _not_running() -> Conflict:
    return Conflict("call_not_running", "the call has not begun, or has ended")
