"""One answer after the other: what comes before an answer, and what must not wait for it."""

from __future__ import annotations

import asyncio

import pytest

from shared.domain import pipe_names
from shared.domain.takes import Final
from tests.fakes.call import House, turn_request
from tests.fakes.models import FakeTextToSpeech
from tests.shared.use_cases.speaking.line import (
    FakePrepared,
    answer,
    ended,
    sentences,
    speaker,
    take,
)


async def test_an_agent_that_may_not_be_interrupted_finishes_before_it_answers_again(
    house: House, tts: FakeTextToSpeech
) -> None:
    """While the answer before is still said, nobody waits for this one: no filler and no apology into it."""
    house.change_agent(interruptible=False)
    speaking = asyncio.create_task(speaker(house, tts)(turn_request(2)))
    await take(house, 2, Final(1, "Yes."))
    await house.clock.sleep_ms(20_000)
    assert house.channel.messages == []
    await sentences(house, 2, "It is done.")
    await house.clock.sleep_ms(1_000)
    assert house.channel.messages == []
    await house.write(1, pipe_names.SPOKEN, {"event": "end", "said": "So."}, pipe_names.END_POSITION)
    assert await speaking == "completed"
    assert house.channel.heard() == tts.sound_of("It is done.")


@pytest.mark.parametrize("turn", [0, 1])
async def test_what_may_be_needed_is_prepared_when_a_call_begins(
    house: House, tts: FakeTextToSpeech, turn: int
) -> None:
    prepared = FakePrepared(house.clock)
    await answer(house, turn, "Hello.")
    await speaker(house, tts, prepared)(turn_request(turn))
    assert prepared.prepared == ([] if turn else [house.agent])


async def test_the_next_turn_does_not_wait_for_the_recording(
    house: House, tts: FakeTextToSpeech, monkeypatch: pytest.MonkeyPatch
) -> None:
    honest = house.files.append

    async def append(name: str, data: bytes) -> None:
        await house.clock.sleep_ms(8_000)
        await honest(name, data)

    monkeypatch.setattr(house.files, "append", append)
    await answer(house, 1, "Yes.")
    task = asyncio.create_task(speaker(house, tts)(turn_request(1)))
    await house.clock.sleep_ms(50 * len("Yes.") + 600)
    assert await ended(house, 1) == ("Yes.", "completed")
    assert await task == "completed"
    assert len(house.kept("agent")) == 1
