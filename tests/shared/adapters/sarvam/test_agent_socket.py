"""Whatever an agent's socket brings, the call goes on or hears that the agent is gone."""

from __future__ import annotations

import asyncio
import json
from types import SimpleNamespace
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from shared.adapters.sarvam.agent_socket import SamvaadSession
from shared.domain.errors import TelephonyError
from shared.ports.delegates import DelegateEvent, Interrupted, Meeting, Over, Sound, Uttered

CHUNK = {
    "origin": "server",
    "type": "server.media.audio_chunk",
    "audio_base64": "AAABAAIA",
    "format": "audio/wav",
    "sample_rate": 16_000,
    "status": "pending",
}
MESSAGES: tuple[dict[str, Any], ...] = (
    CHUNK,
    {"type": "server.event.transcription", "role": "user", "content": "नमस्ते"},
    {"type": "server.event.user_interrupt"},
    {"type": "server.system.ping", "event_id": 5},
    {"type": "server.event.variable_update", "variables": {}},
)


class FakeSocket:
    """Brings these texts, then closes."""

    def __init__(self, *texts: str) -> None:
        self.sent: list[dict[str, Any]] = []
        self.closed, self.close_code = False, 1000
        self._texts = list(texts)

    async def receive(self) -> Any:
        if not self._texts:
            self.closed = True
            return SimpleNamespace(type=SimpleNamespace(name="CLOSED"), data=None)
        return SimpleNamespace(type=SimpleNamespace(name="TEXT"), data=self._texts.pop(0))

    async def send_str(self, text: str) -> None:
        self.sent.append(json.loads(text.encode()))

    async def close(self) -> None:
        self.closed = True


async def events_of(*texts: str) -> list[DelegateEvent]:
    """All of them, until it closes."""
    found: list[DelegateEvent] = []
    session = SamvaadSession(FakeSocket(*texts), silent_s=1.0)  # type: ignore[arg-type]
    with pytest.raises(TelephonyError) as error:
        async for event in session.events():
            found.append(event)
        raise TelephonyError("sarvam_unavailable", "over", retryable=True)
    assert error.value.code == "sarvam_unavailable"
    return found


async def test_what_it_brings() -> None:
    found = await events_of(*map(json.dumps, MESSAGES), json.dumps({"type": "server.action.interaction_end"}))
    assert found == [Sound(b"\0\0\1\0\2\0", False), Uttered(True, "नमस्ते"), Interrupted(), Over()]


@pytest.mark.parametrize("rate", [[16_000], {"hz": 8_000}, "16000", 7, -1, 1e400, True, 16_000.5])
async def test_a_rate_that_is_none_costs_the_chunk_and_not_the_call(rate: Any) -> None:
    found = await events_of(json.dumps(CHUNK | {"sample_rate": rate}), json.dumps(CHUNK))
    assert found == [Sound(b"\0\0\1\0\2\0", False)]


_TEXT = st.text(st.characters(), max_size=12) | st.sampled_from(["\ud83d", "AAA=", "é", "user", "AA=="])
_JUNK = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | _TEXT,
    lambda inner: st.lists(inner, max_size=2) | st.dictionaries(_TEXT, inner, max_size=2),
    max_leaves=5,
)


@st.composite
def spoiled(draw: st.DrawFn) -> str:
    whole = dict(draw(st.sampled_from(MESSAGES)))
    name = draw(st.sampled_from(sorted(whole)))
    return json.dumps(whole | {name: draw(_JUNK)})


@given(st.lists(spoiled() | st.text(max_size=20) | _JUNK.map(json.dumps) | st.just("[" * 5000), max_size=6))
@settings(max_examples=150, deadline=None)
def test_nothing_else_breaks_it(texts: list[str]) -> None:
    asyncio.run(events_of(*texts))


@given(st.lists(spoiled(), max_size=4))
@settings(max_examples=60, deadline=None)
def test_nothing_breaks_its_beginning(texts: list[str]) -> None:
    async def begin() -> None:
        session = SamvaadSession(FakeSocket(*texts), silent_s=1.0)  # type: ignore[arg-type]
        with pytest.raises(TelephonyError):
            await session.begin(Meeting(call_id="call-1", caller="", language="hi", greeting="", variables={}))

    asyncio.run(begin())
