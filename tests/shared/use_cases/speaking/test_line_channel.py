"""An answer goes on where the caller is: over the connection that took the place of a broken one."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field, replace

import pytest

from shared.domain.errors import MediaError
from shared.domain.telephony.lines import Line, Provider
from shared.ports.live_calls import LiveCall
from shared.use_cases.speaking.line_channel import LineChannel

LIVE = LiveCall("call-1", "t", "a", Provider.VONAGE, "leg", Line.VONAGE, hub="vonage", connection_id="old")


@dataclass
class Ways:
    """Connections that are there, and what they got; also a clock whose time passes only while somebody sleeps."""

    there: set[str]
    live: LiveCall | None = LIVE
    got: list[tuple[str, str]] = field(default_factory=list)
    passed_ms: float = 0.0
    back_after_ms: float = float("inf")

    def open(self, provider: str, hub: str, connection_id: str, stream_id: str) -> Way:
        assert (provider, hub, stream_id) == ("vonage", "vonage", "")
        return Way(self, connection_id)

    async def ping(self) -> None: ...

    async def get(self, call_id: str) -> LiveCall | None:
        if self.live is not None and self.passed_ms >= self.back_after_ms:
            self.live, self.there = replace(self.live, connection_id="new"), {"new"}
        return self.live

    def now_ms(self) -> float:
        return self.passed_ms

    async def sleep_ms(self, duration_ms: float) -> None:
        self.passed_ms += duration_ms


@dataclass
class Way:
    ways: Ways
    connection_id: str

    async def _send(self, what: str) -> None:
        if self.connection_id == "slow":
            raise MediaError("web_pubsub_unavailable", "send", retryable=True)
        if self.connection_id not in self.ways.there:
            raise MediaError("connection_gone", "send")
        self.ways.got.append((self.connection_id, what))

    async def play(self, pcm: bytes, mark: str | None) -> None:
        await self._send(f"{len(pcm)} {mark}")

    async def clear(self) -> None:
        await self._send("clear")

    async def show(self, message: Mapping[str, object]) -> None:
        await self._send("show")

    async def hang_up(self, reason: str) -> None:
        await self._send(reason)


def channel(ways: Ways, live: LiveCall = LIVE) -> LineChannel:
    return LineChannel(ways, ways, ways, live)  # type: ignore[arg-type]


async def test_a_whole_connection_gets_everything() -> None:
    ways = Ways({"old"})
    line = channel(ways)
    await line.play(b"12", "1-1")
    await line.clear()
    await line.show({})
    await line.hang_up("over")
    assert ways.got == [("old", "2 1-1"), ("old", "clear"), ("old", "show"), ("old", "over")]


async def test_what_did_not_get_through_goes_out_on_the_next_connection_and_so_does_the_rest() -> None:
    ways = Ways(set(), back_after_ms=700)
    line = channel(ways)
    await line.play(b"12", "1-1")
    await line.play(b"1234", None)
    assert ways.got == [("new", "2 1-1"), ("new", "4 None")]
    assert ways.passed_ms == pytest.approx(700)


@pytest.mark.parametrize("live", [None, replace(LIVE, end_reason="caller_hung_up")])
async def test_nobody_waits_for_a_caller_who_has_left(live: LiveCall | None) -> None:
    ways = Ways(set(), live=live)
    with pytest.raises(MediaError):
        await channel(ways).play(b"12", None)
    assert ways.passed_ms == 0


async def test_a_connection_that_does_not_come_back_is_waited_for_in_vain() -> None:
    ways = Ways(set(), live=replace(LIVE, connection_id=""))
    with pytest.raises(MediaError):
        await channel(ways).play(b"12", None)
    assert 3000 <= ways.passed_ms <= 3200


async def test_what_may_have_been_heard_is_not_said_again() -> None:
    ways = Ways({"new"}, back_after_ms=0)
    with pytest.raises(MediaError) as error:
        await channel(ways, replace(LIVE, connection_id="slow")).play(b"12", None)
    assert error.value.retryable
    assert ways.got == []
