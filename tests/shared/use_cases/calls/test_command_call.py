"""A running call is told what to do, or why that cannot be done, before anything is done."""

from __future__ import annotations

from dataclasses import replace

import pytest

from shared.domain import pipe_names
from shared.domain.call import EndReason, Provider
from shared.domain.errors import Conflict, InvalidRequest, NotFound, TelephonyError
from shared.domain.manner import HandOver, Manner
from shared.domain.telephony.commands import SendKeys, Transfer, TransferKind
from shared.domain.telephony.lines import Capability, Line, Unsupported
from shared.ports.live_calls import LiveCall
from shared.use_cases.calls.command_call import CommandCall
from tests.fakes.call import CALL_ID, CALL_SID, TENANT_ID, House
from tests.fakes.telephony import FakeCallControl
from tests.fakes.text_channel import FakeTextChannel

TO_DESK = Transfer("+14155550188")
TO_DESK_WARM = Transfer("+14155550188", TransferKind.WARM, whisper="A caller about a bill.")


class Desk:
    """A running call on a line, and who tells it what to do."""

    def __init__(self, line: Line, *lacking: Capability, is_set_up: bool = True) -> None:
        self.house = House(provider=line.provider)
        self.house.line = line
        self.control = FakeCallControl(*lacking)
        self.ordered: list[tuple[str, Transfer]] = []
        controls = {line.provider: self.control} if is_set_up else {}
        house = self.house
        house.change_agent(manner=Manner(hand_over_numbers=(TO_DESK.to,)))
        self.channel = FakeTextChannel()
        self.command = CommandCall(
            house.call_store,
            house.live_calls,
            house.directory,
            controls,
            house.end_call,
            self._order,
            house.allow_transfer,
            self.channel,
        )

    async def _order(self, call_id: str, transfer: Transfer) -> None:
        self.ordered.append((call_id, transfer))

    async def live(self) -> LiveCall:
        live = await self.house.live_calls.get(CALL_ID)
        assert live is not None
        return live


async def desk(line: Line = Line.TWILIO, *lacking: Capability, is_set_up: bool = True) -> Desk:
    made = Desk(line, *lacking, is_set_up=is_set_up)
    await made.house.connect()
    return made


async def test_a_cold_transfer_ends_our_part_and_leaves_the_line() -> None:
    made = await desk()
    await made.command.transfer(TENANT_ID, CALL_ID, TO_DESK)
    assert made.control.told == [(CALL_SID, TO_DESK)]
    assert (await made.live()).end_reason == EndReason.TRANSFERRED
    await made.house.end_call.hang_up(CALL_ID)
    assert made.house.carrier.hung_up == []


@pytest.mark.parametrize("looks_like", [EndReason.CALLER_HUNG_UP, EndReason.ERROR, EndReason.NO_MEDIA])
async def test_a_stream_that_stops_before_the_provider_has_answered_is_the_transfer(
    looks_like: EndReason, monkeypatch: pytest.MonkeyPatch
) -> None:
    made = await desk()

    async def transfer(provider_call_id: str, transfer: Transfer) -> None:
        await made.house.end_call.note(CALL_ID, looks_like)

    monkeypatch.setattr(made.control, "transfer", transfer)
    await made.command.transfer(TENANT_ID, CALL_ID, TO_DESK)
    assert (await made.live()).end_reason == EndReason.TRANSFERRED


async def test_a_warm_transfer_ends_nothing_until_somebody_is_there() -> None:
    made = await desk()
    await made.command.transfer(TENANT_ID, CALL_ID, TO_DESK_WARM)
    live = await made.live()
    assert (live.end_reason, live.leaving) == ("", EndReason.TRANSFERRED)
    assert made.control.told == [(CALL_SID, replace(TO_DESK_WARM, language="en"))], "it whispers as the agent speaks"
    with pytest.raises(Conflict, match="call_leaving"):
        await made.command.transfer(TENANT_ID, CALL_ID, TO_DESK)
    assert len(made.control.told) == 1


async def test_an_operator_may_still_hang_up_on_who_waits() -> None:
    made = await desk()
    await made.command.transfer(TENANT_ID, CALL_ID, TO_DESK_WARM)
    await made.house.end_call.by_operator(TENANT_ID, CALL_ID)
    assert (await made.live()).end_reason == EndReason.OPERATOR_HUNG_UP
    assert made.house.carrier.hung_up == [CALL_SID]


async def test_a_transfer_that_fails_leaves_the_call_with_the_agent() -> None:
    made = await desk()
    made.control.errors = [TelephonyError("twilio_refused", "HTTP 400")]
    with pytest.raises(TelephonyError):
        await made.command.transfer(TENANT_ID, CALL_ID, TO_DESK)
    live = await made.live()
    assert (live.end_reason, live.leaving) == ("", "")
    await made.command.transfer(TENANT_ID, CALL_ID, TO_DESK)
    assert len(made.control.told) == 1


