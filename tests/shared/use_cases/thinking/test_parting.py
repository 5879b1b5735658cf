"""The call is left, or the caller put through, once they have heard what was said of it."""

from __future__ import annotations

import asyncio
from dataclasses import replace

import pytest

from shared.domain import pipe_names, takes
from shared.domain.errors import LanguageModelError
from shared.domain.telephony.lines import Line
from shared.ports.tool_box import ToolRequest, ToolResult
from shared.use_cases.texting.transfer_orders import back_at_ms, note_back
from tests.fakes.call import CALL_ID, House, turn_request
from tests.fakes.models import Answer, FakeLanguageModel
from tests.shared.use_cases.thinking.tooled_house import (
    HANG_UP,
    FakeToolBox,
    call,
    said,
    spoken,
    tell,
    think,
    thinking,
    tooled_house,
)

FINAL = takes.Final(1, "Where is my order?")
TRANSFER = replace(HANG_UP, name="transfer", description="To a person.")


@pytest.fixture
async def house() -> House:
    return await tooled_house()


async def answering(
    house: House, model: FakeLanguageModel, box: FakeToolBox, *, for_ms: int = 3_000
) -> asyncio.Task[list[dict[str, str]]]:
    """The turn's answer, which has gone on for so long since the caller's words."""
    await tell(house, FINAL)
    task = asyncio.create_task(think(house, model, box))
    await house.clock.sleep_ms(for_ms)
    return task


async def test_a_call_is_left_when_everything_has_been_heard(house: House) -> None:
    model, box = FakeLanguageModel(house.clock, Answer(["Goodbye.", call("hang_up", "{}")])), FakeToolBox()
    task = await answering(house, model, box)
    assert await house.pipe(1, pipe_names.SENTENCES) == said("Goodbye.")
    assert box.calls == []
    await spoken(house)
    await task
    assert [request.name for request in box.calls] == ["hang_up"]


async def test_a_caller_who_interrupts_the_goodbye_is_not_hung_up_on(house: House) -> None:
    model, box = FakeLanguageModel(house.clock, Answer(["Goodbye.", call("hang_up", "{}")])), FakeToolBox()
    task = await answering(house, model, box)
    await spoken(house, "interrupted")
    await task
    assert box.calls == []


async def test_where_a_provider_speaks_the_goodbye_is_waited_for_by_the_clock(house: House) -> None:
    model, box = FakeLanguageModel(house.clock, Answer(["Goodbye.", call("hang_up", "{}")])), FakeToolBox()
    task = await answering(house, model, box, for_ms=1_000)
    until_ms = house.clock.now_ms() + 3_000
    await house.live_calls.note(CALL_ID, 1, {"playback_ended_ms": repr(until_ms)})
    await spoken(house)
    await house.clock.sleep_ms(2_900)
    assert box.calls == []
    await task
    assert until_ms < house.clock.now_ms() < until_ms + 2_000
    assert [request.name for request in box.calls] == ["hang_up"]


async def test_a_caller_who_speaks_over_a_providers_goodbye_is_not_hung_up_on(house: House) -> None:
    model, box = FakeLanguageModel(house.clock, Answer(["Goodbye.", call("hang_up", "{}")])), FakeToolBox()
    task = await answering(house, model, box, for_ms=1_000)
    await house.live_calls.note(CALL_ID, 1, {"playback_ended_ms": repr(house.clock.now_ms() + 3_000)})
    await spoken(house)
    await house.clock.sleep_ms(1_000)
    await tell(house, takes.Final(1, "One thing more."), turn=2)
    await task
    assert box.calls == []


@pytest.mark.parametrize(("line", "first"), [(Line.CONNECT, True), (Line.SARVAM, True), (Line.TWILIO_GATHER, False)])
async def test_a_transfer_that_goes_out_with_the_answer_is_ordered_before_it(line: Line, first: bool) -> None:
    """Elsewhere the caller would be put through in the middle of the words."""
    house = await tooled_house(line)
    asked = Answer(["One moment.", call("transfer", "{}")])
    model, box = FakeLanguageModel(house.clock, asked, Answer(["I put you through."])), FakeToolBox([TRANSFER])
    task = await answering(house, model, box)
    words = ["One moment.", "I put you through."] if first else ["One moment."]
    assert await house.pipe(1, pipe_names.SENTENCES) == said(*words)
    assert [request.name for request in box.calls] == (["transfer"] if first else [])
    await spoken(house)
    await task
    assert [request.name for request in box.calls] == ["transfer"]


async def test_who_hangs_up_without_a_word_is_asked_for_one(house: House) -> None:
    model = FakeLanguageModel(house.clock, Answer([call("hang_up", "{}")]), Answer(["Goodbye."]))
    box = FakeToolBox()
    task = await answering(house, model, box)
    assert await house.pipe(1, pipe_names.SENTENCES) == said("Goodbye.")
    assert [wish.may_call for wish in model.wishes] == [True, False]
    assert box.calls == []
    await spoken(house)
    await task
    assert [request.name for request in box.calls] == ["hang_up"]


async def test_where_no_word_is_to_be_had_the_call_is_left_all_the_same(house: House) -> None:
    failing = Answer([], error=LanguageModelError("llm_away", "away", retryable=True))
    model, box = FakeLanguageModel(house.clock, Answer([call("hang_up", "{}")]), failing), FakeToolBox()
    task = await answering(house, model, box)
    await spoken(house, "unheard")
    await task
    assert [request.name for request in box.calls] == ["hang_up"]


async def test_a_crash_before_the_call_is_left_leaves_it(house: House) -> None:
    model, box = FakeLanguageModel(house.clock, Answer(["Goodbye.", call("hang_up", "{}")])), FakeToolBox()
    task = await answering(house, model, box)
    task.cancel()
    await asyncio.gather(task, return_exceptions=True)
    await spoken(house)
    await thinking(house, FakeLanguageModel(house.clock), box)(turn_request(1))
    assert [request.name for request in box.calls] == ["hang_up"]


async def failing(request: ToolRequest) -> ToolResult:
    return ToolResult(None, "the line is busy")


@pytest.mark.parametrize(("name", "back"), [("transfer", True), ("hang_up", False)])
async def test_a_transfer_that_fails_leaves_the_caller_with_the_agent(house: House, name: str, back: bool) -> None:
    model = FakeLanguageModel(house.clock, Answer(["One moment.", call(name, "{}")]))
    task = await answering(house, model, FakeToolBox([TRANSFER, HANG_UP], failing))
    await spoken(house)
    await task
    assert bool(await back_at_ms(house.pipes, CALL_ID)) == back


async def test_an_agent_knows_that_nobody_could_be_reached_until_that_is_told(house: House) -> None:
    """However the caller came back: a transfer that failed, and one that nobody took."""
    model = FakeLanguageModel(house.clock, *([Answer(["Nobody is there."])] * 3))
    await tell(house, FINAL)
    await think(house, model, FakeToolBox())
    await spoken(house)
    await house.clock.sleep_ms(1_000)
    await note_back(house.pipes, CALL_ID)
    for turn in (2, 3):
        await house.clock.sleep_ms(1_000)
        await house.live_calls.note(CALL_ID, turn, {"transcript_ms": house.clock.now_ms(), "heard": "Hello?"})
        await tell(house, takes.Final(1, "Hello?"), turn=turn)
        await think(house, model, FakeToolBox(), turn=turn)
        await spoken(house, turn=turn)
    assert ["Nobody could be reached" in messages[0].text for messages in model.asked] == [False, True, False]
