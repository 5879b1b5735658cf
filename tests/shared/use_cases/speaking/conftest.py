"""A running call and a voice for every test of speaking."""

from __future__ import annotations

from collections.abc import AsyncIterator

import pytest

from tests.fakes.call import House
from tests.fakes.models import FakeTextToSpeech
from tests.shared.use_cases.speaking.line import connected


@pytest.fixture
async def house() -> AsyncIterator[House]:
    async with connected() as house:
        yield house


@pytest.fixture
def tts(house: House) -> FakeTextToSpeech:
    return FakeTextToSpeech(house.clock)
