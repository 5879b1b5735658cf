"""What every ear does: voices are likely, silence is not, and streams do not mix."""

from __future__ import annotations

import asyncio
import json
import time
import wave
from pathlib import Path

import numpy as np
import pytest

from shared.adapters.silero.voice_activity import SileroVoiceActivityDetector
from shared.domain.audio import BYTES_PER_MS, Samples
from shared.domain.resampling import Resampler
from shared.domain.turn_taking import CHUNK_MS
from shared.ports.voice_activity import VoiceActivity, VoiceActivityDetector
from tests.fakes.models import FakeVoiceActivityDetector

_CHUNK = CHUNK_MS * BYTES_PER_MS
_VOICES = Path(__file__).parents[2] / ".local" / "voices"
_INDEX = _VOICES / "index.json"


@pytest.fixture(params=["silero", "fake"])
def detector(request: pytest.FixtureRequest) -> VoiceActivityDetector:
    return SileroVoiceActivityDetector() if request.param == "silero" else FakeVoiceActivityDetector()


def recordings() -> list[str]:
    """Recorded human voices, as set-up fetches them."""
    if not _INDEX.exists():
        return []
    return [entry["file"] for entry in json.loads(_INDEX.read_text())]


def samples_of_file(name: str) -> Samples:
    with wave.open(str(_VOICES / name)) as file:
        samples = np.frombuffer(file.readframes(file.getnframes()), dtype="<i2").astype(np.int16)
        return Resampler(file.getframerate(), 16_000).push(samples)


def chunks(samples: Samples) -> list[bytes]:
    data = samples.astype("<i2").tobytes()
    return [data[start : start + _CHUNK] for start in range(0, len(data) - _CHUNK + 1, _CHUNK)]


async def listen(ear: VoiceActivity, samples: Samples) -> list[float]:
    return [await ear.probability(chunk) for chunk in chunks(samples)]


def quiet(seconds: float = 2.0) -> Samples:
    return np.zeros(int(seconds * 16_000), dtype=np.int16)


async def test_silence_is_no_voice(detector: VoiceActivityDetector) -> None:
    assert max(await listen(detector.open(), quiet())) < 0.3


async def test_a_quiet_room_is_no_voice(detector: VoiceActivityDetector) -> None:
    noise = np.random.default_rng(1).normal(0, 60, 32_000).astype(np.int16)
    assert max(await listen(detector.open(), noise)) < 0.35


async def test_probabilities_are_probabilities(detector: VoiceActivityDetector) -> None:
    for level in (0, 1, 100, 32_767):
        loud = np.random.default_rng(level).integers(-level, level + 1, 16_000).astype(np.int16)
        assert all(0 <= probability <= 1 for probability in await listen(detector.open(), loud))


@pytest.mark.skipif(not recordings(), reason="recorded voices are fetched by make setup")
@pytest.mark.parametrize("name", recordings()[::4])
async def test_a_human_voice_is_heard_and_the_silence_after_it_too(name: str) -> None:
    ear = SileroVoiceActivityDetector().open()
    spoken = await listen(ear, samples_of_file(name))
    assert sum(probability >= 0.5 for probability in spoken) / len(spoken) > 0.4
    after = await listen(ear, quiet())
    assert max(after[10:]) < 0.35


@pytest.mark.skipif(not recordings(), reason="recorded voices are fetched by make setup")
async def test_streams_do_not_mix() -> None:
    detector = SileroVoiceActivityDetector()
    speech, silence = samples_of_file(recordings()[0]), quiet(2.8)
    alone = await listen(detector.open(), speech)
    one, other = detector.open(), detector.open()
    together, hushed = await asyncio.gather(listen(one, speech), listen(other, silence))
    assert together == pytest.approx(alone, abs=1e-4)
    assert max(hushed) < 0.3


async def test_many_streams_together_hear_what_each_hears_alone(detector: VoiceActivityDetector) -> None:
    randomness = np.random.default_rng(3)
    streams = [(2000 * randomness.normal(0, 1 + number, 16_000)).clip(-32_768, 32_767) for number in range(20)]
    sounds = [stream.astype(np.int16) for stream in streams]
    together = await asyncio.gather(*(listen(detector.open(), sound) for sound in sounds))
    for sound, heard in zip(sounds, together, strict=True):
        alone = await listen(detector.open(), sound)
        assert heard == pytest.approx(alone, abs=1e-4)


@pytest.mark.parametrize("size", [0, 2, 1023, 1022, 1026])
async def test_a_piece_of_another_size_is_an_error_of_its_own_stream_only(size: int) -> None:
    detector = SileroVoiceActivityDetector()
    whole, torn = detector.open(), detector.open()
    heard, failed = await asyncio.gather(
        whole.probability(bytes(_CHUNK)), torn.probability(bytes(size)), return_exceptions=True
    )
    assert isinstance(failed, ValueError)
    assert isinstance(heard, float)


async def test_hearing_is_much_quicker_than_speaking() -> None:
    ear = SileroVoiceActivityDetector().open()
    await listen(ear, quiet(0.5))
    began = time.process_time()
    await listen(ear, quiet(5.0))
    assert time.process_time() - began < 1.0
