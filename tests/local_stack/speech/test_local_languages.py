"""Which languages the service speaks and hears with its own models, and what it says to all others."""

from __future__ import annotations

import asyncio
import json
import logging
import time
from pathlib import Path

import httpx
import numpy as np
import pytest
from aiohttp import ClientSession
from openai import BadRequestError

from local_stack.speech.audio import Pcm
from local_stack.speech.errors import ApiError
from local_stack.speech.hearing import check_language
from local_stack.speech.local.espeak_voice import EspeakVoice, language_of
from local_stack.speech.local.loading import LocalTranscriber, _voices_of_india
from local_stack.speech.scripted.answers import ScriptedTranscriber
from tests.local_stack.models.fetched import fetched_state_dir
from tests.local_stack.speech.conftest import LocalService, wav
from tests.local_stack.speech.test_local_service import as_wav, transcribe

SENTENCES = {
    "hi": "आपका बिल एक लाख पच्चीस हज़ार रुपये है।",
    "bn": "আপনার বিল এক হাজার পাঁচশো টাকা।",
    "gu": "તમારું બિલ એક હજાર રૂપિયા છે.",
    "ta": "உங்கள் கட்டணம் ஆயிரம் ரூபாய்.",
    "te": "మీ బిల్లు వెయ్యి రూపాయలు.",
    "kn": "ನಿಮ್ಮ ಬಿಲ್ ಸಾವಿರ ರೂಪಾಯಿ.",
    "ml": "നിങ്ങളുടെ ബിൽ ആയിരം രൂപയാണ്.",
}
LONGEST_OF_ITS_LENGTH = 0.7
"""A voice that takes longer for a sentence than this share of it keeps callers waiting."""


@pytest.fixture(scope="module")
def voice() -> EspeakVoice:
    return EspeakVoice(fetched_state_dir() / "models" / "espeak")


@pytest.mark.parametrize(("language", "text"), SENTENCES.items())
def test_a_sentence_is_spoken_in_good_time_and_at_a_pace_that_can_be_followed(
    voice: EspeakVoice, language: str, text: str
) -> None:
    assert language_of(text) == language
    began_s = time.monotonic()
    sound = voice.synthesize(text, 1.0)
    taken_s, length_s = time.monotonic() - began_s, len(sound) / 48_000
    assert taken_s < length_s * LONGEST_OF_ITS_LENGTH
    assert 5 < len(text) / length_s < 30, "characters a second"
    level = np.sqrt(np.square(np.frombuffer(sound, "<i2") / 32768).mean())
    assert 0.02 < level < 0.1
    assert len(voice.synthesize(text, 2.0)) < len(sound) * 0.7


def test_sentences_are_made_one_by_one_and_only_for_letters_of_india(voice: EspeakVoice) -> None:
    assert voice.pieces("नमस्ते। आप कैसे हैं? ठीक।") == ["नमस्ते।", "आप कैसे हैं?", "ठीक।"]
    assert voice.reads("मेरा order")
    assert not voice.reads("Order 12, 你好")
    assert not np.frombuffer(voice.synthesize("", 1.0), "<i2").any()


@pytest.mark.slow
def test_hindi_sounds_like_hindi_and_english_words_in_it_like_english(local_service: LocalService) -> None:
    """An ear that knows English only writes down what is near to it."""
    heard = [
        _heard(local_service, text).lower()
        for text in ("नमस्ते, मैं आपकी कैसे मदद कर सकती हूँ?", "आपका order number एक दो है।")
    ]
    assert "namaste" in heard[0]
    assert "number" in heard[1]


@pytest.mark.slow
def test_letters_that_no_voice_reads_are_refused(local_service: LocalService) -> None:
    with pytest.raises(BadRequestError, match="no voice here reads Cjk letters") as refused:
        _spoken(local_service, "你好。")
    assert refused.value.code == "letters_not_read"
    assert len(_spoken(local_service, "…")) < 48_000, "nothing but a mark is no fault"


async def test_without_a_voice_for_them_letters_of_india_are_refused_too(
    tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    with caplog.at_level(logging.WARNING):
        assert _voices_of_india(tmp_path) == []
    assert "no voice for languages of India" in caplog.text
    (tmp_path / "libespeak-ng.so").write_bytes(b"of another machine")
    assert _voices_of_india(tmp_path) == []


@pytest.mark.slow
def test_a_recording_in_a_language_that_is_not_heard_is_refused(local_service: LocalService) -> None:
    with pytest.raises(BadRequestError, match="hears en only, not hi: that needs a provider's model") as refused:
        local_service.openai.audio.transcriptions.create(model="stt", file=("a.wav", wav()), language="hi")
    assert refused.value.code == "language_not_heard"
    answers = [
        httpx.post(
            f"{local_service.url}/sarvam/speech-to-text",
            headers={"api-subscription-key": "k"},
            data={"language_code": code},
            files={"file": ("a.wav", wav())},
        )
        for code in ("hi-IN", "en-IN", "unknown")
    ]
    assert [answer.status_code for answer in answers] == [400, 200, 200]
    assert "hears en only" in answers[0].json()["error"]["message"]


@pytest.mark.slow
async def test_a_session_in_a_language_that_is_not_heard_is_refused(local_service: LocalService) -> None:
    async with asyncio.timeout(20), ClientSession(headers={"Authorization": "Bearer local"}) as http:
        async with http.ws_connect(f"{local_service.url}/v1/realtime?intent=transcription") as socket:
            await socket.receive_json()
            codes = []
            for language in ("hi", "en", None):
                sound = {"input": {"transcription": {"model": "m", "language": language}}}
                event = {"type": "session.update", "session": {"type": "transcription", "audio": sound}}
                await socket.send_json(event)
                answer = await socket.receive_json()
                codes.append(answer.get("error", {}).get("code", answer["type"]))
        assert codes == ["language_not_heard", "session.updated", "session.updated"]
        http.headers["api-subscription-key"] = "k"
        query = "language_code=%s&sample_rate=16000&encoding=linear16&endpointing=manual"
        url = f"{local_service.url}/sarvam/speech-to-text-realtime/ws?{query}"
        async with http.ws_connect(url % "hi-IN") as socket:
            refusal = await socket.receive_json()
        assert (refusal["event"], refusal["code"], refusal["is_fatal"]) == ("error", "invalid_config", True)
        async with http.ws_connect(url % "auto") as socket:
            assert (await socket.receive_json())["event"] == "session.begin"
            await socket.send_str(json.dumps({"event": "config.update", "language_code": "hi-IN"}))
            refusal = await socket.receive_json()
        assert (refusal["event"], refusal["is_fatal"]) == ("error", False)


@pytest.mark.parametrize("asked", ["", "auto", "unknown", "en", "en-IN", "EN-us"])
def test_english_is_heard_and_so_is_what_nobody_named(asked: str) -> None:
    check_language(LocalTranscriber.__new__(LocalTranscriber), asked)


def test_a_script_hears_what_it_says() -> None:
    check_language(ScriptedTranscriber.__new__(ScriptedTranscriber), "hi")
    with pytest.raises(ApiError, match="not ta-IN"):
        check_language(LocalTranscriber.__new__(LocalTranscriber), "ta-IN")


def _spoken(service: LocalService, text: str) -> bytes:
    return service.openai.audio.speech.create(model="tts", voice="v", input=text, response_format="pcm").content


def _heard(service: LocalService, text: str) -> str:
    samples = np.frombuffer(_spoken(service, text), "<i2").astype(np.float32) / 32768
    return transcribe(service, as_wav(Pcm(samples, 24_000)))
