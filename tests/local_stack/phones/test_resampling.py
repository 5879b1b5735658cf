from __future__ import annotations

import numpy as np
import pytest

from local_stack.phones.resampling import resample, telephone_band, to_telephone


def sine(hz: float, rate_hz: int, seconds: float = 1.0) -> np.ndarray:
    return 0.5 * np.sin(2 * np.pi * hz * np.arange(round(seconds * rate_hz)) / rate_hz)


def level(samples: np.ndarray) -> float:
    middle = samples[len(samples) // 4 : -len(samples) // 4]
    return float(np.sqrt((middle**2).mean()) / (0.5 / np.sqrt(2)))


@pytest.mark.parametrize("rate_hz", [8000, 11_025, 16_000, 22_050, 24_000, 44_100, 48_000])
def test_a_voice_keeps_pitch_length_and_phase(rate_hz: int) -> None:
    out = resample(sine(1000, rate_hz), rate_hz, 8000)
    assert len(out) == 8000
    assert np.abs(out - sine(1000, 8000))[200:-200].max() < 0.002


@pytest.mark.parametrize("rate_hz", [16_000, 44_100])
def test_what_the_lower_rate_cannot_carry_does_not_fold_back(rate_hz: int) -> None:
    assert level(resample(sine(5000, rate_hz), rate_hz, 8000)) < 0.001


def test_raising_the_rate_adds_no_image() -> None:
    spectrum = np.abs(np.fft.rfft(resample(sine(1000, 6000), 6000, 8000)[1000:-1000] * np.hanning(6000)))
    assert spectrum[2500:].max() / spectrum.max() < 0.001


def test_only_the_telephone_band_passes() -> None:
    assert level(telephone_band(sine(60, 8000))) < 0.05
    assert level(telephone_band(sine(1000, 8000))) == pytest.approx(1, abs=0.01)
    assert level(telephone_band(sine(3000, 8000))) == pytest.approx(1, abs=0.02)
    assert level(telephone_band(sine(3800, 8000))) < 0.01


def test_too_loud_is_cut_off_and_does_not_wrap_around() -> None:
    samples = to_telephone(3 * sine(1000, 8000), 8000)
    assert samples.max() == 32767
    assert samples.min() == -32768
