"""The caller hangs up, whatever the call is about just then: every step ends, nothing is said to nobody any more, and
what was said stands in the records. On every line.
"""

from __future__ import annotations

import asyncio
import random
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from typing import Protocol

import pytest

from shared.domain.call import CallState, EndReason, Provider
from shared.domain.errors import Conflict, NotFound
from shared.domain.manner import Manner
from shared.domain.steps import TurnRequest, WrapUpRequest
from shared.domain.telephony.commands import Transfer
from shared.domain.telephony.lines import CAPABILITIES, Capability, Line
from shared.domain.telephony.text_turns import Next
from shared.use_cases.calls.answer_call import AnswerCall
from shared.use_cases.calls.keep_records import KeepRecords
from tests.fakes.call import CALL_ID, TENANT_ID, House, silence, voice
from tests.fakes.telephony import FakeMediaChannel
from tests.shared.use_cases.hearing.caller import Caller
from tests.shared.use_cases.test_whole_calls import Engine
from tests.shared.use_cases.texting.text_call import Answer, TextCall

_STATES = ("ringing", "greeting", "listening", "thinking", "speaking", "transferring", "wrapping up")
_WORDS = "tell me"
_ANSWER = ("This is the first sentence.", "This is the second.", "And this is the third of them.")
_ENDED_WITHIN_S = 15


class Scene(Protocol):
    """A call on one line. Each deed brings it to a state; `spoken`: how often something was said on the line."""

    house: House

    async def greeting(self) -> None: ...

    async def words(self, *, thinks_ms: float) -> None: ...

    async def until_it_speaks(self) -> None: ...

    def spoken(self) -> int: ...

    async def ended(self) -> dict[str, str]: ...

    async def close(self) -> None: ...


class TextScene:
    """A line whose provider hears and speaks, over a socket or by requests."""

    def __init__(self, call: TextCall) -> None:
        self.call, self.house = call, call.house
        self.has_socket = Capability.TEXT_STREAM in CAPABILITIES[call.house.line]
        self.requests: list[asyncio.Task[object]] = []
        self.given = 0

    async def greeting(self) -> None:
        if self.has_socket:
            await self.call.connect()
            await self.call.words(1)
        else:
            await self._ask(0, None, 2.0)

    async def words(self, *, thinks_ms: float) -> None:
        self.call.model.answers[_WORDS] = Answer(_ANSWER, sentence_ms=thinks_ms)
        if self.has_socket:
            await self.call.streams.heard(CALL_ID, _WORDS)
        else:
            self.requests.append(asyncio.create_task(self._ask(1, _WORDS, 4.0)))

    async def _ask(self, turn: int, words: str | None, within_s: float) -> None:
        reply = await self.call.ask(turn, words, within_s=within_s)
        self.given += len(reply.sentences)

    async def until_it_speaks(self) -> None:
        if self.has_socket:
            await self.call.words(2)
        else:
            await asyncio.gather(*self.requests)

    def spoken(self) -> int:
        return len(self.call.channel.words) + self.given

    async def ended(self) -> dict[str, str]:
        await asyncio.gather(*self.requests)
        return await self.call.ended(_ENDED_WITHIN_S)

    async def close(self) -> None:
        await self.call.close()


class AudioScene(Engine):
    """A line whose sound we hear and make."""

    def __init__(self, house: House) -> None:
        super().__init__(house, random.Random(0), mortal=False)
        self.caller = Caller(house)
        self.talking: asyncio.Task[None] | None = None
        self.model = _Model(house)  # type: ignore[assignment]

    async def greeting(self) -> None:
        live = await self.house.live_calls.get(CALL_ID)
        assert live is not None
        await self.house.attach_media._attach(live, "clients", "connection-1", "")
        self._talk(silence(60))
        await self._until_played(1)

    def _talk(self, *sounds: bytes) -> None:
        async def talk() -> None:
            await self.caller.sound(*sounds)
            await self.caller.keep_silent()

        if self.talking is not None:
            self.talking.cancel()
        self.talking = asyncio.create_task(talk())

    async def words(self, *, thinks_ms: float) -> None:
        await asyncio.sleep(2)  # the greeting has been said
        self.model.thinks_ms = thinks_ms  # type: ignore[attr-defined]
        self._talk(voice(900), silence(100))
        async with asyncio.timeout(20):
            while not self.model.asked:
                await asyncio.sleep(0.05)

    async def until_it_speaks(self) -> None:
        await self._until_played(self.spoken() + 1)

    async def _until_played(self, number: int) -> None:
        async with asyncio.timeout(20):
            while self.spoken() < number:
                await asyncio.sleep(0.02)

    def spoken(self) -> int:
        return len(self.house.channel.played)

    async def ended(self) -> dict[str, str]:
        if self.talking is not None:
            self.talking.cancel()
        async with asyncio.timeout(_ENDED_WITHIN_S):
            while pending := [step for step in self.steps if not step.done()]:
                await asyncio.wait(pending)
        return {step.get_name(): step.result() for step in self.steps}

    async def close(self) -> None:
        tasks = [*self.steps, *([self.talking] if self.talking else [])]
        for task in tasks:
            task.cancel()
        await asyncio.gather(*tasks, return_exceptions=True)
        await self.house.channel.finish()


