"""A transfer is a call at the tenant's expense: it may go where the tenant may dial, and to whom the agent names."""

from __future__ import annotations

import asyncio
from dataclasses import replace
from decimal import Decimal
from typing import Any

import pytest

from shared.domain.agents.tools import BuiltIn, BuiltInTool, Tools
from shared.domain.call import CallState, EndReason
from shared.domain.errors import Conflict, Forbidden, TelephonyError
from shared.domain.manner import HandOver, Manner
from shared.domain.telephony.commands import Transfer, TransferKind
from shared.domain.telephony.events import TransferEnded
from shared.domain.telephony.lines import Capability, Line, Provider
from shared.domain.telephony.outbound import OutboundPolicy
from shared.use_cases.calls.note_transfer import NoteTransfer
from tests.fakes.call import CALL_ID, CALL_SID, TENANT_ID
from tests.shared.use_cases.calls.test_command_call import Desk, desk

SALES, PREMIUM, ANNA = Transfer("+14155550100"), Transfer("+18765550100"), "+4930123456"
POLICY = OutboundPolicy(
    prefixes=("+1415",),
    most_at_once=2,
    longest_s=600,
    daily_spend=Decimal(10),
    minute_prices={"+1": Decimal("0.1"), "+49": Decimal("0.2")},
)


async def running(
    line: Line = Line.TWILIO, *lacking: Capability, policy: OutboundPolicy | None = POLICY, **manner: Any
) -> Desk:
    made = await desk(line, *lacking)
    made.house.change_agent(manner=Manner(**manner))
    if policy is not None:
        made.house.outbound_calls.policies[TENANT_ID] = policy
    return made


async def usage(made: Desk) -> tuple[int, Decimal]:
    _, used = await made.house.outbound_calls.standing(TENANT_ID, made.house.clock.now())
    return used.open_calls, used.spent


@pytest.mark.parametrize("kind", list(TransferKind))
@pytest.mark.parametrize(
    ("line", "lacking"),
    [(Line.TWILIO, ()), (Line.VONAGE_INPUT, (Capability.COLD_TRANSFER, Capability.WARM_TRANSFER))],
)
async def test_to_where_nobody_may_dial_nobody_is_put_through(
    line: Line, lacking: tuple[Capability, ...], kind: TransferKind
) -> None:
    made = await running(line, *lacking)
    with pytest.raises(Forbidden, match=r"destination_not_allowed.*hand_over_numbers"):
        await made.command.transfer(TENANT_ID, CALL_ID, replace(PREMIUM, kind=kind))
    live = await made.live()
    assert (live.leaving, live.end_reason, made.control.told, made.ordered) == ("", "", [], [])
    assert await usage(made) == (0, 0)
    await made.command.transfer(TENANT_ID, CALL_ID, SALES)
    assert len(made.control.told) + len(made.ordered) == 1, "the call is still there to be put through"


async def test_a_destination_of_the_agents_tool_needs_no_policy() -> None:
    made = await running(policy=None)
    transfer = BuiltInTool(name=BuiltIn.TRANSFER, destinations={"Anna": ANNA})
    made.house.change_agent(tools=Tools(built_in=(transfer,)))
    with pytest.raises(Forbidden):
        await made.command.transfer(TENANT_ID, CALL_ID, SALES)
    await made.command.transfer(TENANT_ID, CALL_ID, Transfer(ANNA))


async def test_who_has_no_policy_puts_through_to_whom_the_agent_names_only() -> None:
    made = await running(policy=None, hand_over_numbers=(ANNA,))
    with pytest.raises(Forbidden):
        await made.command.transfer(TENANT_ID, CALL_ID, SALES)
    await made.command.transfer(TENANT_ID, CALL_ID, Transfer(ANNA))
    assert made.control.told == [(CALL_SID, Transfer(ANNA))]


