"""A stream changes its rate: the same however it is cut, clean, and of the right length."""

from __future__ import annotations

import numpy as np
import numpy.typing as npt
import pytest
from hypothesis import given
from hypothesis import strategies as st

from shared.domain.audio import Samples
from shared.domain.resampling import DOUBLING_TAPS, Resampler, doubled

RATES = [(8_000, 16_000), (16_000, 8_000), (24_000, 16_000), (16_000, 24_000), (44_100, 16_000), (48_000, 16_000)]
_DELAY_MS = 2.0


def tone(hz: float, rate_hz: int, seconds: float = 1.0, loudness: float = 10_000) -> Samples:
    time = np.arange(int(rate_hz * seconds)) / rate_hz
    return (loudness * np.sin(2 * np.pi * hz * time)).astype(np.int16)


def resample(samples: Samples, from_hz: int, to_hz: int, cuts: list[int] | None = None) -> Samples:
    resampler = Resampler(from_hz, to_hz)
    pieces = [resampler.push(piece) for piece in np.split(samples, cuts or [])]
    return np.concatenate([*pieces, resampler.flush()])


def loudness_at(samples: npt.NDArray[np.int16], hz: float, rate_hz: int) -> float:
    """Amplitude of one frequency, from the middle of the signal."""
    middle = samples[len(samples) // 10 : -len(samples) // 10].astype(float)
    time = np.arange(len(middle)) / rate_hz
    window = np.hanning(len(middle))
    return float(2 * abs(np.sum(middle * window * np.exp(-2j * np.pi * hz * time))) / np.sum(window))


@given(st.sampled_from(RATES), st.lists(st.integers(0, 400), max_size=40), st.integers(0, 2**32 - 1))
def test_however_it_is_cut_it_sounds_the_same(rates: tuple[int, int], cuts: list[int], seed: int) -> None:
    samples = np.random.default_rng(seed).integers(-20_000, 20_000, 400).astype(np.int16)
    assert np.array_equal(resample(samples, *rates, sorted(cuts)), resample(samples, *rates))


@given(st.lists(st.integers(1, 400), min_size=1, max_size=8), st.integers(0, 2**32 - 1))
def test_who_keeps_the_stream_doubles_any_stretch_of_it(sizes: list[int], seed: int) -> None:
    before = DOUBLING_TAPS - 1
    samples = np.random.default_rng(seed).integers(-32_768, 32_767, sum(sizes), endpoint=True).astype(np.int16)
    stream = np.concatenate([np.zeros(before), samples]).astype(np.float32)
    ends = np.cumsum(sizes) + before
    pieces = [doubled(stream[end - size - before : end]) for end, size in zip(ends, sizes, strict=True)]
    assert np.array_equal(np.concatenate(pieces), Resampler(8_000, 16_000).push(samples))


@given(st.sampled_from(RATES), st.integers(0, 1000))
def test_length(rates: tuple[int, int], count: int) -> None:
    from_hz, to_hz = rates
    length = len(resample(np.ones(count, dtype=np.int16), from_hz, to_hz))
    expected = count * to_hz / from_hz
    assert expected - 1 <= length <= expected + to_hz * _DELAY_MS / 1000


@pytest.mark.parametrize("rates", RATES)
@pytest.mark.parametrize("hz", [200.0, 1000.0, 2900.0])
def test_a_tone_of_speech_survives(rates: tuple[int, int], hz: float) -> None:
    from_hz, to_hz = rates
    out = resample(tone(hz, from_hz), from_hz, to_hz)
    assert loudness_at(out, hz, to_hz) == pytest.approx(10_000, rel=0.03)


@pytest.mark.parametrize(
    ("from_hz", "to_hz", "hz"), [(16_000, 8_000, 5_500.0), (24_000, 16_000, 10_500.0), (48_000, 16_000, 15_000.0)]
)
def test_what_the_new_rate_cannot_carry_is_not_folded_back(from_hz: int, to_hz: int, hz: float) -> None:
    out = resample(tone(hz, from_hz), from_hz, to_hz)
    assert loudness_at(out, to_hz - hz, to_hz) < 60  # 45 dB below


def test_no_image_above_the_old_rate() -> None:
    out = resample(tone(3_000, 8_000), 8_000, 16_000)
    assert loudness_at(out, 5_000, 16_000) < 60


@pytest.mark.parametrize("rates", RATES)
def test_a_level_stays_a_level(rates: tuple[int, int]) -> None:
    out = resample(np.full(2_000, 12_345, dtype=np.int16), *rates)
    middle = out[len(out) // 4 : -len(out) // 4]
    assert set(middle.tolist()) <= {12_344, 12_345, 12_346}


def test_the_loudest_square_is_clipped_not_wrapped() -> None:
    square = np.where(np.arange(800) // 20 % 2, 32_767, -32_768).astype(np.int16)
    out = resample(square, 8_000, 16_000)
    assert np.sum(np.abs(np.diff(out.astype(np.int32))) > 60_000) <= 2 * 40


def test_the_same_rate_changes_nothing() -> None:
    samples = tone(440, 16_000, 0.1)
    assert np.array_equal(resample(samples, 16_000, 16_000, [7, 100]), samples)


def test_the_delay_is_about_a_millisecond() -> None:
    click = np.zeros(800, dtype=np.int16)
    click[400] = 20_000
    peak = int(np.argmax(resample(click, 8_000, 16_000)))
    assert 0 <= peak - 800 <= 16 * _DELAY_MS
