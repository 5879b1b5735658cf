"""A caller who is put through by the agent's key is dialled for at the tenant's expense, as by an operator."""

from __future__ import annotations

from dataclasses import replace

from shared.domain.errors import MediaError
from shared.domain.manner import HandOver, Manner
from shared.domain.telephony.commands import Transfer, TransferKind
from shared.domain.telephony.text_turns import Next
from shared.use_cases.texting.transfer_orders import TransferOrders
from tests.fakes.call import CALL_ID
from tests.shared.use_cases.texting.text_call import by_requests

MANNER = Manner(hand_over=HandOver("0", "+14155550123", TransferKind.WARM))


async def test_it_counts_once_however_often_it_is_asked_for() -> None:
    async with by_requests(manner=MANNER) as call:
        await call.ask(0, None)
        for _ in range(2):
            assert (await call.ask(1, "0")).next is Next.TRANSFER
        (leg,) = call.house.outbound_calls.legs
        assert (leg.call_id, leg.number) == (CALL_ID, "+14155550123")


class NoOrders(TransferOrders):
    async def order(self, call_id: str, transfer: Transfer) -> None:
        raise MediaError("media_gone", "the line cannot be told")


async def test_it_does_not_count_where_the_line_cannot_be_told() -> None:
    async with by_requests(manner=MANNER) as call:
        await call.ask(0, None)
        orders = call.orders
        call.take = replace(call.take, orders=NoOrders(orders.pipes, orders.live_calls, orders.channels))
        assert (await call.ask(1, "0")).text == "You said 0."
        assert call.house.outbound_calls.legs == []
