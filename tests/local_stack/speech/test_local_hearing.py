"""The local model heard through every adapter: whole, and in pieces while the caller speaks."""

from __future__ import annotations

import asyncio

import pytest

from local_stack.speech.audio import read_wav, to_pcm16
from tests.contracts.ears import PROVIDERS, asking
from tests.local_stack.speech.conftest import LocalService
from tests.local_stack.speech.word_errors import word_error_rate

pytestmark = pytest.mark.slow

_FRAME_BYTES = 640


@pytest.mark.parametrize("kind", PROVIDERS)
async def test_a_recording_is_understood(local_service: LocalService, kind: str) -> None:
    voice = next(voice for voice in local_service.voices if voice["id"] == "librivox-0870")
    pcm = to_pcm16(read_wav((local_service.voices_dir / voice["file"]).read_bytes()).at(16_000).samples)
    async with asking(kind, local_service.url) as made:
        turn = made.open(language="en", call_id="call-1")
        for begin in range(0, len(pcm), _FRAME_BYTES):
            turn.feed(pcm[begin : begin + _FRAME_BYTES])
            await asyncio.sleep(0)
        words = await turn.words()
        await turn.close()
    assert word_error_rate([(voice["text"], words)]) < 0.25, words
