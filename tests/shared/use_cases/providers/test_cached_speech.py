"""What was said before is not made again; what was not said whole is not kept."""

from __future__ import annotations

import asyncio
from contextlib import aclosing

import pytest

from shared.domain.audio import BYTES_PER_MS
from shared.domain.errors import TextToSpeechError
from shared.ports.text_to_speech import TextToSpeech
from shared.use_cases.providers.cached_speech import CachedSpeech, KeepingSpeech, sound_key
from shared.use_cases.providers.joined_sound_cache import JoinedSoundCache, MemorySoundCache, Stage
from tests.fakes.clock import FakeClock
from tests.fakes.models import FakeTextToSpeech
from tests.fakes.sound_cache import FakeSoundCache

TEXT = "One moment please."


class SlowSoundCache(FakeSoundCache):
    """Needs `delay_s` for everything."""

    def __init__(self, delay_s: float) -> None:
        super().__init__()
        self.delay_s = delay_s

    async def get(self, key: str) -> bytes | None:
        await asyncio.sleep(self.delay_s)
        return await super().get(key)


def cached(speech: TextToSpeech, cache: FakeSoundCache, kept_from: int = 1) -> CachedSpeech:
    kept = KeepingSpeech(speech, cache, maker="m", kept_from=kept_from)
    return CachedSpeech(kept, cache, maker="m")


async def say(speech: TextToSpeech, text: str = TEXT, voice: str = "v") -> bytes:
    async with aclosing(speech.synthesize(text, voice=voice, call_id="c")) as pieces:
        pcm = b"".join([piece async for piece in pieces])
    await asyncio.sleep(0)  # it is kept once it is given
    return pcm


async def test_the_second_time_it_is_not_made() -> None:
    voice, cache = FakeTextToSpeech(FakeClock()), FakeSoundCache()
    speech = cached(voice, cache)
    first = await say(speech)
    began = asyncio.get_running_loop().time()
    assert await say(speech) == first == voice.sound_of(TEXT)
    assert asyncio.get_running_loop().time() == began
    assert await say(speech, "  One moment\nplease. ") == first
    assert voice.said == [TEXT]
    assert not cache.lasting


async def test_what_is_said_once_is_not_kept() -> None:
    voice, cache = FakeTextToSpeech(FakeClock()), FakeSoundCache()
    speech = cached(voice, cache, kept_from=2)
    for times in (1, 2, 2, 2):
        await say(speech)
        assert len(voice.said) == times
    assert len(cache.sounds) == 1


@pytest.mark.parametrize(
    "other", [{"text": "One moment."}, {"voice": "w"}, {"maker": "n"}, {"text": TEXT.upper()}, {"text": TEXT + "!"}]
)
def test_keys_differ_with_all_that_is_heard(other: dict[str, str]) -> None:
    how = {"text": TEXT, "voice": "v", "maker": "m"}
    assert sound_key(**how) != sound_key(**how | other)


async def test_another_voice_is_another_sound() -> None:
    voice, cache = FakeTextToSpeech(FakeClock()), FakeSoundCache()
    speech = cached(voice, cache)
    await say(speech, voice="a")
    await say(speech, voice="b")
    assert voice.voices == ["a", "b"]


@pytest.mark.parametrize(("length", "kept"), [(200, 1), (201, 0)])
async def test_long_sentences_are_not_kept(length: int, kept: int) -> None:
    cache = FakeSoundCache()
    await say(cached(FakeTextToSpeech(FakeClock()), cache), "x" * length)
    assert (len(cache.sounds), len(cache.asked)) == (kept, kept)


async def test_what_breaks_off_is_not_kept() -> None:
    voice, cache = FakeTextToSpeech(FakeClock()), FakeSoundCache()
    voice.errors[TEXT], voice.error_after_ms = TextToSpeechError("cut", "broke off"), 300
    with pytest.raises(TextToSpeechError):
        await say(cached(voice, cache))
    async with aclosing(
        cached(FakeTextToSpeech(FakeClock()), cache).synthesize(TEXT, voice="v", call_id="c")
    ) as some:
        await anext(some)
    await asyncio.sleep(0)
    assert not cache.sounds


async def test_silence_is_not_kept_and_none_of_it_before_the_sound() -> None:
    class Silent(FakeTextToSpeech):
        def sound_of(self, text: str) -> bytes:
            return bytes(64_000)

    cache, voice = FakeSoundCache(), FakeTextToSpeech(FakeClock())
    await say(cached(Silent(FakeClock()), cache))
    assert not cache.sounds
    voice.silence_ms = 300
    await say(cached(voice, cache))
    assert len(next(iter(cache.sounds.values()))) == len(voice.sound_of(TEXT)) + 20 * BYTES_PER_MS


async def test_several_at_once() -> None:
    voice, cache = FakeTextToSpeech(FakeClock()), FakeSoundCache()
    speech = cached(voice, cache)
    assert len(set(await asyncio.gather(*(say(speech) for _ in range(3))))) == 1
    assert len(cache.sounds) == 1


async def test_a_cache_that_is_late_has_nothing() -> None:
    slow, far = SlowSoundCache(0.5), FakeSoundCache()
    joined = JoinedSoundCache([Stage(slow, 0.03), Stage(far, 0.3)], lasting_hits=False)
    await slow.put("k", b"near", lasting=False)
    assert await joined.get("k") is None
    assert asyncio.get_running_loop().time() == pytest.approx(0.03)
    far.sounds["k"] = b"far"
    assert await joined.get("k") == b"far"


@pytest.mark.parametrize("lasting", [False, True])
async def test_what_a_later_stage_has_is_nearer_the_next_time(lasting: bool) -> None:
    memory, redis, blob = MemorySoundCache(), FakeSoundCache(), FakeSoundCache()
    joined = JoinedSoundCache([Stage(memory, 1), Stage(redis, 1), Stage(blob, 1)], lasting_hits=lasting)
    blob.sounds["k"] = b"far"
    assert await joined.get("k") == b"far"
    await asyncio.sleep(0)
    assert redis.sounds == {"k": b"far"}
    assert (await memory.get("k") is not None) == (redis.lasting == {"k"}) == lasting
    blob.sounds.clear()
    assert await joined.get("k") == b"far"
    assert await joined.get("other") is None


async def test_what_is_put_is_put_everywhere() -> None:
    stages = [FakeSoundCache(), FakeSoundCache()]
    joined = JoinedSoundCache([Stage(stage, 1) for stage in stages], lasting_hits=True)
    stages[0].down = True
    await joined.put("k", b"x", lasting=True)
    assert [stage.lasting for stage in stages] == [set(), {"k"}]


async def test_memory_forgets_what_was_not_needed_for_long() -> None:
    memory = MemorySoundCache(limit_bytes=10)
    for key in "abc":
        await memory.put(key, b"1234", lasting=True)
        await memory.get("a")
        await memory.put("a", b"1234", lasting=True)
    assert [await memory.get(key) for key in "abc"] == [b"1234", None, b"1234"]
    await memory.put("d", bytes(11), lasting=True)
    assert [await memory.get(key) for key in "acd"] == [None] * 3
    await memory.put("e", b"1", lasting=False)
    assert await memory.get("e") is None
