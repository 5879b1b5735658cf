"""A tenant who may dial, for tests of outbound calls."""

from __future__ import annotations

from decimal import Decimal

from shared.domain.call import Call
from shared.domain.telephony.lines import Capability, Line, Provider
from shared.domain.telephony.outbound import Attempt, OutboundPolicy
from shared.domain.telephony.routes import Number
from shared.use_cases.calls.answer_call import AnswerCall
from shared.use_cases.calls.dial_out import DialOut
from shared.use_cases.calls.meet_machine import MeetMachine
from shared.use_cases.calls.note_progress import NoteProgress
from shared.use_cases.calls.place_call import PlaceCall, Wish
from tests.fakes.call import TENANT_ID, House
from tests.fakes.outbound import FakeNumbers

OURS, THEIRS = "+15550100001", "+14155550100"
WISH = Wish(to=THEIRS, agent_id="nora", caller_id=OURS)
POLICY = OutboundPolicy(
    prefixes=("+1415",), most_at_once=4, daily_spend=Decimal(10), minute_prices={"+1": Decimal("0.02")}
)


class OutboundHouse(House):
    """`policy` is the tenant's; its number is on Twilio."""

    def __post_init__(self) -> None:
        self.provider = Provider.TWILIO
        super().__post_init__()
        self.numbers = FakeNumbers()
        self.outbound_calls.policies[TENANT_ID] = POLICY
        self.controls = {Provider.TWILIO: self.carrier}
        self.carrier.capabilities -= {Capability.IDEMPOTENT_DIAL}
        self.place_call = PlaceCall(self.directory, self.numbers, self.outbound_calls, self.controls, self.clock)
        self.dial_out = DialOut(self.call_store, self.outbound_calls, self.controls, self.clock)
        self.answer_call = AnswerCall(self.directory, self.call_store, self.live_calls, self.pipes, self.clock)
        self.meet_machine = MeetMachine(
            self.directory, self.live_calls, self.outbound_calls, self.controls, self.end_call, begins_within_s=0
        )
        meet_machine = self.meet_machine
        self.note_progress = NoteProgress(self.call_store, self.live_calls, self.end_call, meet_machine, self.clock)

    async def place(self, wish: Wish = WISH, *, key: str = "") -> str:
        await self.numbers.put(TENANT_ID, Number(OURS, Line.TWILIO, "nora"))
        return await self.place_call(TENANT_ID, wish, self.orchestrations, idempotency_key=key)

    async def call(self, call_id: str) -> Call:
        call = await self.call_store.get(TENANT_ID, call_id)
        assert call is not None
        return call

    async def attempt(self, call_id: str) -> Attempt:
        attempt = await self.outbound_calls.of_call(TENANT_ID, call_id)
        assert attempt is not None
        return attempt
