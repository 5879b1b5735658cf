"""Four sources as one box: checked, confirmed, at most once over a death, bounded."""

from __future__ import annotations

import asyncio
import logging
from collections.abc import Callable
from typing import Any

import pytest

from shared.domain.agents.tools import Effect
from shared.domain.errors import StoreError, ToolError
from shared.domain.tools.outcomes import OutcomeUnknown, not_asked, refused
from shared.ports.tool_box import Tool, ToolRequest, ToolResult
from shared.use_cases.tools.confirmations import Confirmations
from shared.use_cases.tools.joined_tools import JoinedTools
from tests.fakes.memory import FakeShortMemory
from tests.fakes.tools import FakeToolLedger, FakeToolSource, a_tool, an_agent, asked

AGENT = an_agent()


class Box:
    def __init__(self, *tools: Tool, more: FakeToolSource | None = None) -> None:
        self.source = FakeToolSource(*tools)
        self.ledger = FakeToolLedger()
        self.memory = FakeShortMemory()
        sources = [self.source, more] if more else [self.source]
        self.tools = JoinedTools(sources, self.ledger, Confirmations(self.memory))

    async def call(self, name: str, arguments: dict[str, Any] | None = None, **more: Any) -> ToolResult:
        return await self.tools.call(AGENT, asked(name, arguments, **more))


def failing(error: Exception) -> Callable[[ToolRequest], Any]:
    async def deed(request: ToolRequest) -> ToolResult:
        raise error

    return deed


async def test_of_tools_with_one_name_the_first_counts() -> None:
    other = FakeToolSource(a_tool("hang_up", description="a company's own"), a_tool("find"))
    box = Box(a_tool("hang_up"), more=other)
    assert [(tool.name, tool.description) for tool in await box.tools.tools(AGENT)] == [
        ("hang_up", "d"),
        ("find", "d"),
    ]
    await box.call("hang_up")
    assert (len(box.source.calls), len(other.calls)) == (1, 0)


@pytest.mark.parametrize(
    ("name", "arguments", "told"),
    [
        ("transfer_to_mars", {}, "there is no tool 'transfer_to_mars'; there are: cancel"),
        ("cancel", {"n": "7"}, "the arguments are wrong: n: must be integer, not string"),
        ("cancel", {"to": "+15550100666"}, "the arguments are wrong: the arguments: has only n"),
    ],
)
async def test_what_a_model_invents_is_told_and_not_done(name: str, arguments: dict[str, Any], told: str) -> None:
    box = Box(a_tool("cancel"))
    assert (await box.call(name, arguments)).failed == told
    assert box.source.calls == []
    assert box.ledger.entries == {}


async def test_the_same_call_again_is_not_made_again() -> None:
    box = Box(a_tool("cancel"))
    first = await box.call("cancel", {"n": 1})
    assert await box.call("cancel", {"n": 1}) == first == ToolResult({"number": 1})
    again = await box.call("cancel", {"n": 2})
    assert again.content == {"done_already_with": {"n": 1}, "result": {"number": 1}}
    assert (await box.call("cancel", {"n": 1}, key="another")).content == {"number": 2}


async def test_what_reads_is_just_read() -> None:
    box = Box(a_tool("find", Effect.READS))
    await box.call("find")
    await box.call("find")
    assert (len(box.source.calls), box.ledger.entries) == (2, {})


async def test_after_a_death_between_call_and_note_it_is_not_called_again() -> None:
    box = Box(a_tool("cancel"))
    box.ledger.dies_at_finish = True
    with pytest.raises(SystemError):
        await box.call("cancel", {"n": 1})
    box.ledger.dies_at_finish = False
    result = await box.call("cancel", {"n": 1})
    assert "nobody knows" in result.failed
    assert len(box.source.calls) == 1


