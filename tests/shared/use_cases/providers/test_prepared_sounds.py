"""What is said in need is there before the need, in the agent's voice, and never the same twice in a row."""

from __future__ import annotations

import asyncio
from collections import Counter
from dataclasses import replace
from itertools import pairwise

import pytest

from shared.domain.audio import samples_of
from shared.domain.call import Agent
from shared.domain.errors import TextToSpeechError
from shared.domain.fillers import apology_of, fillers_of
from shared.domain.gentle_tone import gentle_tone
from shared.domain.manner import Manner
from shared.use_cases.providers.cached_speech import CachedSpeech
from shared.use_cases.providers.prepared_sounds import PreparedSounds
from tests.fakes.clock import FakeClock
from tests.fakes.live_calls import FakeLiveCalls
from tests.fakes.models import FakeTextToSpeech
from tests.fakes.sound_cache import FakeSoundCache

AGENT = Agent(
    agent_id="nora",
    tenant_id="t",
    name="Nora",
    persona="You are Nora.",
    greeting="Hello, this is Nora.",
    voice="bright",
)


class House:
    """The sounds of a worker."""

    def __init__(self) -> None:
        self.voice, self.cache = FakeTextToSpeech(FakeClock()), FakeSoundCache()
        self.live_calls = FakeLiveCalls(FakeClock())
        self.sounds = PreparedSounds(self.voice, self.cache, self.live_calls, maker="m")


@pytest.fixture
def house() -> House:
    return House()


def with_manner(**manner: object) -> Agent:
    return replace(AGENT, manner=Manner(**manner))  # type: ignore[arg-type]


async def test_all_is_made_once_in_the_agents_voice(house: House) -> None:
    await house.sounds.warm(AGENT)
    assert sorted(house.voice.said) == sorted([apology_of(AGENT), *fillers_of(AGENT), AGENT.greeting])
    assert set(house.voice.voices) == {"bright"}
    assert len(house.cache.lasting) == len(house.voice.said)
    await house.sounds.warm(AGENT)
    assert len(house.voice.said) == len(house.cache.lasting)


async def test_it_is_made_quietly(house: House) -> None:
    """One after the other, also for several calls at once, and not while the call begins."""
    at_s: list[float] = []

    class Noting(FakeTextToSpeech):
        async def synthesize(self, *args, **kwargs):  # type: ignore[no-untyped-def, override]
            at_s.append(asyncio.get_running_loop().time())
            async for piece in super().synthesize(*args, **kwargs):
                yield piece

    sounds = PreparedSounds(Noting(FakeClock(), delay_ms=40), house.cache, house.live_calls, maker="m")
    await asyncio.gather(*(sounds.warm(AGENT) for _ in range(3)))
    assert len(at_s) == len(fillers_of(AGENT)) + 2
    assert all(later - earlier >= 0.5 for earlier, later in pairwise([0.0, *at_s]))


async def test_the_greeting_is_found_by_whoever_speaks(house: House) -> None:
    await house.sounds.warm(AGENT)
    house.voice.said.clear()
    speech = CachedSpeech(house.voice, house.cache, maker="m")
    assert b"".join([piece async for piece in speech.synthesize(AGENT.greeting, voice=AGENT.voice, call_id="c")])
    assert not house.voice.said


async def test_a_provider_that_fails_is_left_alone(house: House, caplog: pytest.LogCaptureFixture) -> None:
    second = fillers_of(AGENT)[1]
    house.voice.errors[second] = TextToSpeechError("down", "not there")
    await house.sounds.warm(AGENT)
    assert house.voice.said[-1] == second
    assert "a sound was not prepared: down" in caplog.text
    house.voice.errors.clear()
    await house.sounds.warm(AGENT)
    assert Counter(house.voice.said)[apology_of(AGENT)] == 1
    assert len(house.cache.sounds) == len(fillers_of(AGENT)) + 2


async def test_silence_is_not_prepared(house: House) -> None:
    house.voice.sound_of = lambda text: bytes(64_000)  # type: ignore[method-assign]
    await house.sounds.warm(AGENT)
    assert (len(house.voice.said), house.cache.sounds) == (1, {})


