"""What thinking remembers is what was heard, however long that takes and whatever was told before."""

from __future__ import annotations

import asyncio

import pytest

from shared.domain import interruption, pipe_names
from tests.fakes.call import CALL_ID, House, turn_request
from tests.fakes.models import Answer, FakeLanguageModel
from tests.shared.use_cases.thinking.test_think import heard, thinking


@pytest.fixture
async def house() -> House:
    house = House()
    await house.connect()
    return house


async def test_history_is_never_older_than_the_answer_before(house: House) -> None:
    """A turn may begin to listen minutes before the turn before it is over."""
    model = FakeLanguageModel(house.clock, Answer(["Yes."]))
    task = asyncio.create_task(thinking(house, model)(turn_request(2)))
    await house.clock.sleep_ms(130_000)
    await house.live_calls.note(CALL_ID, 1, {"heard": "Tell me.", "said": "It is blue.", "outcome": "completed"})
    await house.write(1, pipe_names.SPOKEN, {"said": "It is blue."}, pipe_names.END_POSITION)
    await heard(house, "And then?", turn=2)
    await task
    assert [message.text for message in model.asked[0][1:]] == ["Tell me.", "It is blue.", "And then?"]


async def test_what_was_heard_until_an_earlier_hold_is_not_history(house: House) -> None:
    """The answer before went on after that, until words that came late have stopped it."""
    orders = (interruption.Hold(1, 0.0), interruption.Resume(1), interruption.Stop(0.0))
    for position, fields in map(interruption.written, orders):
        await house.write(1, pipe_names.CONTROL, fields, position)
    await house.live_calls.note(CALL_ID, 1, {"heard": "Tell me a story.", "said": "Once"})
    await house.write(1, pipe_names.SPOKEN, {"event": "held", "said": "Once"}, "1-0")
    await heard(house, "Stop!", turn=2)
    model = FakeLanguageModel(house.clock, Answer(["Sorry."]))
    task = asyncio.create_task(thinking(house, model)(turn_request(2)))
    await house.clock.sleep_ms(300)
    await house.live_calls.note(CALL_ID, 1, {"said": "Once upon a time", "outcome": "interrupted"})
    await house.write(1, pipe_names.SPOKEN, {"event": "end"}, pipe_names.END_POSITION)
    await task
    assert [message.text for message in model.asked[0][1:]] == ["Tell me a story.", "Once upon a time", "Stop!"]