class _Model:
    """Says the answer, slowly."""

    def __init__(self, house: House) -> None:
        self.house, self.thinks_ms, self.asked = house, 0.0, list[str]()

    async def answer(self, messages, *, call_id, wish=None):  # type: ignore[no-untyped-def]
        self.asked.append(messages[-1].text)
        for sentence in _ANSWER:
            await self.house.clock.sleep_ms(self.thinks_ms)
            yield f"{sentence} "


@asynccontextmanager
async def _scene(line: Line) -> AsyncIterator[Scene]:
    scene = await (_text(line) if line.carries_text else _audio(line))
    try:
        yield scene
    finally:
        await scene.close()


async def _text(line: Line) -> TextScene:
    call = TextCall(line)
    call.house.change_agent(silence_limit_s=600, manner=Manner(filler_after_ms=0))
    await call.ring()
    return TextScene(call)


async def _audio(line: Line) -> AudioScene:
    house = House(provider=Provider(line.provider))
    house.line = line
    house.change_agent(silence_limit_s=600, manner=Manner(filler_after_ms=0))
    house.channel = house.channels.channel = FakeMediaChannel(house.clock, house.pipes, CALL_ID)
    await house.ring()
    answer_call = AnswerCall(house.directory, house.call_store, house.live_calls, house.pipes, house.clock)
    await answer_call._prepare_greeting(CALL_ID, house.agent)
    scene = AudioScene(house)
    scene.begin(1)
    return scene


async def _bring_to(scene: Scene, state: str) -> None:
    if state == "ringing":
        return
    await scene.greeting()
    if state == "greeting":
        return
    await asyncio.sleep(3)
    if state in ("listening", "transferring"):
        if state == "transferring":
            await scene.house.live_calls.leave(CALL_ID, EndReason.TRANSFERRED)
            if isinstance(scene, TextScene) and not scene.has_socket:
                orders = scene.call.orders
                if Capability.COLD_TRANSFER in CAPABILITIES[scene.house.line]:
                    await orders.order(CALL_ID, Transfer("+14155550123"))
        return
    await scene.words(thinks_ms=3000 if state == "thinking" else 50)
    if state == "thinking":
        await asyncio.sleep(1)
        return
    await scene.until_it_speaks()
    await asyncio.sleep(0.7)


async def _records(scene: Scene, turns: int, reason: str) -> tuple[KeepRecords, WrapUpRequest]:
    house = scene.house
    keep = KeepRecords(
        call_store=house.call_store,
        live_calls=house.live_calls,
        pipes=house.pipes,
        files=house.files,
        channels=house.channels,
        meter=house.meter,
        clock=house.clock,
    )
    for turn in range(1, turns + 1):
        await keep.of_turn(TurnRequest(TENANT_ID, CALL_ID, turn, greet=turn == 1))
    return keep, WrapUpRequest(TENANT_ID, CALL_ID, turns, reason)


@pytest.mark.parametrize("state", _STATES)
@pytest.mark.parametrize("line", list(Line))
async def test_the_caller_hangs_up(line: Line, state: str) -> None:
    async with _scene(line) as scene:
        house = scene.house
        await _bring_to(scene, state)
        await house.end_call.note(CALL_ID, EndReason.CALLER_HUNG_UP)
        await asyncio.sleep(0.2)
        spoken = scene.spoken()
        results = await scene.ended()
        assert scene.spoken() <= spoken, "nobody is spoken to who is not there any more"
        turns = max(int(name.split()[1]) for name in results)
        journals = [await house.live_calls.journal(CALL_ID, turn) for turn in range(turns + 1)]
        assert all("outcome" in journal for journal in journals)
        reason = "transferred" if state == "transferring" else "caller_hung_up"
        assert results[f"hear {turns}"] == reason
        keep, ended = await _records(scene, turns, results[f"hear {turns}"])
        await keep.of_call(ended)
        if state == "wrapping up":  # told late, and once more
            await house.end_call.note(CALL_ID, EndReason.CALLER_HUNG_UP)
            await keep.of_call(ended)
        await house.end_call.hang_up(CALL_ID)
        await keep.close(ended)
        await house.end_call.note(CALL_ID, EndReason.CALLER_HUNG_UP)
        await _assert_kept(house, state, reason)
        await _assert_over(scene)


async def _assert_kept(house: House, state: str, reason: str) -> None:
    call = await house.call_store.get(TENANT_ID, CALL_ID)
    assert call is not None
    assert call.end_reason == reason
    assert call.state is CallState.COMPLETED
    assert await house.live_calls.get(CALL_ID) is None
    if state in ("thinking", "speaking", "wrapping up"):
        (heard,) = (turn.heard for turn in call.turns if turn.heard)
        assert heard == _WORDS or not house.line.carries_text
    if state in ("speaking", "wrapping up"):
        (answer,) = (turn.said for turn in call.turns if turn.heard)
        assert answer
        assert " ".join(_ANSWER).startswith(answer)


async def _assert_over(scene: Scene) -> None:
    """A provider that asks late is told that the call is over."""
    if isinstance(scene, TextScene) and not scene.has_socket:
        with pytest.raises((NotFound, Conflict)):
            assert (await scene.call.ask(2, "hello?")).next is not Next.HANG_UP