@pytest.mark.parametrize("call_id", ["a", "b", "c", "d"])
async def test_every_filler_comes_before_any_comes_again(house: House, call_id: str) -> None:
    await house.sounds.warm(AGENT)
    count = len(fillers_of(AGENT))
    given = [await house.sounds.filler(AGENT, call_id) for _ in range(3 * count)]
    texts = [filler.text for filler in given if filler]
    for start in range(0, len(texts), count):
        assert sorted(texts[start : start + count]) == sorted(fillers_of(AGENT))
    assert all(one != other for one, other in pairwise(texts))
    assert given[0] is not None
    assert given[0].pcm == house.voice.sound_of(given[0].text)


async def test_calls_begin_with_different_fillers(house: House) -> None:
    await house.sounds.warm(AGENT)
    first = {(await house.sounds.filler(AGENT, f"call-{number}")).text for number in range(40)}  # type: ignore[union-attr]
    assert first == set(fillers_of(AGENT))


async def test_the_only_filler_comes_once(house: House) -> None:
    agent = with_manner(fillers=("Well.",))
    await house.sounds.warm(agent)
    assert [bool(await house.sounds.filler(agent, "c")) for _ in range(3)] == [True, False, False]


async def test_what_is_not_prepared_is_passed_over(house: House) -> None:
    await house.sounds.warm(with_manner(fillers=("Two.",)))
    agent = with_manner(fillers=("One.", "Two.", "Three."))
    given = await house.sounds.filler(agent, "c")
    assert given is not None
    assert given.text == "Two."


async def test_no_filler_is_better_than_a_wait_or_an_error(house: House) -> None:
    assert await house.sounds.filler(AGENT, "c") is None
    await house.sounds.warm(AGENT)
    house.live_calls.down = True
    assert await house.sounds.filler(AGENT, "c") is None
    assert await house.sounds.filler(replace(AGENT, language="xx"), "c") is None


async def test_the_apology_is_a_sentence_or_a_tone(house: House) -> None:
    assert (await house.sounds.apology(AGENT)).text == ""
    assert (await house.sounds.apology(AGENT)).pcm == gentle_tone()
    await house.sounds.warm(AGENT)
    assert (await house.sounds.apology(AGENT)).text == apology_of(AGENT)
    assert (await house.sounds.apology(AGENT)).pcm == house.voice.sound_of(apology_of(AGENT))
    assert house.voice.said.count(apology_of(AGENT)) == 1


async def test_a_cache_that_hangs_does_not_hang_us(house: House) -> None:
    class Hanging(FakeSoundCache):
        async def get(self, key: str) -> bytes | None:
            await asyncio.sleep(60)
            return None

    sounds = PreparedSounds(house.voice, Hanging(), house.live_calls, maker="m")
    assert (await sounds.apology(AGENT)).text == ""
    assert await sounds.filler(AGENT, "c") is None
    assert asyncio.get_running_loop().time() < 1.0


def test_the_tone_is_soft_and_short() -> None:
    samples = samples_of(gentle_tone())
    assert 0.4 < len(samples) / 16_000 < 0.8
    assert 1_000 < abs(samples.astype(int)).max() < 8_000
    assert abs(int(samples[0])) < 50
    assert abs(int(samples[-1])) < 50


@pytest.mark.parametrize("language", ["en", "hi", "mr", "bn", "ta", "te", "es", "fr", "de", "it", "pt", "nl"])
def test_every_language_has_its_own_words(language: str) -> None:
    agent = replace(AGENT, language=f"{language}-XX")
    phrases = fillers_of(agent)
    assert len(set(phrases)) == len(phrases) >= 3
    assert all(len(phrase) < 40 for phrase in phrases)
    assert language == "en" or apology_of(agent) != apology_of(AGENT)


def test_an_unknown_language_has_no_fillers_and_the_english_apology() -> None:
    agent = replace(AGENT, language="xx")
    assert (fillers_of(agent), apology_of(agent)) == ((), apology_of(AGENT))
    assert fillers_of(replace(agent, manner=Manner(fillers=("Hop.",)))) == ("Hop.",)


async def test_a_call_does_not_wait_for_what_is_prepared(house: House) -> None:
    house.sounds.prepare(AGENT)
    assert not house.voice.said
    await asyncio.sleep(60)
    assert len(house.cache.lasting) == len(fillers_of(AGENT)) + 2
