"""What the house does for a caller is done for that caller alone, by what the record says and not the model."""

from __future__ import annotations

from dataclasses import dataclass, field, replace
from datetime import timedelta
from decimal import Decimal
from typing import Any

import pytest

from shared.domain.agents.document import Agent
from shared.domain.agents.tools import BuiltIn, BuiltInTool, Effect, Tools
from shared.domain.call import INBOUND, OUTBOUND, Call
from shared.domain.errors import Conflict, Forbidden, StoreError, TelephonyError
from shared.domain.telephony.commands import Transfer, TransferKind
from shared.domain.telephony.lines import Line
from shared.domain.telephony.outbound import OutboundPolicy
from shared.domain.telephony.progress import CallState
from shared.domain.telephony.routes import Number
from shared.domain.tools.outcomes import OutcomeUnknown
from shared.ports.callbacks import CallbackState
from shared.ports.earlier_calls import EarlierCall
from shared.ports.tool_box import ToolResult
from shared.use_cases.tools.built_in_tools import BuiltInTools
from shared.use_cases.tools.confirmations import Confirmations
from shared.use_cases.tools.joined_tools import JoinedTools
from tests.fakes.clock import FakeClock
from tests.fakes.memory import FakeShortMemory
from tests.fakes.outbound import FakeNumbers, FakeOutboundCalls
from tests.fakes.stores import FakeCallStore
from tests.fakes.tools import FakeCallbacks, FakeEarlierCalls, FakeMessagesTaken, FakeToolLedger, an_agent, asked

OURS, THEIRS, SALES = "+15550100009", "+15550100001", "+15550100055"


@dataclass
class House:
    clock: FakeClock = field(default_factory=FakeClock)
    calls: FakeCallStore = field(default_factory=FakeCallStore)
    numbers: FakeNumbers = field(default_factory=FakeNumbers)
    callbacks: FakeCallbacks = field(default_factory=FakeCallbacks)
    messages: FakeMessagesTaken = field(default_factory=FakeMessagesTaken)
    earlier: FakeEarlierCalls = field(default_factory=FakeEarlierCalls)
    ledger: FakeToolLedger = field(default_factory=FakeToolLedger)
    sent: list[tuple[str, str, str, str]] = field(default_factory=list)
    transferred: list[tuple[str, str, Transfer]] = field(default_factory=list)
    ended: list[tuple[str, str]] = field(default_factory=list)
    error: Exception | None = None
    can_write: bool = True

    def __post_init__(self) -> None:
        self.outbound = FakeOutboundCalls(self.calls)
        self.outbound.policies["acme"] = OutboundPolicy(
            prefixes=("+1555",), minute_prices={"+": Decimal("0.1")}, most_at_once=1, daily_spend=Decimal(100)
        )

    def agent(self) -> Agent:
        tools = [BuiltInTool(name=name) for name in BuiltIn if name is not BuiltIn.TRANSFER]
        transfer = BuiltInTool(name=BuiltIn.TRANSFER, destinations={"sales": SALES}, description="Only if asked.")
        return an_agent(tools=Tools(built_in=(transfer, *tools)))

    def box(self) -> JoinedTools:
        source = BuiltInTools(
            call_store=self.calls,
            numbers=self.numbers,
            outbound_calls=self.outbound,
            callbacks=self.callbacks,
            messages=self.messages,
            earlier_calls=self.earlier,
            short_messages=self if self.can_write else None,
            transfer=self.transfer,
            hang_up=self.end,
            clock=self.clock,
        )
        return JoinedTools([source], self.ledger, Confirmations(FakeShortMemory()))

    async def begin(self, *, direction: str = INBOUND, theirs: str = THEIRS, line: Line = Line.TWILIO) -> None:
        parties = (theirs, OURS) if direction == INBOUND else (OURS, theirs)
        await self.calls.create(
            Call(
                call_id="call-1",
                tenant_id="acme",
                agent_id="first",
                provider=line.provider,
                provider_call_id="CA1",
                line=line,
                direction=direction,
                caller=parties[0],
                callee=parties[1],
                state=CallState.IN_PROGRESS,
                started_at=self.clock.now(),
            )
        )
        await self.numbers.put("acme", Number(OURS, Line.TWILIO, "first"))

    async def call(self, name: str, arguments: dict[str, Any] | None = None, **more: Any) -> ToolResult:
        return await self.box().call(self.agent(), asked(name, arguments, **more))

    async def send(self, tenant_id: str, *, sender: str, to: str, text: str) -> str:
        self._fail()
        self.sent.append((tenant_id, sender, to, text))
        return "SM1"

    async def transfer(self, tenant_id: str, call_id: str, transfer: Transfer) -> None:
        self._fail()
        self.transferred.append((tenant_id, call_id, transfer))

    async def end(self, tenant_id: str, call_id: str) -> None:
        self._fail()
        self.ended.append((tenant_id, call_id))

    def _fail(self) -> None:
        if self.error:
            raise self.error