@pytest.mark.parametrize(
    ("changes", "kind", "code"),
    [
        ({"from_minute": 0, "until_minute": 1}, Forbidden, "outside_calling_window"),
        ({"weekdays": frozenset()}, Forbidden, "outside_calling_window"),
        ({"minute_prices": {}}, Forbidden, "price_unknown"),
        ({"most_at_once": 0}, Conflict, "too_many_calls"),
        ({"daily_spend": Decimal("0.05")}, Conflict, "spend_limit"),
    ],
)
async def test_the_policy_holds_for_transfers(changes: dict[str, Any], kind: type[Exception], code: str) -> None:
    made = await running(policy=replace(POLICY, **changes), hand_over_numbers=(ANNA,))
    with pytest.raises(kind, match=code):
        await made.command.transfer(TENANT_ID, CALL_ID, SALES)
    assert (made.control.told, (await made.live()).leaving) == ([], "")
    await made.command.transfer(TENANT_ID, CALL_ID, Transfer(ANNA))
    assert made.control.told == [(CALL_SID, Transfer(ANNA))], "whom an administrator has named is reached at any time"


async def test_a_transfer_lasts_as_long_as_is_paid_for() -> None:
    made = await running(policy=replace(POLICY, daily_spend=Decimal("0.35")))
    await made.command.transfer(TENANT_ID, CALL_ID, SALES)
    assert made.control.told == [(CALL_SID, replace(SALES, longest_s=180))]
    assert await usage(made) == (1, Decimal("0.3"))


@pytest.mark.parametrize("to", [SALES.to, ANNA])
async def test_it_counts_until_nothing_has_come_of_it(to: str) -> None:
    made = await running(hand_over_numbers=(ANNA,))
    price = 10 * POLICY.minute_price(to)
    await made.command.transfer(TENANT_ID, CALL_ID, Transfer(to, TransferKind.WARM))
    assert await usage(made) == (1, price)
    house, orders = made.house, Orders()
    note = NoteTransfer(house.call_store, house.live_calls, house.end_call, orders, house.allow_transfer)  # type: ignore[arg-type]
    await note(TransferEnded(Provider.TWILIO, CALL_SID, "k", was_answered=False))
    assert await usage(made) == (0, 0)
    made.control.errors = [TelephonyError("twilio_refused", "HTTP 400")]
    with pytest.raises(TelephonyError):
        await made.command.transfer(TENANT_ID, CALL_ID, Transfer(to))
    assert await usage(made) == (0, 0)


async def test_it_counts_while_the_line_goes_on_without_us() -> None:
    made = await running()
    await made.command.transfer(TENANT_ID, CALL_ID, SALES)
    ended, now = EndReason.TRANSFERRED, made.house.clock.now()
    await made.house.call_store.advance(TENANT_ID, CALL_ID, CallState.COMPLETED, at=now, reason=ended)
    assert (await usage(made))[0] == 1
    await made.house.call_store.enrich(TENANT_ID, CALL_ID, duration_s=61.0)
    assert (await usage(made))[0] == 0, "the provider has told of the end of the caller's line"


async def test_of_two_operators_one_puts_the_caller_through() -> None:
    made, warm = await running(), replace(SALES, kind=TransferKind.WARM)
    told = await asyncio.gather(
        *(made.command.transfer(TENANT_ID, CALL_ID, warm) for _ in range(5)), return_exceptions=True
    )
    assert (
        sorted(str(one) for one in told if one is not None)
        == ["call_leaving: the call is being put through already"] * 4
    )
    assert len(made.control.told) == 1
    assert (await usage(made))[0] == 1


async def test_the_agents_own_number_needs_no_policy() -> None:
    rule = HandOver("0", ANNA)
    made = await running(policy=None, hand_over=rule)
    await made.command.hand_over(CALL_ID, rule)
    assert made.control.told == [(CALL_SID, Transfer(ANNA))]


class Orders:
    async def ended(self, call_id: str) -> None:
        """Nothing was ordered."""
