"""A voice is given words where digits were written, in the language that it is asked to speak."""

from __future__ import annotations

from collections.abc import AsyncGenerator

import pytest

from shared.domain.voices import in_language
from shared.use_cases.providers.spoken_words import SpokenWords


class Reader:
    """Fills the port `TextToSpeech`: notes what it is to read."""

    def __init__(self) -> None:
        self.read: list[tuple[str, str]] = []

    async def synthesize(
        self, text: str, *, voice: str, call_id: str, late_after_ms: int = 0
    ) -> AsyncGenerator[bytes, None]:
        self.read.append((text, voice))
        yield b"\0\0"


@pytest.mark.parametrize(
    ("voice", "text", "said"),
    [
        ("nora", "It costs $12.50.", "It costs twelve dollars and fifty cents."),
        (in_language("nora", "hi-IN"), "कुल 5 किताबें।", "कुल पाँच किताबें।"),
        (in_language("nora", "xx"), "5", "5"),
        ("nora", "Good morning.", "Good morning."),
        (in_language("nora", "en-IN"), "500000 people", "five lakh people"),
        ("nora", "500000 people", "five hundred thousand people"),
        ("nora", "कुल 5 किताबें।", "कुल पाँच किताबें।"),
        (in_language("nora", "hi-IN"), "There are 5 books.", "There are five books."),
        (in_language("nora", "hi-IN"), "Order 5", "Order पाँच"),
    ],
)
async def test_words_instead_of_digits(voice: str, text: str, said: str) -> None:
    reader = Reader()
    pieces = [piece async for piece in SpokenWords(reader).synthesize(text, voice=voice, call_id="c")]
    assert (reader.read, pieces) == ([(said, voice)], [b"\0\0"])