@pytest.fixture
def house() -> House:
    return House()


async def test_all_are_offered_with_their_effects(house: House) -> None:
    offered = {tool.name: tool for tool in await house.box().tools(house.agent())}
    assert set(offered) == set(BuiltIn)
    assert offered[BuiltIn.LOOK_UP_CALLER].effect is Effect.READS
    assert offered[BuiltIn.TRANSFER].description == "Only if asked."
    assert offered[BuiltIn.TRANSFER].parameters["properties"]["destination"]["enum"] == ["sales"]
    house.can_write = False
    assert BuiltIn.SEND_SMS not in {tool.name for tool in await house.box().tools(house.agent())}


async def test_a_transfer_goes_to_a_declared_destination_only(house: House) -> None:
    assert (await house.call("transfer", {"destination": "sales"})).content == {"done": True}
    assert house.transferred == [("acme", "call-1", Transfer(SALES))]
    for invented in ("+15550100666", "Sales", "sales ", 5, ["sales"]):
        result = await house.call("transfer", {"destination": invented}, key=f"k{invented}")
        assert "arguments are wrong" in result.failed
    result = await house.call("transfer", {"destination": "sales", "to": "+15550100666"}, key="k")
    assert "arguments are wrong" in result.failed
    assert len(house.transferred) == 1


@pytest.mark.parametrize(
    ("line", "transfer"),
    [
        (Line.TWILIO_RELAY, Transfer(SALES, TransferKind.WARM, "From the order desk.")),
        (Line.CONNECT, Transfer(SALES)),
    ],
)
async def test_a_transfer_is_warm_where_the_document_wants_it_and_the_line_can(
    house: House, line: Line, transfer: Transfer
) -> None:
    tool = BuiltInTool(
        name=BuiltIn.TRANSFER,
        destinations={"sales": SALES},
        kind=TransferKind.WARM,
        whisper="From the order desk.",
    )
    await house.begin(line=line)
    agent = an_agent(tools=Tools(built_in=(tool,)))
    result = await house.box().call(agent, asked("transfer", {"destination": "sales"}))
    assert result.content == {"done": True}
    assert house.transferred == [("acme", "call-1", transfer)]


@pytest.mark.parametrize(
    ("error", "told"),
    [
        (Forbidden("destination_not_allowed", "may not be dialled"), "may not be dialled"),
        (Conflict("call_leaving", "being put through already"), "being put through"),
        (TelephonyError("twilio_unavailable", "no answer", retryable=True), "nobody knows"),
        (StoreError("redis", "away", retryable=True), "nobody knows"),
    ],
)
async def test_a_transfer_that_fails_is_told_by_what_is_known(house: House, error: Exception, told: str) -> None:
    house.error = error
    assert told in (await house.call("transfer", {"destination": "sales"})).failed


async def test_a_text_message_goes_to_the_caller_once(house: House) -> None:
    await house.begin()
    for _ in range(2):
        assert (await house.call("send_sms", {"text": " Your slot: 9:00 "})).content == {"sent": True}
    assert house.sent == [("acme", OURS, THEIRS, "Your slot: 9:00")]
    assert "arguments are wrong" in (await house.call("send_sms", {"text": "x", "to": SALES}, key="k2")).failed
    assert "arguments are wrong" in (await house.call("send_sms", {"text": "x" * 481}, key="k3")).failed


