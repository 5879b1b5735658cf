"""What a long call leaves behind while it runs, and what its troubles may not cost it."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator

import pytest

from shared.domain import pipe_names
from shared.domain.errors import StoreError
from shared.ports.language_model import Message
from shared.use_cases.think import Think
from tests.fakes.call import CALL_ID, House, turn_request, voice
from tests.fakes.models import Answer, FakeLanguageModel, FakeSpeechToText, FakeTextToSpeech
from tests.shared.use_cases.caller import Caller, hear_while, hearing
from tests.shared.use_cases.line import connected, speaker


@pytest.fixture
async def house() -> AsyncIterator[House]:
    async with connected() as house:
        yield house


def lose_files(house: House) -> None:
    async def put(*_: object, **__: object) -> None:
        raise StoreError("files_unavailable", "the file store cannot be reached", retryable=True)

    house.files.put = put  # type: ignore[method-assign]


async def test_sound_that_was_said_is_forgotten(house: House) -> None:
    for turn in (1, 2):
        await house.say(turn, "It is on its way to you now.")
        assert await speaker(house, FakeTextToSpeech(house.clock))(turn_request(turn)) == "completed"
        assert await house.pipe(turn, pipe_names.AUDIO) == []
    assert await speaker(house, FakeTextToSpeech(house.clock))(turn_request(2)) == "completed", "run again"


async def test_an_answer_goes_on_without_its_recording(house: House, caplog: pytest.LogCaptureFixture) -> None:
    lose_files(house)
    await house.say(1, "Yes.")
    assert await speaker(house, FakeTextToSpeech(house.clock))(turn_request(1)) == "completed"
    assert (await house.pipe(1, pipe_names.SPOKEN))[0]["said"] == "Yes."
    assert "its sound is not kept: files_unavailable" in caplog.text


async def test_a_call_is_heard_without_its_recording(caplog: pytest.LogCaptureFixture) -> None:
    house = House()
    await house.connect()
    lose_files(house)
    stt = FakeSpeechToText("Hello.")
    assert await hear_while(hearing(house, stt), Caller(house), voice(600)) == ""
    stt.assert_complete()
    assert await house.pipe(1, pipe_names.LISTENED) == [{"event": "end"}]
    assert "its sound is not kept: files_unavailable" in caplog.text
    await house.channel.finish()


async def test_words_that_are_transcribed_late_are_not_lost(house: House) -> None:
    """The caller pauses and goes on; the long first part takes longer to transcribe than the short second."""
    model = FakeLanguageModel(house.clock, Answer(["Sure."]))
    think = Think(house.pipes, house.live_calls, house.directory, model, house.clock)
    await house.write(1, pipe_names.SPOKEN, {"said": "", "outcome": "unheard"}, "1-0")
    await house.live_calls.note(CALL_ID, 1, {"said": "", "outcome": "unheard"})
    await house.write(2, pipe_names.TRANSCRIPT, {"text": "to Berlin, please."}, "1-0")
    task = asyncio.create_task(think(turn_request(2)))
    await house.clock.sleep_ms(3_000)
    await house.write(1, pipe_names.TRANSCRIPT, {"text": "I need two tickets"}, "1-0")
    await task
    assert model.asked[0][1:] == [Message("user", "I need two tickets"), Message("user", "to Berlin, please.")]


async def test_thinking_does_not_read_the_whole_of_a_long_call(house: House) -> None:
    asked: list[range] = []
    honest = house.live_calls.journals

    async def journals(call_id: str, turns: range) -> list[dict[str, str]]:
        asked.append(turns)
        return await honest(call_id, turns)

    house.live_calls.journals = journals  # type: ignore[method-assign]
    model = FakeLanguageModel(house.clock, Answer(["Sure."]))
    await house.live_calls.note(CALL_ID, 299, {"heard": "Hello?", "said": "Yes?", "outcome": "completed"})
    await house.write(299, pipe_names.SPOKEN, {"said": "Yes?"}, "1-0")
    await house.write(300, pipe_names.TRANSCRIPT, {"text": "Good."}, "1-0")
    await Think(house.pipes, house.live_calls, house.directory, model, house.clock)(turn_request(300))
    assert [len(turns) for turns in asked] == [60]
    assert [message.text for message in model.asked[0][1:]] == ["Hello?", "Yes?", "Good."]