@pytest.mark.parametrize("line", [Line.CONNECT, Line.CONNECT_LEX, Line.SARVAM])
async def test_a_line_that_is_told_with_its_next_answer_gets_an_order(line: Line) -> None:
    made = await desk(line, Capability.COLD_TRANSFER)
    await made.command.transfer(TENANT_ID, CALL_ID, TO_DESK)
    assert (made.ordered, made.control.told) == ([(CALL_ID, TO_DESK)], [])
    live = await made.live()
    assert (live.end_reason, live.leaving) == ("", EndReason.TRANSFERRED)


@pytest.mark.parametrize(
    ("line", "capability"),
    [
        (Line.WEB, Capability.COLD_TRANSFER),
        (Line.CONNECT, Capability.WARM_TRANSFER),
        (Line.SARVAM, Capability.WARM_TRANSFER),
    ],
)
async def test_what_the_line_cannot_do(line: Line, capability: Capability) -> None:
    made = await desk(line)
    transfer = TO_DESK_WARM if capability is Capability.WARM_TRANSFER else TO_DESK
    with pytest.raises(Unsupported) as error:
        await made.command.transfer(TENANT_ID, CALL_ID, transfer)
    assert (error.value.capability, bool(error.value.alternative)) == (capability, True)
    live = await made.live()
    assert (made.control.told, made.ordered, live.leaving) == ([], [], "")


async def test_keys_and_recording() -> None:
    made = await desk()
    await made.command.send_keys(TENANT_ID, CALL_ID, SendKeys("12#"))
    await made.command.record(TENANT_ID, CALL_ID, on=True)
    await made.command.record(TENANT_ID, CALL_ID, on=False)
    assert made.control.told == [(CALL_SID, SendKeys("12#")), (CALL_SID, True), (CALL_SID, False)]
    connect = await desk(Line.CONNECT)
    with pytest.raises(Unsupported, match="give the keys with the transfer"):
        await connect.command.send_keys(TENANT_ID, CALL_ID, SendKeys("1"))
    assert connect.control.told == []


async def test_a_provider_that_is_not_set_up() -> None:
    made = await desk(is_set_up=False)
    for command in (
        made.command.transfer(TENANT_ID, CALL_ID, TO_DESK),
        made.command.send_keys(TENANT_ID, CALL_ID, SendKeys("1")),
        made.command.record(TENANT_ID, CALL_ID, on=True),
    ):
        with pytest.raises(InvalidRequest, match="provider_not_set_up"):
            await command
    assert (await made.live()).leaving == ""


async def test_another_tenants_call_is_unknown() -> None:
    made = await desk()
    for command in (
        made.command.transfer("tenant-2", CALL_ID, TO_DESK),
        made.command.send_keys("tenant-2", CALL_ID, SendKeys("1")),
        made.command.record("tenant-2", CALL_ID, on=True),
    ):
        with pytest.raises(NotFound):
            await command
    assert made.control.told == []


async def test_a_call_that_does_not_run_cannot_be_told() -> None:
    made = await desk()
    await made.house.end_call.note(CALL_ID, EndReason.SILENT)
    with pytest.raises(Conflict, match="call_not_running"):
        await made.command.transfer(TENANT_ID, CALL_ID, TO_DESK)
    await made.house.live_calls.close(CALL_ID, 1)
    with pytest.raises(Conflict, match="call_not_running"):
        await made.command.send_keys(TENANT_ID, CALL_ID, SendKeys("1"))
    assert made.control.told == []


async def test_the_callers_key_hands_the_call_over_once() -> None:
    made = await desk()
    rule = HandOver("0", "+14155550188")
    for _ in range(2):
        await made.command.hand_over(CALL_ID, rule)
    assert made.control.told == [(CALL_SID, TO_DESK)]


async def test_where_it_cannot_be_handed_over_the_agent_goes_on(caplog: pytest.LogCaptureFixture) -> None:
    made = await desk(Line.WEB)
    await made.command.hand_over(CALL_ID, HandOver("0", "+14155550188"))
    live = await made.live()
    assert (live.end_reason, live.leaving) == ("", "")
    assert "unsupported" in caplog.text
    assert "+1415" not in caplog.text
    await made.command.hand_over("another", HandOver("0", "+14155550188"))


async def test_the_end_is_told_where_the_line_is_heard() -> None:
    made = await desk(Line.TWILIO_GATHER)
    await made.command.transfer(TENANT_ID, CALL_ID, TO_DESK)
    newest = await made.house.pipes.last(pipe_names.words(CALL_ID))
    assert newest is not None
    assert newest.fields[b"reason"] == b"transferred"
    assert made.house.provider is Provider.TWILIO


async def test_keys_go_over_a_socket_of_words_which_stays_open() -> None:
    made = await desk(Line.TWILIO_RELAY)
    await made.command.send_keys(TENANT_ID, CALL_ID, SendKeys("12w#"))
    assert made.channel.told == [("keys", "12w#")]
    assert made.control.told == [], "a redirect would end the relay"


async def test_keys_wait_for_a_socket_that_is_being_replaced() -> None:
    made = await desk(Line.TWILIO_RELAY)
    live = await made.live()
    await made.house.live_calls.detach(CALL_ID, connection_id=live.connection_id)
    with pytest.raises(Conflict) as raised:
        await made.command.send_keys(TENANT_ID, CALL_ID, SendKeys("1"))
    assert raised.value.code == "call_not_connected"
    assert made.channel.told == made.control.told == []
