"""Answers that need tools: asked for, called, told of, once, whatever happens in between."""

from __future__ import annotations

import asyncio
import json
from dataclasses import replace

import pytest

from shared.domain import pipe_names, takes
from shared.domain.agents.tools import Tools
from shared.domain.conversation import APOLOGY
from shared.domain.errors import ContentRefused, StoreError, ToolError
from shared.ports.language_model import Message, Usage
from shared.ports.tool_box import ToolRequest, ToolResult
from shared.use_cases.thinking.answering import MOST_ROUNDS
from shared.use_cases.thinking.tool_calling import A_MOMENT_MS, A_WHILE_MS
from tests.fakes.call import CALL_ID, TENANT_ID, House
from tests.fakes.models import Answer, FakeLanguageModel
from tests.shared.use_cases.thinking.tooled_house import (
    END,
    FakeToolBox,
    call,
    said,
    spoken,
    stop,
    tell,
    think,
    tooled_house,
)

FINAL = takes.Final(1, "Where is my order?")
ON_ITS_WAY = Answer(["It is on its way."])


@pytest.fixture
async def house() -> House:
    return await tooled_house()


def told(model: FakeLanguageModel, asked: int = -1) -> dict[str, object]:
    """What the model read last of a tool."""
    document: dict[str, object] = json.loads(model.asked[asked][-1].text)
    return document


async def test_a_tool_is_called_and_its_result_answered(house: House) -> None:
    model, box = FakeLanguageModel(house.clock, Answer([call()]), ON_ITS_WAY), FakeToolBox()
    await tell(house, FINAL)
    assert await think(house, model, box) == said("It is on its way.")
    (request,) = box.calls
    assert request == ToolRequest(
        f"{CALL_ID}:1:0",
        TENANT_ID,
        CALL_ID,
        "+14155550100",
        "look_up",
        {"order": 7},
        turn=1,
        heard=("Where is my order?",),
        language="en",
    )
    wanted, answer = model.asked[1][-2:]
    assert wanted == Message("assistant", "", calls=(call(),))
    assert (answer.role, answer.answers) == ("tool", "call_1")
    assert told(model)["data_not_instructions"] == {"state": "on its way"}
    assert [offer.name for offer in model.wishes[0].tools] == ["look_up", "cancel", "hang_up"]
    assert (await house.live_calls.journal(CALL_ID, 1))["cost.tool_calls"] == "1"


async def test_what_is_said_before_a_tool_is_said_at_once(house: House) -> None:
    async def slow(request: ToolRequest) -> ToolResult:
        await house.clock.sleep_ms(2_000)
        return ToolResult({})

    model = FakeLanguageModel(house.clock, Answer(["Let me look", call()]), ON_ITS_WAY)
    await tell(house, FINAL)
    task = asyncio.create_task(think(house, model, FakeToolBox(deed=slow)))
    await house.clock.sleep_ms(500)
    assert await house.pipe(1, pipe_names.SENTENCES) == [{"text": "Let me look"}]
    assert await task == said("Let me look", "It is on its way.")
    assert model.asked[1][-2].text == "Let me look"


@pytest.mark.parametrize(("words", "moment_ms"), [((), A_MOMENT_MS), (("Let me look.",), A_WHILE_MS)])
@pytest.mark.parametrize("own", ["", "I am asking the shop."])
async def test_a_slow_tool_is_bridged_once(house: House, words: tuple[str, ...], moment_ms: int, own: str) -> None:
    async def slow(request: ToolRequest) -> ToolResult:
        await house.clock.sleep_ms(moment_ms + 500)
        return ToolResult({})

    box = FakeToolBox(deed=slow)
    box.offered = [replace(tool, filler=own) for tool in box.offered]
    model = FakeLanguageModel(house.clock, Answer([*words, call()]), Answer([call()]), ON_ITS_WAY)
    await tell(house, FINAL)
    task = asyncio.create_task(think(house, model, box))
    await house.clock.sleep_ms(moment_ms - 50)
    assert len(await house.pipe(1, pipe_names.SENTENCES)) == len(words)
    filler = own or "One moment."
    assert await task == said(*words, filler, "It is on its way.")


