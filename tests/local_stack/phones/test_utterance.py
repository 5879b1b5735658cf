from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest

from local_stack.phones import g711, utterance, wav
from tests.local_stack.phones.twilio.voice_app import spoken, tone


def test_knows_where_speech_begins_and_ends() -> None:
    said = spoken(0.5, lead_s=0.1, tail_s=0.3)
    assert (said.first_loud, said.last_loud, len(said.frames)) == (5, 29, 45)
    assert said.speech_ms == 500
    assert all(len(frame) == 160 for frame in said.frames)


def test_the_noise_of_a_recording_is_not_its_speech() -> None:
    noise = np.random.default_rng(1).normal(0, 220, 16_000)
    noise[4000:8000] += tone(0.5, level=12_000)
    said = utterance.from_samples(noise.astype(np.int16), "noisy")
    assert (said.first_loud, said.last_loud) == (25, 49)


def test_silence_is_refused() -> None:
    with pytest.raises(wav.UnusableAudio, match=r"quiet\.wav: no speech"):
        utterance.from_samples(np.zeros(8000, np.int16), "quiet.wav")


def test_a_file_of_another_rate_lasts_as_long(tmp_path: Path) -> None:
    moments = np.arange(24_000) / 48_000
    samples = (9000 * np.sin(2 * np.pi * 500 * moments)).astype(np.int16)
    wav.write(tmp_path / "a.wav", samples, 48_000)
    said = utterance.from_file(tmp_path / "a.wav", "half a second")
    assert len(said.frames) == 25
    assert said.text == "half a second"


def test_a_missing_file_is_one_clear_line(tmp_path: Path) -> None:
    with pytest.raises(wav.UnusableAudio, match="No such file"):
        utterance.from_file(tmp_path / "none.wav")


def test_endless_speech_has_no_pause() -> None:
    said = utterance.without_end((spoken(0.5, tail_s=1.0), spoken(0.3)), 4.0)
    assert len(said.frames) == 200
    assert all(g711.is_audible(frame) for frame in said.frames)


def test_keys_are_pressed_five_a_second() -> None:
    said = utterance.from_digits("1#")
    assert said.digits == ((0, "1"), (10, "#"))
    assert said.frames == (g711.SILENT_FRAME,) * 20
    with pytest.raises(wav.UnusableAudio, match="keys"):
        utterance.from_digits("x")
