"""What a long call leaves behind while it runs, and what its troubles may not cost it."""

from __future__ import annotations

from collections.abc import AsyncIterator

import pytest

from shared.domain import pipe_names
from shared.domain.errors import StoreError
from shared.domain.takes import Final
from shared.use_cases.thinking.think import Think
from tests.fakes.call import CALL_ID, House, turn_request, voice
from tests.fakes.models import Answer, FakeLanguageModel, FakeSpeechToText, FakeTextToSpeech
from tests.shared.use_cases.hearing.caller import Caller, hear_while, hearing
from tests.shared.use_cases.speaking.line import answer, connected, ended, speaker, take


@pytest.fixture
async def house() -> AsyncIterator[House]:
    async with connected() as house:
        yield house


def lose_files(house: House) -> None:
    async def append(*_: object, **__: object) -> None:
        raise StoreError("files_unavailable", "the file store cannot be reached", retryable=True)

    house.files.append = append  # type: ignore[method-assign]


async def test_sound_that_was_said_is_forgotten(house: House) -> None:
    for turn in (1, 2):
        await answer(house, turn, "It is on its way to you now.")
        assert await speaker(house, FakeTextToSpeech(house.clock))(turn_request(turn)) == "completed"
        for pipe in (pipe_names.AUDIO, pipe_names.SENT):
            assert await house.pipe(turn, pipe) == []
    assert await speaker(house, FakeTextToSpeech(house.clock))(turn_request(2)) == "completed", "run again"


async def test_an_answer_goes_on_without_its_recording(house: House, caplog: pytest.LogCaptureFixture) -> None:
    lose_files(house)
    await answer(house, 1, "Yes.")
    assert await speaker(house, FakeTextToSpeech(house.clock))(turn_request(1)) == "completed"
    assert await ended(house, 1) == ("Yes.", "completed")
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


async def test_thinking_does_not_read_the_whole_of_a_long_call(house: House) -> None:
    asked: list[range] = []
    honest = house.live_calls.journals

    async def journals(call_id: str, turns: range) -> list[dict[str, str]]:
        asked.append(turns)
        return await honest(call_id, turns)

    house.live_calls.journals = journals  # type: ignore[method-assign]
    model = FakeLanguageModel(house.clock, Answer(["Sure."]))
    await house.live_calls.note(CALL_ID, 299, {"heard": "Hello?", "said": "Yes?", "outcome": "completed"})
    await house.write(299, pipe_names.SPOKEN, {"said": "Yes?"}, pipe_names.END_POSITION)
    await take(house, 300, Final(1, "Good."))
    await Think(house.pipes, house.live_calls, house.directory, model, house.clock)(turn_request(300))
    assert [len(turns) for turns in asked] == [60]
    assert [message.text for message in model.asked[0][1:]] == ["Hello?", "Yes?", "Good."]
