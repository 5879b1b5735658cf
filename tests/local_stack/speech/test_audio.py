"""WAV and sample rates at the border."""

from __future__ import annotations

import numpy as np
import pytest

from local_stack.speech.audio import AudioError, Pcm, read_wav, to_pcm16, wav_header
from tests.local_stack.speech.conftest import wav


@pytest.mark.parametrize("rate_hz", [8000, 16000, 22050, 24000, 44100, 48000])
@pytest.mark.parametrize("channels", [1, 2])
def test_reads_any_rate_and_mixes_channels(rate_hz: int, channels: int) -> None:
    pcm = read_wav(wav(0.5, rate_hz, channels))
    assert pcm.rate_hz == rate_hz
    assert pcm.seconds == pytest.approx(0.5, abs=0.001)
    assert np.abs(pcm.samples).max() == pytest.approx(8000 / 32768, rel=0.02)


def test_reads_a_streamed_file_whose_header_tells_no_length() -> None:
    data = np.arange(100, dtype="<i2").tobytes()
    pcm = read_wav(wav_header(16000) + data)
    assert len(pcm.samples) == 100


def test_skips_chunks_that_it_does_not_know() -> None:
    plain = wav(0.1)
    extra = b"LIST" + (5).to_bytes(4, "little") + b"abcde\0"
    assert len(read_wav(plain[:12] + extra + plain[12:]).samples) == 800


@pytest.mark.parametrize(
    ("content", "complaint"),
    [
        (b"", "not a WAV"),
        (b"ID3" + bytes(40), "not a WAV"),
        (wav_header(8000)[:36], "without data"),
        (wav_header(8000)[:34] + b"\x08\0" + wav_header(8000)[36:] + b"\0\0", "16-bit"),
        (wav_header(100) + b"\0\0", "out of range"),
    ],
)
def test_says_what_is_wrong(content: bytes, complaint: str) -> None:
    with pytest.raises(AudioError, match=complaint):
        read_wav(content)


@pytest.mark.parametrize(("source_hz", "target_hz"), [(8000, 16000), (44100, 16000), (48000, 8000)])
def test_resampling_keeps_pitch_loudness_and_length(source_hz: int, target_hz: int) -> None:
    pcm = read_wav(wav(1.0, source_hz)).at(target_hz)
    assert len(pcm.samples) == target_hz
    spectrum = np.abs(np.fft.rfft(pcm.samples))
    assert int(spectrum.argmax()) == 300
    assert np.abs(pcm.samples).max() == pytest.approx(8000 / 32768, rel=0.05)


def test_clips_what_is_too_loud() -> None:
    assert np.frombuffer(to_pcm16(np.array([2.0, -2.0, 0.0], np.float32)), "<i2").tolist() == [32767, -32767, 0]


def test_nothing_stays_nothing() -> None:
    assert len(Pcm(np.zeros(0, np.float32), 8000).at(16000).samples) == 0