async def test_after_a_death_what_is_idempotent_is_made_again_with_the_same_key_and_arguments() -> None:
    box = Box(a_tool("cancel", idempotent=True))
    box.ledger.dies_at_finish = True
    with pytest.raises(SystemError):
        await box.call("cancel", {"n": 1})
    box.ledger.dies_at_finish = False
    assert (await box.call("cancel", {"n": 2})).content == {"number": 2}
    assert [(call.key, call.arguments) for call in box.source.calls] == [("call-1:5:0", {"n": 1})] * 2
    await box.call("cancel", {"n": 1})
    assert len(box.source.calls) == 2


async def test_a_call_that_is_cancelled_midway_has_an_unknown_outcome() -> None:
    box = Box(a_tool("cancel"))
    began = asyncio.Event()

    async def deed(request: ToolRequest) -> ToolResult:
        began.set()
        await asyncio.sleep(60)
        return ToolResult(None)

    box.source.deed = deed
    call = asyncio.create_task(box.call("cancel"))
    await began.wait()
    call.cancel()
    await asyncio.gather(call, return_exceptions=True)
    assert "nobody knows" in (await box.call("cancel")).failed


async def test_what_has_not_happened_may_be_tried_later_under_the_same_key() -> None:
    box = Box(a_tool("cancel"))
    box.source.deed = failing(not_asked("no connection"))
    assert (await box.call("cancel")).failed == "no connection"
    box.source.deed = None
    assert (await box.call("cancel")).content == {"number": 2}


@pytest.mark.parametrize(
    ("error", "told"), [(OutcomeUnknown("HTTP 500"), "nobody knows"), (refused("not today"), "not today")]
)
async def test_a_failure_that_may_have_done_something_stands(error: ToolError, told: str) -> None:
    box = Box(a_tool("cancel"))
    box.source.deed = failing(error)
    for _ in range(2):
        assert told in (await box.call("cancel")).failed
    assert len(box.source.calls) == 1


async def test_the_log_has_no_words_of_the_caller(caplog: pytest.LogCaptureFixture) -> None:
    box = Box(a_tool("cancel"), a_tool("find", Effect.READS))
    box.source.deed = failing(refused("name cannot be 'Ana Secret'"))
    with caplog.at_level(logging.DEBUG):
        await box.call("cancel")
        await box.call("find", key="k2")
        await box.call("Ana Secret", {"n": "Secret"}, key="k3")
        await box.call("cancel", {"n": "Secret"}, key="k4")
    assert "Secret" not in caplog.text
    assert "tool_refused" in caplog.text


async def test_a_slow_tool_is_given_up_at_its_deadline() -> None:
    box = Box(a_tool("cancel", deadline_s=0.01), a_tool("find", Effect.READS, deadline_s=0.01))

    async def deed(request: ToolRequest) -> ToolResult:
        await asyncio.sleep(60)
        return ToolResult(None)

    box.source.deed = deed
    assert "nobody knows" in (await box.call("cancel")).failed
    assert (await box.call("find", key="2")).failed == "it did not answer in time"


async def test_without_the_ledger_nothing_is_done() -> None:
    box = Box(a_tool("cancel"))

    async def away(request: ToolRequest) -> None:
        raise StoreError("database_unavailable", "away", retryable=True)

    box.ledger.begin = away  # type: ignore[assignment]
    with pytest.raises(ToolError) as told:
        await box.call("cancel")
    assert told.value.retryable
    assert box.source.calls == []


async def test_a_huge_result_is_cut_whoever_gives_it() -> None:
    box = Box(a_tool("find", Effect.READS))

    async def deed(request: ToolRequest) -> ToolResult:
        return ToolResult({"rows": [{"text": "x" * 5_000}] * 5_000})

    box.source.deed = deed
    result = await box.call("find")
    assert len(str(result.content)) < 20_000


