"""Hands a caller over on a line that can be told nothing until it asks: the order waits for its next request."""

from __future__ import annotations

from dataclasses import dataclass

from shared.domain import pipe_names
from shared.domain.errors import Conflict, NotFound
from shared.domain.telephony.commands import Transfer, TransferKind
from shared.domain.telephony.lines import CAPABILITIES, Capability, require
from shared.domain.telephony.orders import read_transfer, transfer_text
from shared.ports.live_calls import LiveCalls
from shared.ports.pipes import Pipes
from shared.ports.text_channel import TextChannels


@dataclass(frozen=True, slots=True)
class TransferOrders:
    """In the orders pipe stands each transfer that was ordered, to which turn's reply it was given, and that it is
    over.
    """

    pipes: Pipes
    live_calls: LiveCalls
    channels: TextChannels

    async def order(self, call_id: str, transfer: Transfer) -> None:
        """The line is told with its next reply; one that has a socket at once, with the transfer as its handoff
        (`read_transfer`). Raises: NotFound, Conflict for a call that is over, Unsupported, MediaError.
        """
        live = await self.live_calls.get(call_id)
        if live is None:
            raise NotFound("call_unknown", "the call is not running")
        if live.end_reason:
            raise Conflict("call_ended", "the call has ended already")
        is_warm = transfer.kind is TransferKind.WARM
        require(live.line, Capability.WARM_TRANSFER if is_warm else Capability.COLD_TRANSFER)
        if Capability.TEXT_STREAM in CAPABILITIES[live.line]:
            await self.channels.open_text(live).end(transfer_text(transfer))
            return
        orders = pipe_names.orders(call_id)
        await self.pipes.append(orders, {"event": "order", "transfer": transfer_text(transfer)})

    async def ended(self, call_id: str) -> None:
        """The caller is back with the agent: what was ordered is done with, and not to be given out again."""
        await note_back(self.pipes, call_id)

    async def due(self, call_id: str, turn: int, *, is_newest: bool) -> Transfer | None:
        """What the reply to a request for this turn orders: what was given to it before, or what nobody has been
        given yet, which only the newest turn is.
        """
        orders = pipe_names.orders(call_id)
        waiting, given = "", ""
        for entry in await self.pipes.read(orders):
            match entry.fields[b"event"]:
                case b"order":
                    waiting = entry.fields[b"transfer"].decode()
                case b"given" if entry.fields[b"turn"] == str(turn).encode():
                    given, waiting = entry.fields[b"transfer"].decode(), ""
                case b"given":
                    waiting = ""
                case _:
                    waiting, given = "", ""
        if waiting and is_newest:
            await self.pipes.append(orders, {"event": "given", "turn": str(turn), "transfer": waiting})
            given = waiting
        return read_transfer(given) if given else None


async def is_away(pipes: Pipes, live_calls: LiveCalls, call_id: str) -> bool:
    """Whether the caller is being put through to somebody, and so cannot be silent towards us."""
    live = await live_calls.get(call_id)
    newest = await pipes.last(pipe_names.orders(call_id))
    return (live is not None and bool(live.leaving)) or (newest is not None and newest.fields[b"event"] == b"given")


async def note_back(pipes: Pipes, call_id: str) -> None:
    """The caller could not be put through, and is with the agent. Raises: StoreError."""
    await pipes.append(pipe_names.orders(call_id), {"event": "over"})


async def back_at_ms(pipes: Pipes, call_id: str) -> float:
    """When the caller came back from the last transfer; 0 where there was none."""
    newest = await pipes.last(pipe_names.orders(call_id))
    return newest.at_ms if newest is not None and newest.fields[b"event"] == b"over" else 0.0
