"""Sound that comes in torn pieces, with a header or without, is the same sound."""

from __future__ import annotations

import io
import itertools
import wave

import pytest
from hypothesis import given
from hypothesis import strategies as st

from shared.adapters.sarvam.spoken_audio import SpokenAudio


def wav(pcm: bytes) -> bytes:
    file = io.BytesIO()
    with wave.open(file, "wb") as writer:
        writer.setnchannels(1)
        writer.setsampwidth(2)
        writer.setframerate(16_000)
        writer.writeframes(pcm)
    return file.getvalue()


def pushed(sent: bytes, cuts: list[int]) -> list[bytes]:
    audio, edges = SpokenAudio(), [0, *sorted(min(cut, len(sent)) for cut in cuts), len(sent)]
    return [audio.push(sent[begin:end]) for begin, end in itertools.pairwise(edges)]


@pytest.mark.parametrize("has_header", [False, True])
@given(samples=st.binary(max_size=300), cuts=st.lists(st.integers(0, 400), max_size=10))
def test_however_it_is_torn_it_is_whole(has_header: bool, samples: bytes, cuts: list[int]) -> None:
    pcm = b"\x01\x00" + samples + samples
    pieces = pushed(wav(pcm) if has_header else pcm, cuts)
    assert b"".join(pieces) == pcm
    assert all(len(piece) % 2 == 0 for piece in pieces)


@given(junk=st.binary(max_size=200), begin=st.sampled_from([b"", b"RIFF", b"RIFFdata", b"RIF"]))
def test_nothing_breaks_it(junk: bytes, begin: bytes) -> None:
    assert len(b"".join(pushed(begin + junk, [1, 5, 9]))) % 2 == 0


def test_a_header_without_end_is_given_up() -> None:
    sent = b"RIFF" + b"\x07" * 5_000
    assert b"".join(pushed(sent, [4_200])) == sent