class TestConfirmation:
    HEARD = ("cancel order one please", "yes please")

    async def test_nothing_irreversible_is_done_at_once_however_sure_the_caller_is(self) -> None:
        box = Box(a_tool("cancel", Effect.IRREVERSIBLE))
        first = await box.call("cancel", {"n": 1}, turn=5, heard=("yes", "yes"))
        assert first.content["done"] is False
        again = await box.call("cancel", {"n": 1}, turn=5, heard=("yes", "yes"), key="k2")
        assert again.content["done"] is False
        assert box.source.calls == []

    async def test_after_a_yes_it_is_done_once(self) -> None:
        box = Box(a_tool("cancel", Effect.IRREVERSIBLE))
        await box.call("cancel", {"n": 1}, turn=5, heard=self.HEARD[:1])
        for _ in range(2):  # the step runs twice
            done = await box.call("cancel", {"n": 1}, turn=6, heard=self.HEARD, key="k2", language="en")
            assert done.content == {"number": 1}
        more = await box.call("cancel", {"n": 1}, turn=6, heard=self.HEARD, key="k3", language="en")
        assert more.content["done"] is False, "one yes is for one time"
        assert len(box.source.calls) == 1

    async def test_what_was_done_is_known_whatever_was_asked_for_since(self) -> None:
        box = Box(a_tool("cancel", Effect.IRREVERSIBLE))
        await box.call("cancel", {"n": 1}, turn=5, heard=self.HEARD[:1])
        done = await box.call("cancel", {"n": 1}, turn=6, heard=self.HEARD, key="k2", language="en")
        await box.call("cancel", {"n": 2}, turn=6, heard=self.HEARD, key="k3", language="en")
        again = await box.call("cancel", {"n": 1}, turn=6, heard=self.HEARD, key="k2", language="en")
        assert again == done == ToolResult({"number": 1})

    async def test_after_a_death_over_it_nobody_knows_and_nobody_asks(self) -> None:
        box = Box(a_tool("cancel", Effect.IRREVERSIBLE))
        await box.call("cancel", {"n": 1}, turn=5, heard=self.HEARD[:1])
        box.ledger.dies_at_finish = True
        with pytest.raises(SystemError):
            await box.call("cancel", {"n": 1}, turn=6, heard=self.HEARD, key="k2", language="en")
        box.ledger.dies_at_finish = False
        again = await box.call("cancel", {"n": 1}, turn=6, heard=self.HEARD, key="k2", language="en")
        assert "nobody knows" in again.failed
        assert len(box.source.calls) == 1

    async def test_a_yes_to_one_thing_is_none_to_another(self) -> None:
        box = Box(a_tool("cancel", Effect.IRREVERSIBLE))
        await box.call("cancel", {"n": 1}, turn=5, heard=self.HEARD[:1])
        other = await box.call("cancel", {"n": 2}, turn=6, heard=self.HEARD, key="k2", language="en")
        assert other.content["done"] is False
        first = await box.call("cancel", {"n": 1}, turn=6, heard=self.HEARD, key="k3", language="en")
        assert first.content["done"] is False, "what is asked for now has taken its place"
        assert box.source.calls == []

    async def test_a_no_ends_it(self) -> None:
        box = Box(a_tool("cancel", Effect.IRREVERSIBLE))
        await box.call("cancel", {"n": 1}, turn=5, heard=self.HEARD[:1])
        said_no = await box.call("cancel", {"n": 1}, turn=6, heard=("cancel", "no wait"), key="k2", language="en")
        assert said_no.content["done"] is False
        late = await box.call("cancel", {"n": 1}, turn=7, heard=("no wait", "yes"), key="k3", language="en")
        assert late.content["done"] is False, "it has to be asked again"
        assert box.source.calls == []

    async def test_who_says_nothing_of_the_callers_words_gets_nothing_done(self) -> None:
        box = Box(a_tool("cancel", Effect.IRREVERSIBLE))
        for turn in (5, 6, 7):
            assert (await box.call("cancel", {"n": 1}, turn=turn, key=f"k{turn}")).content["done"] is False
        assert box.source.calls == []

    async def test_another_call_has_nothing_to_confirm(self) -> None:
        box = Box(a_tool("cancel", Effect.IRREVERSIBLE))
        await box.call("cancel", {"n": 1}, turn=5, heard=self.HEARD[:1])
        other = await box.call(
            "cancel", {"n": 1}, turn=6, heard=self.HEARD, key="k2", call_id="call-2", language="en"
        )
        assert other.content["done"] is False
