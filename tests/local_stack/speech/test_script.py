"""Reading scripts, recognising recordings, and tones that carry numbers."""

from __future__ import annotations

import json
import wave
from pathlib import Path

import numpy as np
import pytest

from local_stack.speech.audio import Pcm, read_wav, to_pcm16
from local_stack.speech.scripted.recordings import Recordings
from local_stack.speech.scripted.script import DEFAULT_EXCHANGE, Latencies, ScriptError, load_script, read_script
from local_stack.speech.scripted.tones import NUMBERS, number_of, tone
from tests.local_stack.speech.conftest import scripted_service


def test_the_default_reply_has_forty_tokens_in_three_sentences() -> None:
    reply = "".join(DEFAULT_EXCHANGE.reply)
    assert len(DEFAULT_EXCHANGE.reply) == 40
    assert [len(sentence.split()) for sentence in reply.rstrip("?").split(". ")] == [12, 15, 13]


@pytest.mark.parametrize(
    ("content", "complaint"),
    [
        ("hello", "a script is"),
        ({"dialogue": [], "extra": 1}, "unknown key 'extra'"),
        ({"latencies": {"stt": 5}}, "unknown latency 'stt'"),
        ({"latencies": {"stt_ms": "5"}}, "stt_ms cannot be '5'"),
        ({"latencies": {"tts_rate_x_realtime": 0}}, "tts_rate_x_realtime cannot be 0"),
        ([{"reply": "x"}], r"dialogue\[0\] needs heard"),
        ([{"heard": "x", "answer": "y"}], "unknown key 'answer'"),
        ([{"heard": "x", "faults": {"all": "cut"}}], "keyed by"),
        ([{"heard": "x", "faults": {"stt": "fire"}}], "unknown fault 'fire'"),
    ],
)
def test_mistakes_in_scripts_are_named(content: object, complaint: str) -> None:
    with pytest.raises(ScriptError, match=complaint):
        read_script(content)


def test_scripts_come_from_files(tmp_path: Path) -> None:
    path = tmp_path / "script.json"
    path.write_text(json.dumps({"latencies": {"stt_ms": 7}, "dialogue": [{"heard": "x", "reply": ["y"]}]}))
    script = load_script(path)
    assert script.latencies == Latencies(stt_ms=7.0)
    assert script.dialogue[0].reply == ("y",)
    path.write_text("{")
    with pytest.raises(ScriptError, match=r"script\.json"):
        load_script(path)


@pytest.mark.parametrize("number", range(0, NUMBERS, 7))
@pytest.mark.parametrize("rate_hz", [8000, 16000, 24000])
def test_tones_carry_their_number(number: int, rate_hz: int) -> None:
    audio = tone(number, 24000 * 2 // 4)
    samples = (np.frombuffer(audio, "<i2") / 32768).astype(np.float32)
    assert number_of(Pcm(samples, 24000).at(rate_hz)) == number


def test_tones_are_never_silent() -> None:
    samples = np.abs(np.frombuffer(tone(3, 48000), "<i2").reshape(-1, 240)).max(axis=1)
    assert samples.min() > 1000


def test_other_sounds_carry_no_number() -> None:
    assert number_of(Pcm(np.zeros(8000, np.float32), 8000)) is None
    low = np.sin(2 * np.pi * 100 * np.arange(8000) / 8000).astype(np.float32)
    assert number_of(Pcm(low, 8000)) is None


def write_voices(folder: Path, count: int = 4) -> dict[str, Pcm]:
    """Recordings whose loudness goes up and down as speech does, each in its own way."""
    rng = np.random.default_rng(5)
    voices, index = {}, []
    for number in range(count):
        loudness = np.repeat(rng.uniform(0.02, 0.5, 30) * (rng.random(30) > 0.2), 800)
        samples = (loudness * rng.standard_normal(len(loudness)) * 0.5).astype(np.float32)
        with wave.open(str(folder / f"{number}.wav"), "wb") as out:
            out.setnchannels(1)
            out.setsampwidth(2)
            out.setframerate(8000)
            out.writeframes(to_pcm16(samples))
        voices[f"v{number}"] = read_wav((folder / f"{number}.wav").read_bytes())
        index.append({"id": f"v{number}", "file": f"{number}.wav"})
    (folder / "index.json").write_text(json.dumps(index))
    return voices


def test_recordings_are_known_when_cut_resampled_and_noisy(tmp_path: Path) -> None:
    voices = write_voices(tmp_path)
    recordings = Recordings(tmp_path)
    rng = np.random.default_rng(1)
    for name, pcm in voices.items():
        padded = np.concatenate([np.zeros(1234, np.float32), pcm.samples, np.zeros(4321, np.float32)])
        noisy = Pcm((padded + 0.001 * rng.standard_normal(len(padded))).astype(np.float32), 8000)
        cut = Pcm(pcm.samples[1500 : len(pcm.samples) * 2 // 3], 8000)
        for heard in (noisy, cut, noisy.at(16000)):
            assert recordings.recognise(heard, sorted(voices)) == name
    unknown = Pcm(rng.standard_normal(16000).astype(np.float32), 8000)
    assert recordings.recognise(unknown, sorted(voices)) is None


async def test_recordings_choose_their_turn(tmp_path: Path) -> None:
    write_voices(tmp_path)
    dialogue = [{"heard": f"Turn {number}.", "reply": "Yes.", "voice": f"v{number}"} for number in range(4)]
    async with scripted_service({"latencies": {"stt_ms": 1}, "dialogue": dialogue}, tmp_path) as service:
        for number in (2, 0, 0, 3):
            file = (tmp_path / f"{number}.wav").read_bytes()
            answer = await service.openai.audio.transcriptions.create(model="m", file=("a.wav", file))
            assert answer.text == f"Turn {number}."
