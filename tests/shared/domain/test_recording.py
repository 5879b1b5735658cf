"""The recording is a WAV that any player opens, with both sides at their places."""

from __future__ import annotations

import io
import wave

import numpy as np
from hypothesis import given
from hypothesis import strategies as st

from shared.domain.audio import BYTES_PER_MS
from shared.domain.recording import stereo_wav


def sound(duration_ms: int, level: int) -> bytes:
    return np.full(duration_ms * 16, level, dtype="<i2").tobytes()


def opened(data: bytes) -> np.ndarray:
    with wave.open(io.BytesIO(data)) as wav:
        assert (wav.getnchannels(), wav.getsampwidth(), wav.getframerate()) == (2, 2, 16_000)
        return np.frombuffer(wav.readframes(wav.getnframes()), dtype="<i2").reshape(-1, 2)


def test_caller_left_agent_right() -> None:
    data, duration_ms = stereo_wav([(0, sound(10, 100)), (10, sound(10, 200))], [(15, sound(20, -300))])
    track = opened(data)
    assert duration_ms == 35
    assert len(track) == 35 * 16
    assert set(track[: 10 * 16, 0]) == {100}
    assert set(track[10 * 16 : 20 * 16, 0]) == {200}
    assert set(track[20 * 16 :, 0]) == {0}
    assert set(track[: 15 * 16, 1]) == {0}
    assert set(track[15 * 16 :, 1]) == {-300}


def test_of_an_overlap_the_later_piece_stands() -> None:
    track = opened(stereo_wav([(0, sound(20, 1)), (10, sound(20, 2))], [])[0])
    assert track[9 * 16, 0] == 1
    assert set(track[10 * 16 :, 0]) == {2}


def test_nothing_at_all_is_an_empty_wav() -> None:
    data, duration_ms = stereo_wav([], [])
    assert (duration_ms, len(opened(data))) == (0, 0)


def test_one_side_alone() -> None:
    track = opened(stereo_wav([], [(5, sound(5, 9))])[0])
    assert len(track) == 10 * 16
    assert not track[:, 0].any()


@given(st.lists(st.tuples(st.integers(0, 500), st.binary(max_size=700)), max_size=8))
def test_pieces_of_any_size_at_any_place(pieces: list[tuple[int, bytes]]) -> None:
    data, duration_ms = stereo_wav(pieces, [])
    assert len(opened(data)) == duration_ms * 16
    assert duration_ms == max((at + len(pcm) // BYTES_PER_MS for at, pcm in pieces), default=0)
