"""A provider's own ear and voice, where it hears and speaks itself: done by the local speech service."""

from __future__ import annotations

import asyncio
import os
from dataclasses import dataclass
from typing import Final

import aiohttp
import numpy as np

from local_stack.phones import g711, wav
from local_stack.phones.resampling import resample, to_telephone
from local_stack.phones.synthetic_voice import CannotSpeak, speak

RATE_HZ: Final = 16_000
_DEADLINE_S: Final = 20.0
_SAMPLE_BYTES: Final = 2
_LOUD_SHARE: Final = 0.02
_LEAD_MS: Final = 40
_TAIL_MS: Final = 200


class SpeechTrouble(Exception):
    """The provider's own speech service did not do it; the message is one line."""


def default_speech_url() -> str:
    """Where the local speech service is."""
    return f"http://localhost:{os.environ.get('LOCAL_SPEECH_PORT') or 7081}"


@dataclass(frozen=True)
class ProviderSpeech:
    """Speech to text and text to speech, each within a deadline. Safe to use from many calls at once."""

    speech_url: str
    deadline_s: float = _DEADLINE_S

    async def hear(self, pcm16_16k: bytes, language: str = "") -> str:
        """The words in PCM16 LE mono at 16 kHz; empty where there are none. Raises: SpeechTrouble.

        Source: https://platform.openai.com/docs/api-reference/audio/createTranscription
        """
        samples = np.frombuffer(pcm16_16k[: len(pcm16_16k) // _SAMPLE_BYTES * _SAMPLE_BYTES], "<i2")
        if len(samples) == 0:
            return ""
        form = aiohttp.FormData()
        form.add_field("file", wav.as_bytes(samples, RATE_HZ), filename="caller.wav", content_type="audio/wav")
        form.add_field("model", os.environ.get("STT_MODEL") or "local")
        if language:
            form.add_field("language", language)
        headers = {"Authorization": f"Bearer {os.environ.get('OPENAI_API_KEY') or 'local'}"}
        url = f"{self.speech_url.rstrip('/')}/v1/audio/transcriptions"
        try:
            async with (
                asyncio.timeout(self.deadline_s),
                aiohttp.ClientSession() as session,
                session.post(url, data=form, headers=headers) as response,
            ):
                if response.status != 200:
                    reason = " ".join((await response.text()).split())[:200]
                    raise SpeechTrouble(f"the provider's ear answered {response.status}: {reason}")
                return str((await response.json())["text"]).strip()
        except TimeoutError:
            raise SpeechTrouble(f"the provider's ear took longer than {self.deadline_s:g} s") from None
        except (aiohttp.ClientError, OSError, ValueError, KeyError, TypeError) as error:
            reason = str(error) or type(error).__name__
            raise SpeechTrouble(f"the provider's ear at {self.speech_url} gives no words: {reason}") from None

    async def hear_line(self, ulaw_8k: bytes, language: str = "") -> str:
        """The words in what went over a telephone line. Raises: SpeechTrouble."""
        return await self.hear(await asyncio.to_thread(_widened, ulaw_8k), language)

    async def say(self, text: str) -> bytes:
        """The text spoken: PCM16 LE mono at 16 kHz. Raises: SpeechTrouble, also for a text without words."""
        recording = await self._spoken(text)
        return await asyncio.to_thread(_pcm16, recording)

    async def say_to_line(self, text: str) -> bytes:
        """The text spoken: µ-law at 8 kHz, as it is played into a telephone line. Raises: SpeechTrouble."""
        recording = await self._spoken(text)
        samples = await asyncio.to_thread(to_telephone, recording.samples, recording.rate_hz)
        return g711.encode(samples)

    async def _spoken(self, text: str) -> wav.Recording:
        try:
            async with asyncio.timeout(self.deadline_s), aiohttp.ClientSession() as session:
                return _without_edges(wav.read(await speak(session, self.speech_url, text)))
        except TimeoutError:
            raise SpeechTrouble(f"the provider's voice took longer than {self.deadline_s:g} s") from None
        except (CannotSpeak, wav.UnusableAudio) as error:
            raise SpeechTrouble(f"the provider's voice is silent: {error}") from None


def _without_edges(recording: wav.Recording) -> wav.Recording:
    """The same with no more silence around it than a provider's voice has."""
    samples, rate_hz = recording.samples, recording.rate_hz
    loud = np.flatnonzero(np.abs(samples) > _LOUD_SHARE * np.abs(samples).max(initial=0.0))
    if len(loud) == 0:
        return recording
    lead, tail = (rate_hz * edge_ms // 1000 for edge_ms in (_LEAD_MS, _TAIL_MS))
    return wav.Recording(samples[max(0, int(loud[0]) - lead) : int(loud[-1]) + tail], rate_hz)


def _pcm16(recording: wav.Recording) -> bytes:
    line = resample(recording.samples, recording.rate_hz, RATE_HZ)
    return np.clip(np.round(line * 32767), -32768, 32767).astype("<i2").tobytes()


def _widened(ulaw_8k: bytes) -> bytes:
    samples = g711.decode(ulaw_8k).astype(np.float64) / 2**15
    return _pcm16(wav.Recording(samples, g711.SAMPLE_RATE_HZ))
