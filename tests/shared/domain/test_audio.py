"""G.711 against the standard's own arithmetic, for every code and every sample."""

from __future__ import annotations

import numpy as np
import pytest

from shared.domain import audibility, audio

_CODES = np.arange(256, dtype=np.uint8)
_SAMPLES = np.arange(-32768, 32768, dtype=np.int32)


def expanded(code: int) -> int:
    """ITU-T G.711, µ-law, written out: sign, three bits of segment, four of step, all inverted on the wire."""
    code = ~code & 0xFF
    segment, step = code >> 4 & 7, code & 15
    magnitude = ((2 * step + 33) << (segment + 2)) - 132
    return -magnitude if code & 0x80 else magnitude


def test_every_code_expands_as_the_standard_says() -> None:
    assert audio.decode_mulaw(bytes(_CODES.tobytes())).tolist() == [expanded(code) for code in range(256)]


def test_both_zeros_are_silence() -> None:
    assert audio.decode_mulaw(b"\xff\x7f").tolist() == [0, 0]
    assert audio.encode_mulaw(np.zeros(2, dtype=np.int16)) == b"\xff\xff"


def test_every_code_survives_a_round_trip() -> None:
    again = np.frombuffer(audio.encode_mulaw(audio.decode_mulaw(_CODES.tobytes())), dtype=np.uint8)
    differing = _CODES[again != _CODES].tolist()
    assert differing == [0x7F]  # the negative zero


def test_every_sample_gets_the_nearest_code_of_its_segment() -> None:
    codes = np.frombuffer(audio.encode_mulaw(_SAMPLES.astype(np.int16)), dtype=np.uint8)
    values = np.array([expanded(code) for code in range(256)])
    error = np.abs(values[codes] - np.clip(_SAMPLES, -32635, 32635))
    segment = ~codes >> 4 & 7
    assert np.all(error <= 4 << segment.astype(np.int32)), "half a step of the segment at most"
    assert np.all(np.sign(values[codes]) * np.sign(_SAMPLES) >= 0)


def test_louder_samples_never_get_quieter_codes() -> None:
    decoded = audio.decode_mulaw(audio.encode_mulaw(_SAMPLES.astype(np.int16)))
    assert np.all(np.diff(decoded.astype(np.int32)) >= 0)


def test_pcm_survives_a_round_trip() -> None:
    samples = _SAMPLES.astype(np.int16)
    pcm = audio.bytes_of(samples)
    assert pcm[:4] == b"\x00\x80\x01\x80"
    assert np.array_equal(audio.samples_of(pcm), samples)


def test_a_torn_last_byte_is_dropped() -> None:
    assert audio.samples_of(b"\x01\x00\x02").tolist() == [1]
    assert audio.samples_of(b"\x01").tolist() == []


def test_samples_are_clipped_and_rounded() -> None:
    pcm = audio.bytes_of(np.array([40_000.0, -40_000.0, 1.5, -0.4]))
    assert audio.samples_of(pcm).tolist() == [32767, -32768, 2, 0]


@pytest.mark.parametrize(("size", "expected_ms"), [(0, 0), (32, 1), (640, 20), (48, 1.5)])
def test_duration(size: int, expected_ms: float) -> None:
    assert audio.duration_ms(bytes(size)) == expected_ms


@pytest.mark.parametrize("cut_bytes", [2, 320, 1024, 100_000])
def test_the_silence_before_the_first_sound_is_taken_off(cut_bytes: int) -> None:
    hiss = np.full(4_800, 150, dtype="<i2")
    voice = np.full(1_600, 5_000, dtype="<i2")
    pause = np.zeros(1_600, dtype="<i2")
    stream = np.concatenate([hiss, voice, pause, voice]).tobytes()
    trim = audibility.OnsetTrim()
    kept = b"".join(trim.push(stream[at : at + cut_bytes]) for at in range(0, len(stream), cut_bytes))
    assert kept == np.concatenate([hiss[-320:], voice, pause, voice]).tobytes()


def test_of_silence_nothing_is_left() -> None:
    trim = audibility.OnsetTrim()
    assert [trim.push(bytes(3_200)) for _ in range(5)] == [b""] * 5
