"""Sound that is ready before it is needed: fillers, the apology, the greeting; no provider is asked in need."""

from __future__ import annotations

import asyncio
import logging
import zlib
from contextlib import aclosing
from dataclasses import dataclass, field

from shared.domain.audibility import OnsetTrim
from shared.domain.call import Agent
from shared.domain.errors import StoreError, TextToSpeechError
from shared.domain.fillers import apology_of, fillers_of
from shared.domain.gentle_tone import gentle_tone
from shared.domain.voices import in_language
from shared.ports.live_calls import LiveCalls
from shared.ports.sound_cache import SoundCache
from shared.ports.text_to_speech import TextToSpeech
from shared.use_cases.providers.cached_speech import sound_key

logger = logging.getLogger(__name__)

_GAP_S = 0.5
"""Before each making: the calls that run come first."""
_FOUND_WITHIN_S = 0.3
_CALL_ID = "prepared-sounds"


@dataclass(frozen=True, slots=True)
class PreparedSound:
    """`pcm`: PCM16 mono 16 kHz; `text`: the words in it, "" where it is only a tone."""

    text: str
    pcm: bytes = field(repr=False)


class PreparedSounds:
    """`speech` makes what `cache` does not have; `maker` is the name under which `CachedSpeech` finds it, too."""

    def __init__(self, speech: TextToSpeech, cache: SoundCache, live_calls: LiveCalls, *, maker: str) -> None:
        self._speech = speech
        self._cache = cache
        self._live_calls = live_calls
        self._maker = maker
        self._one_at_a_time = asyncio.Lock()
        self._preparing: set[asyncio.Task[None]] = set()

    def prepare(self, agent: Agent) -> None:
        """A call of this agent begins: see in the background that all it may need is there."""
        task = asyncio.create_task(self.warm(agent), name="prepare sounds")
        self._preparing.add(task)
        task.add_done_callback(self._preparing.discard)

    async def warm(self, agent: Agent) -> None:
        """Make what is missing, one after the other; when the provider fails, a later call goes on. Never raises."""
        async with self._one_at_a_time:
            for text in (apology_of(agent), *fillers_of(agent), agent.greeting):
                if text.strip() and await self._find(text, agent) is None:
                    try:
                        await self._make(text, agent)
                    except TextToSpeechError as error:
                        logger.warning("agent %s: a sound was not prepared: %s", agent.agent_id, error.code)
                        return

    async def filler(self, agent: Agent, call_id: str) -> PreparedSound | None:
        """The next filler of the call, or None if none is at hand: each comes once before any comes again, and
        never one twice in a row.
        """
        phrases = fillers_of(agent)
        start = zlib.crc32(call_id.encode())
        try:
            async with asyncio.timeout(_FOUND_WITHIN_S):
                for _ in phrases:
                    drawn = await self._live_calls.draw(call_id, "fillers")
                    if drawn and len(phrases) == 1:
                        return None
                    text = phrases[(start + drawn) % len(phrases)]
                    if pcm := await self._find(text, agent):
                        return PreparedSound(text, pcm)
        except (TimeoutError, StoreError) as error:
            logger.warning("call %s: no filler: %s", call_id, type(error).__name__)
        return None

    async def apology(self, agent: Agent) -> PreparedSound:
        """What to play when nothing else can be had: the sentence, else a tone. Never raises, asks no provider."""
        text = apology_of(agent)
        try:
            async with asyncio.timeout(_FOUND_WITHIN_S):
                pcm = await self._find(text, agent)
        except TimeoutError:
            pcm = None
        return PreparedSound(text, pcm) if pcm else PreparedSound("", gentle_tone())

    async def _find(self, text: str, agent: Agent) -> bytes | None:
        voice = in_language(agent.voice, agent.language)
        return await self._cache.get(sound_key(text, voice=voice, maker=self._maker))

    async def _make(self, text: str, agent: Agent) -> None:
        await asyncio.sleep(_GAP_S)
        trim, pieces = OnsetTrim(), list[bytes]()
        voice = in_language(agent.voice, agent.language)
        async with aclosing(self._speech.synthesize(text, voice=voice, call_id=_CALL_ID)) as stream:
            async for piece in stream:
                pieces.append(trim.push(piece))
        pcm = b"".join(pieces)
        if not pcm:
            raise TextToSpeechError("synthesis_silent", "the provider sent silence", retryable=True)
        await self._cache.put(sound_key(text, voice=voice, maker=self._maker), pcm, lasting=True)
