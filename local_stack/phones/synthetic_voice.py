"""A caller without a recording: text spoken by the local speech service."""

from __future__ import annotations

import os
from typing import Final

import aiohttp

_TIMEOUT_S: Final = 60.0
_MAX_BYTES: Final = 64 * 1024 * 1024
_WAV_HEADER_BYTES: Final = 44


class CannotSpeak(Exception):
    """The speech service gave no sound; the message is one line."""


async def speak(session: aiohttp.ClientSession, speech_url: str, text: str) -> bytes:
    """A WAV of the text. Raises: CannotSpeak.

    Source: https://platform.openai.com/docs/api-reference/audio/createSpeech
    """
    wish = {
        "model": os.environ.get("TTS_MODEL") or "local",
        "voice": os.environ.get("TTS_VOICE") or "default",
        "input": text,
        "response_format": "wav",
    }
    url = f"{speech_url.rstrip('/')}/v1/audio/speech"
    headers = {"Authorization": f"Bearer {os.environ.get('OPENAI_API_KEY') or 'local'}"}
    try:
        timeout = aiohttp.ClientTimeout(total=_TIMEOUT_S)
        async with session.post(url, json=wish, headers=headers, timeout=timeout) as response:
            if response.status != 200:
                reason = " ".join((await response.text()).split())[:200]
                raise CannotSpeak(f"the speech service answered {response.status}: {reason}")
            sound = await _all(response)
    except (aiohttp.ClientError, TimeoutError) as error:
        reason = str(error) or type(error).__name__
        raise CannotSpeak(f"no speech service at {speech_url}: {reason}") from None
    if len(sound) <= _WAV_HEADER_BYTES:
        raise CannotSpeak("the speech service finds nothing to say in this text")
    return sound


async def _all(response: aiohttp.ClientResponse) -> bytes:
    body = bytearray()
    async for piece in response.content.iter_chunked(64 * 1024):
        body += piece
        if len(body) > _MAX_BYTES:
            raise CannotSpeak("the speech service does not stop speaking")
    return bytes(body)
