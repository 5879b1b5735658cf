from __future__ import annotations

import numpy as np
import pytest

from local_stack.phones import g711


@pytest.mark.parametrize(
    ("code", "sample"),
    [(0xFF, 0), (0x7F, 0), (0x80, 32124), (0x00, -32124), (0xFE, 8), (0x7E, -8), (0xEF, 132), (0xF0, 120)],
)
def test_bytes_stand_for_the_samples_of_the_standard(code: int, sample: int) -> None:
    assert g711.decode(bytes([code]))[0] == sample


def test_every_byte_but_the_second_zero_survives_a_round_trip() -> None:
    codes = bytes(range(256))
    again = g711.encode(g711.decode(codes))
    assert [a for a, b in zip(codes, again, strict=True) if a != b] == [0x7F]


def test_every_sample_comes_back_within_its_step() -> None:
    samples = np.arange(-32768, 32768).astype(np.int16)
    error = np.abs(g711.decode(g711.encode(samples)).astype(int) - np.clip(samples.astype(int), -32635, 32635))
    allowed = np.maximum(8, np.abs(samples.astype(int)) // 16)
    assert (error <= allowed).all()


def test_loudness_tells_silence_from_a_voice() -> None:
    assert not g711.is_audible(g711.SILENT_FRAME)
    assert not g711.is_audible(b"")
    assert not g711.is_audible(g711.encode(np.full(160, 40, np.int16)))
    assert g711.is_audible(g711.encode(np.full(160, 1000, np.int16)))
    assert g711.rms(g711.encode(np.full(160, -1000, np.int16))) == pytest.approx(1000, rel=0.03)
