"""What became of a call that somebody else's agent led, and of which call it may be told."""

from __future__ import annotations

from dataclasses import replace
from datetime import UTC, datetime
from typing import Any

import pytest

from shared.domain.call import OUTBOUND, Call, CallState
from shared.domain.errors import NotFound
from shared.domain.telephony.delegated import Delegated
from shared.domain.telephony.events import CallProgressed
from shared.domain.telephony.lines import Line, Provider
from shared.use_cases.delegating.take_result import TakeResult
from tests.fakes.stores import FakeCallStore

TOLD = Delegated("i-1", "", {}, ())
CALL = Call(
    call_id="call-1",
    tenant_id="tenant-1",
    agent_id="nora",
    provider=Provider.SARVAM,
    provider_call_id="",
    caller="+15550100018",
    callee="+919800000002",
    state=CallState.QUEUED,
    started_at=datetime(2026, 11, 22, tzinfo=UTC),
    direction=OUTBOUND,
    line=Line.SARVAM,
)


def ended(attempt_id: str) -> CallProgressed:
    return CallProgressed(Provider.SARVAM, attempt_id, key="result", progress=CallState.COMPLETED, raw="connected")


class Desk:
    """Keeps what was noted."""

    def __init__(self) -> None:
        self.store = FakeCallStore()
        self.noted: list[tuple[str, str]] = []
        self.kept: list[tuple[str, str]] = []
        self.take = TakeResult(self.store, self._note, self._keep)

    async def _note(self, event: CallProgressed, *, call_id: str = "") -> None:
        self.noted.append((event.provider_call_id, call_id))

    async def _keep(self, provider: Provider, provider_call_id: str, told: Any, *, call_id: str = "") -> None:
        self.kept.append((provider_call_id, call_id))


@pytest.mark.parametrize("known_as", ["", "a-1"])
async def test_a_result_at_its_calls_own_address(known_as: str) -> None:
    """It may come before the provider has told us its id of the call."""
    desk = Desk()
    await desk.store.create(replace(CALL, provider_call_id=known_as))
    await desk.take(ended("a-1"), TOLD, call_id="call-1", is_bound=True)
    assert desk.noted == desk.kept == [("a-1", "call-1")]


@pytest.mark.parametrize(
    ("call_id", "attempt_id"), [("call-1", "a-2"), ("call-1", "a-3"), ("call-3", "a-1"), ("call-4", "a-4")]
)
async def test_an_address_speaks_of_no_other_call(call_id: str, attempt_id: str) -> None:
    """Whoever reads it in a log may know other calls' ids."""
    desk = Desk()
    await desk.store.create(replace(CALL, provider_call_id="a-1"))
    await desk.store.create(replace(CALL, call_id="call-2", provider_call_id="a-2"))
    await desk.store.create(replace(CALL, call_id="call-4", provider=Provider.TWILIO, line=Line.TWILIO))
    with pytest.raises(NotFound):
        await desk.take(ended(attempt_id), TOLD, call_id=call_id, is_bound=True)
    assert not desk.noted
    assert not desk.kept


async def test_who_signs_may_speak_of_every_call() -> None:
    desk = Desk()
    await desk.take(ended("a-9"), TOLD, call_id="call-1")
    assert desk.noted == desk.kept == [("a-9", "call-1")]