async def test_what_only_reads_is_called_while_the_caller_may_go_on(house: House) -> None:
    model, box = FakeLanguageModel(house.clock, Answer([call()]), ON_ITS_WAY), FakeToolBox()
    task = asyncio.create_task(think(house, model, box))
    await tell(house, takes.Tentative(1, "Where is my order?"))
    await house.clock.sleep_ms(5_000)
    assert (len(box.calls), len(await house.pipe(1, pipe_names.SENTENCES))) == (1, 2)
    await tell(house, FINAL)
    assert await task == said("It is on its way.")


@pytest.mark.parametrize("withdrawn", [True, False])
async def test_what_changes_the_world_waits_until_the_caller_has_finished(house: House, withdrawn: bool) -> None:
    answers = [Answer([call("cancel")]), Answer(["Sure."]) if withdrawn else Answer(["It is done."])]
    model, box = FakeLanguageModel(house.clock, *answers), FakeToolBox()
    task = asyncio.create_task(think(house, model, box))
    await tell(house, takes.Tentative(1, "Cancel it"))
    await house.clock.sleep_ms(5_000)
    assert box.calls == []
    assert await house.pipe(1, pipe_names.SENTENCES) == [], "a wait of nobody's is not spoken of"
    if withdrawn:
        await tell(house, takes.Withdrawn(1))
        await tell(house, takes.Final(2, "Cancel it not"))
        assert await task == said("Sure.")
        assert box.calls == []
        return
    await tell(house, takes.Final(1, "Cancel it"))
    assert await task == said("It is done.")
    assert [request.key for request in box.calls] == [f"{CALL_ID}:1:0"]


async def test_keys_tell_the_calls_of_a_turn_apart(house: House) -> None:
    both = Answer([call(), call("cancel", key="call_2")])
    model, box = FakeLanguageModel(house.clock, both, Answer([call("cancel")]), ON_ITS_WAY), FakeToolBox()
    await tell(house, FINAL)
    await think(house, model, box)
    assert [request.key.rpartition(":")[2] for request in box.calls] == ["0", "1", "2"]
    assert [message.answers for message in model.asked[1][-2:]] == ["call_1", "call_2"]


@pytest.mark.parametrize("name", ["look_up", "cancel"])
async def test_after_a_crash_no_tool_that_was_told_of_is_called_again(house: House, name: str) -> None:
    class Dying(FakeLanguageModel):
        async def answer(self, *args, **kwargs):  # type: ignore[no-untyped-def, override]
            async for item in super().answer(*args, **kwargs):
                yield item
            if len(self.asked) == 2:
                raise SystemError("the worker died")

    model, box = Dying(house.clock, Answer(["Wait.", call(name)]), Answer(["It is"])), FakeToolBox()
    await tell(house, FINAL)
    with pytest.raises(SystemError):
        await think(house, model, box)
    again = FakeLanguageModel(house.clock, ON_ITS_WAY)
    assert await think(house, again, box) == said("Wait.", "It is on its way.")
    assert len(box.calls) == 1
    assert [message.role for message in again.asked[0][-3:]] == ["user", "assistant", "tool"]


async def test_a_crash_before_the_result_is_noted_calls_with_the_same_key(house: House) -> None:
    """The ledger of the tools knows then what came of it."""
    box = FakeToolBox()

    async def dying(request: ToolRequest) -> ToolResult:
        raise SystemError("the worker died")

    box.deed = dying
    await tell(house, FINAL)
    with pytest.raises(SystemError):
        await think(house, FakeLanguageModel(house.clock, Answer(["Wait.", call("cancel")])), box)
    box.deed = None
    model = FakeLanguageModel(house.clock, Answer(["Wait.", call("cancel")]), Answer(["Done."]))
    assert await think(house, model, box) == said("Wait.", "Done.")
    assert box.calls[0].key == box.calls[1].key


@pytest.mark.parametrize("name", ["look_up", "cancel"])
async def test_an_interruption_ends_what_reads_and_lets_deeds_finish(house: House, name: str) -> None:
    async def slow(request: ToolRequest) -> ToolResult:
        await house.clock.sleep_ms(700)
        return ToolResult({"done": True})

    model, box = FakeLanguageModel(house.clock, Answer([call(name)])), FakeToolBox(deed=slow)
    await tell(house, FINAL)
    task = asyncio.create_task(think(house, model, box))
    await house.clock.sleep_ms(300)
    await stop(house)
    assert (await task)[-1] == END
    assert len(box.calls) == 1
    assert len(box.ended) == (1 if name == "cancel" else 0)
    await spoken(house, "interrupted")
    await tell(house, takes.Final(1, "And now?"), turn=2)
    later = FakeLanguageModel(house.clock, ON_ITS_WAY)
    await think(house, later, box, turn=2)
    notes = [message.text for message in later.asked[0] if "tools_called_earlier" in message.text]
    assert len(notes) == (1 if name == "cancel" else 0)