async def test_in_an_outbound_call_the_other_end_is_whom_we_called(house: House) -> None:
    await house.begin(direction=OUTBOUND)
    await house.call("send_sms", {"text": "Hello"})
    assert house.sent == [("acme", OURS, THEIRS, "Hello")]


async def test_a_text_message_that_may_have_gone_is_not_sent_again(house: House) -> None:
    await house.begin()
    house.error = OutcomeUnknown("HTTP 500")
    assert "nobody knows" in (await house.call("send_sms", {"text": "Hello"})).failed
    house.error = None
    assert "nobody knows" in (await house.call("send_sms", {"text": "Hello"})).failed
    assert house.sent == []


@pytest.mark.parametrize("name", ["send_sms", "schedule_callback", "look_up_caller"])
async def test_who_has_no_number_or_is_somebody_elses_gets_nothing(house: House, name: str) -> None:
    arguments = {"send_sms": {"text": "x"}, "schedule_callback": {"in_minutes": 5}}.get(name, {})
    assert "not known" in (await house.call(name, arguments)).failed, "no such call"
    await house.begin(theirs="anonymous", line=Line.WEB)
    assert "not known" in (await house.call(name, arguments, key="k2")).failed
    assert "not known" in (await house.call(name, arguments, key="k3", tenant_id="globex")).failed


async def test_a_call_back_is_planned_once_to_the_callers_own_number(house: House) -> None:
    await house.begin()
    for _ in range(2):
        house.ledger.entries.clear()  # even where nothing else remembers
        result = await house.call("schedule_callback", {"in_minutes": 30, "reason": "the order"})
        assert "planned_for" in result.content
    (planned,) = await house.callbacks.find("acme")
    assert (planned.to, planned.caller_id, planned.reason) == (THEIRS, OURS, "the order")
    assert timedelta(minutes=29) < planned.due_at - house.clock.now() <= timedelta(minutes=30)
    assert planned.state is CallbackState.PLANNED


async def test_nothing_is_promised_that_may_not_be_dialled(house: House) -> None:
    await house.begin(theirs="+4915550100")
    assert "may not be dialled" in (await house.call("schedule_callback", {"in_minutes": 30})).failed
    assert await house.callbacks.find("acme") == []


async def test_calls_back_to_one_number_have_a_limit(house: House) -> None:
    await house.begin()
    for i in range(3):
        await house.call("schedule_callback", {"in_minutes": 30 + i}, key=f"k{i}")
    assert "enough" in (await house.call("schedule_callback", {"in_minutes": 40}, key="k9")).failed


async def test_only_the_callers_own_earlier_calls_are_told(house: House) -> None:
    await house.begin()
    known = EarlierCall(
        house.clock.now() - timedelta(days=1), INBOUND, "caller_hung_up", "Asked for a table.", "booked"
    )
    old = replace(known, started_at=house.clock.now() - timedelta(days=200))
    house.earlier.of_party["acme", THEIRS] = [known, old]
    house.earlier.of_party["acme", SALES] = [replace(known, summary="somebody else's")]
    result = await house.call("look_up_caller")
    (told,) = result.content["earlier_calls"]
    assert (told["summary"], told["outcome"]) == ("Asked for a table.", "booked")
    assert "arguments are wrong" in (await house.call("look_up_caller", {"number": SALES})).failed


async def test_a_message_is_taken_once_with_the_caller_that_the_door_has_proved(house: House) -> None:
    arguments = {"message": " Ring me back. ", "name": "Ana", "number": "555 0100", "urgent": True}
    for _ in range(2):
        house.ledger.entries.clear()
        assert (await house.call("take_message", arguments)).content == {"taken": True}
    (taken,) = await house.messages.find("acme")
    assert (taken.caller, taken.text, taken.name, taken.is_urgent) == (THEIRS, "Ring me back.", "Ana", True)


async def test_the_ledger_keeps_a_hang_up_from_happening_twice(house: House) -> None:
    assert (await house.call("hang_up")).content == {"done": True}
    assert (await house.call("hang_up")).content == {"done": True}
    assert house.ended == [("acme", "call-1")]
