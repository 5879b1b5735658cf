"""JSON can hold half a character, which no pipe can: nobody's ear lets one through."""

from __future__ import annotations

import pytest

from tests.contracts.ears import PROVIDERS, ear, feed


@pytest.mark.parametrize("kind", PROVIDERS)
async def test_half_a_character_is_heard_as_a_question_mark(kind: str) -> None:
    async with ear(kind, "नमस्ते \ud83d there") as listening:
        transcription = listening.open()
        await feed(transcription, 600)
        assert await transcription.words() == "नमस्ते ? there"
        await transcription.close()