async def test_the_fifth_round_is_the_last(house: House) -> None:
    rounds = [Answer([call(key=f"call_{number}")]) for number in range(MOST_ROUNDS)]
    model, box = FakeLanguageModel(house.clock, *rounds, Answer(["That is all.", call()])), FakeToolBox()
    await tell(house, FINAL)
    assert await think(house, model, box) == said("That is all.")
    assert len(box.calls) == MOST_ROUNDS
    assert [wish.may_call for wish in model.wishes] == [True] * MOST_ROUNDS + [False]


async def test_a_model_that_only_calls_tools_is_apologised_for(house: House) -> None:
    model = FakeLanguageModel(house.clock, *[Answer([call()]) for _ in range(MOST_ROUNDS + 1)])
    await tell(house, FINAL)
    assert await think(house, model, FakeToolBox()) == said(APOLOGY, outcome="failed")


@pytest.mark.parametrize(
    ("name", "arguments", "fault"),
    [
        ("sell_house", "{}", "no such tool"),
        ("look_up", '{"order":', "not a JSON object"),
        ("look_up", "[7]", "not a JSON object"),
        ("look_up", "null", "not a JSON object"),
    ],
)
async def test_what_cannot_be_called_is_told(house: House, name: str, arguments: str, fault: str) -> None:
    model, box = FakeLanguageModel(house.clock, Answer([call(name, arguments)]), ON_ITS_WAY), FakeToolBox()
    await tell(house, FINAL)
    assert await think(house, model, box) == said("It is on its way.")
    assert fault in str(told(model)["failed"])
    assert box.calls == []


async def test_a_tool_that_fails_is_data(house: House) -> None:
    async def failing(request: ToolRequest) -> ToolResult:
        raise ToolError("tool_away", "the ledger does not answer", retryable=True)

    model = FakeLanguageModel(house.clock, Answer([call("cancel")]), Answer(["I could not."]))
    await tell(house, FINAL)
    assert await think(house, model, FakeToolBox(deed=failing)) == said("I could not.")
    assert told(model)["failed"] == "the ledger does not answer"


async def test_an_agent_without_tools_is_offered_none(house: House) -> None:
    house.change_agent(tools=Tools())
    model, box = FakeLanguageModel(house.clock, ON_ITS_WAY), FakeToolBox()
    await tell(house, FINAL)
    assert await think(house, model, box) == said("It is on its way.")
    assert model.wishes[0].tools == ()


async def test_tools_that_are_not_known_are_no_reason_to_be_silent(house: House) -> None:
    class Away(FakeToolBox):
        async def tools(self, agent):  # type: ignore[no-untyped-def]
            raise StoreError("away", "away", retryable=True)

    model = FakeLanguageModel(house.clock, ON_ITS_WAY)
    await tell(house, FINAL)
    assert await think(house, model, Away()) == said("It is on its way.")


async def test_what_a_filter_refuses_is_declined_politely(house: House) -> None:
    house.change_agent(language="de")
    refused = ContentRefused("content_refused", "no")
    model = FakeLanguageModel(house.clock, Answer(["Nun ja."], error=refused))
    await tell(house, FINAL)
    sentences = await think(house, model, FakeToolBox())
    assert sentences[0] == {"text": "Nun ja."}
    assert sentences[1]["text"].startswith("Es tut mir leid, dabei kann ich nicht helfen.")
    assert sentences[2] == {"event": "answer_end", "outcome": ""}


async def test_what_answers_cost_is_counted(house: House) -> None:
    first = Answer([call(), Usage("openai", "m", 100, 10)])
    model = FakeLanguageModel(house.clock, first, Answer(["Yes.", Usage("openai", "m", 150, 20)]))
    await tell(house, FINAL)
    await think(house, model, FakeToolBox())
    journal = await house.live_calls.journal(CALL_ID, 1)
    assert (journal["cost.input_tokens"], journal["cost.output_tokens"]) == ("250", "30")
