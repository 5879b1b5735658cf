"""Two workers think about one turn: the answer is not made of what both of them say."""

from __future__ import annotations

import asyncio

from shared.domain import pipe_names
from tests.fakes.call import House, turn_request
from tests.fakes.models import Answer, FakeLanguageModel
from tests.shared.use_cases.thinking.test_think import END, heard, house, thinking

__all__ = ["house"]


async def test_who_was_overtaken_adds_nothing_to_the_answer_and_ends_with_its_successor(house: House) -> None:
    older = FakeLanguageModel(house.clock, Answer(["One.", " Two.", " Three.", " Four."], token_ms=400))
    newer = FakeLanguageModel(house.clock, Answer(["Eins.", " Zwei.", " Drei.", " Vier."], token_ms=500))
    await heard(house)
    first = asyncio.create_task(thinking(house, older)(turn_request(1)))
    await asyncio.sleep(1.0)
    second = asyncio.create_task(thinking(house, newer)(turn_request(1)))
    await asyncio.sleep(0.5)
    assert not first.done()
    await asyncio.gather(first, second)
    written = await house.pipe(1, pipe_names.SENTENCES)
    assert [entry["text"] for entry in written if "text" in entry] == ["One.", "Two.", "Drei.", "Vier."]
    assert written[-1] == END
    assert older.cancelled == 1
