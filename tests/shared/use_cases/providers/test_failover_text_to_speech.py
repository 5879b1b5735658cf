"""A sentence is heard whole as long as one of the voices can say it."""

from __future__ import annotations

import asyncio
from contextlib import aclosing

import numpy as np
import pytest

from shared.domain.audio import BYTES_PER_MS, samples_of
from shared.domain.errors import TextToSpeechError
from shared.use_cases.providers.failover_text_to_speech import FailoverTextToSpeech
from shared.use_cases.providers.provider_health import ProviderHealth
from tests.fakes.circuit_breakers import FakeCircuitBreakers
from tests.fakes.providers import Script

BROKEN = TextToSpeechError("broken", "it broke", retryable=True)


def sound(ms: int, level: int = 1_000) -> bytes:
    return np.full(ms * BYTES_PER_MS // 2, level, dtype="<i2").tobytes()


class Voice:
    """Fills the port `TextToSpeech`."""

    def __init__(self, *steps: bytes | int | Exception) -> None:
        self.script = Script[bytes](list(steps))
        self.asked: list[tuple[str, str, str]] = []

    def synthesize(self, text: str, *, voice: str, call_id: str, late_after_ms: int = 0):  # type: ignore[no-untyped-def]
        self.asked.append((text, voice, call_id))
        return self.script.run()


async def say(*voices: Voice, late_after_ms: int = 0, breakers: FakeCircuitBreakers | None = None) -> list[int]:
    """The levels that are heard, one for each 100 ms."""
    named = {f"tts:{number}": voice for number, voice in enumerate(voices, 1)}
    speech = FailoverTextToSpeech(named, ProviderHealth(breakers or FakeCircuitBreakers()))
    async with aclosing(speech.synthesize("Hi.", voice="v", call_id="c", late_after_ms=late_after_ms)) as pieces:
        pcm = b"".join([piece async for piece in pieces])
    return [int(level) for level in samples_of(pcm)[:: 100 * BYTES_PER_MS // 2]]


async def test_one_is_enough() -> None:
    first, second = Voice(100, sound(100), 20, sound(200)), Voice()
    assert await say(first, second, late_after_ms=500) == [1_000] * 3
    assert (first.asked, second.asked) == ([("Hi.", "v", "c")], [])


async def test_a_late_one_is_raced() -> None:
    assert await say(Voice(60_000), Voice(sound(100, 2_000)), late_after_ms=500) == [2_000]
    assert asyncio.get_running_loop().time() == pytest.approx(0.5)


async def test_silence_before_the_first_sound_is_taken_off() -> None:
    first = Voice(bytes(300 * BYTES_PER_MS), bytes(80 * BYTES_PER_MS) + sound(80))
    assert await say(first) == [0], "20 ms of it stay"


@pytest.mark.parametrize(
    "steps", [(), (100,), (bytes(32_000),), (bytes(32_000), 10, bytes(32_000), 10_000, sound(100)), (BROKEN,)]
)
async def test_who_says_nothing_is_replaced(steps: tuple[bytes | int | Exception, ...]) -> None:
    breakers = FakeCircuitBreakers()
    assert await say(Voice(*steps), Voice(sound(100, 2_000)), breakers=breakers) == [2_000]
    assert asyncio.get_running_loop().time() < 1.0
    assert breakers.noted == [("tts:1", False), ("tts:2", True)]


async def test_a_race_is_not_won_by_silence() -> None:
    first, second = Voice(600, bytes(3_200), 1_000, sound(100)), Voice(300, sound(100, 2_000))
    assert await say(first, second, late_after_ms=500) == [2_000]


@pytest.mark.parametrize("gone", [BROKEN, 60_000])
@pytest.mark.parametrize("piece_ms", [100, 200, 500])
async def test_another_voice_finishes_the_sentence(gone: Exception | int, piece_ms: int) -> None:
    first = Voice(sound(100), sound(200), gone)
    second = Voice(bytes(50 * BYTES_PER_MS), *[sound(piece_ms, 2_000)] * (1_000 // piece_ms))
    levels = await say(first, second)
    assert levels[:3] == [1_000] * 3
    assert levels[3:] in ([2_000] * 7, [2_000] * 8), "20 ms of its silence count"


async def test_who_is_shorter_has_nothing_to_add() -> None:
    assert await say(Voice(sound(300), BROKEN), Voice(sound(200, 2_000))) == [1_000] * 3


async def test_both_break_off() -> None:
    with pytest.raises(TextToSpeechError, match="broken"):
        await say(Voice(sound(100), BROKEN), Voice(sound(200), BROKEN))


async def test_closing_the_sound_cancels_the_voice() -> None:
    voice = Voice(sound(100), 60_000)
    speech = FailoverTextToSpeech({"a": voice}, ProviderHealth(FakeCircuitBreakers()))
    async with aclosing(speech.synthesize("Hi.", voice="v", call_id="c")) as pieces:
        await anext(pieces)
    assert (voice.script.cancelled, voice.script.running) == (1, 0)
