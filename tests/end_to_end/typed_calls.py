"""Calls whose caller types and reads, over a line that passes words: quick, many at a time; and agents for them."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

import aiohttp

from tests.end_to_end.outside import ask
from tests.end_to_end.stack import Stack

ACME = "00000000-0000-4000-8000-000000000001"
TOOL_SECRET = "the-secret-of-the-company-of-tests"
"""Of Acme, under the name `company`."""
ANSWERED_WITHIN_S = 45
_MORE_WITHIN_S = 0.3
"""So long the caller waits for more, once an answer is whole."""
_BREATH_S, _LETTER_S, _LONGEST_LISTENING_S = 0.5, 0.08, 12.0
"""Before the telephone is put down, the last answer is listened to: the app, which on this line is not told when it
is over, reckons how long that takes."""


@dataclass(frozen=True, slots=True)
class Line:
    """What the caller types; `first` is awaited before, `meanwhile` is done once it is typed."""

    text: str
    first: Callable[[], Awaitable[None]] | None = None
    meanwhile: Callable[[], Awaitable[None]] | None = None


@dataclass
class TypedCall:
    """What came of it. `said`: the greeting, and the answer to each line; `record` is the app's."""

    call_sid: str = ""
    said: list[str] = field(default_factory=list)
    events: list[dict[str, Any]] = field(default_factory=list)
    record: dict[str, Any] = field(default_factory=dict)

    @property
    def turns(self) -> dict[int, dict[str, Any]]:
        return {turn["number"]: turn for turn in self.record["turns"]}


async def publish(
    stack: Stack,
    agent_id: str,
    document: Mapping[str, Any],
    *,
    on: Sequence[tuple[str, str]],
    admin: str,
    tenant_id: str = ACME,
) -> None:
    """An administrator drafts and publishes the agent, and puts it on numbers: (number, line)."""
    path = f"/api/agents/{agent_id}"
    status, drafted = await ask(stack, admin, "PUT", f"{path}/draft", document=document)
    assert status == 200, drafted
    status, published = await ask(stack, admin, "POST", f"{path}/publish", document={"revision": drafted["revision"]})
    assert status == 200, published
    platform = await asyncio.to_thread(stack.token, "platform")
    for number, line in on:
        place, whose = f"{line.partition('-')[0]}/{number}", {"tenant_id": tenant_id}
        status, given = await ask(stack, platform, "PUT", f"/api/number-allotments/{place}", document=whose)
        assert status in (200, 201), given
        routed = {"agent_id": agent_id, "line": line}
        status, given = await ask(stack, admin, "PUT", f"/api/numbers/{place}", document=routed)
        assert status in (200, 201), given


async def typed_call(
    stack: Stack, number: str, lines: Sequence[Line | str], *, caller: str, operator: str, listens: bool = True
) -> TypedCall:
    """The caller types a line once the one before is answered, and hangs up at the end, if that is left to do. Who no
    longer `listens` does so at once: of the last answer nothing is on record then.
    """
    call, answers, over = TypedCall(), asyncio.Queue[str](), asyncio.Event()
    wish = {"provider": "twilio-relay", "typed": True, "speaks": False, "from": caller, "to": number}
    talking: asyncio.Task[None] | None = None
    try:
        async for event in stack.place_call(**wish, max_call_ms=120_000):
            call.events.append(event)
            match event["event"]:
                case "call_started":
                    call.call_sid = event["call_sid"]
                    asked = [Line(line) if isinstance(line, str) else line for line in lines]
                    longest_s = _LONGEST_LISTENING_S if listens else 0.0
                    talking = asyncio.create_task(_talk(stack, call, asked, answers, over, longest_s=longest_s))
                case "agent_said":
                    answers.put_nowait(event["text"])
                case "call_ended":
                    over.set()
    finally:
        over.set()
        if talking is not None:
            await talking
    call.record = await stack.ended_call(call.call_sid, operator)
    return call


async def _talk(
    stack: Stack,
    call: TypedCall,
    lines: Sequence[Line],
    answers: asyncio.Queue[str],
    over: asyncio.Event,
    *,
    longest_s: float,
) -> None:
    phones = f"http://localhost:{stack.ports['phones']}/_local"
    call.said.append(await _answer(answers, over))
    async with aiohttp.ClientSession() as session:
        for line in lines:
            if line.first is not None:
                await line.first()
            if over.is_set():
                return
            typed = f"{phones}/twilio/typed/{call.call_sid}"
            async with session.post(typed, json={"text": line.text}) as response:
                if response.status == 404:
                    return  # the call has ended meanwhile
                assert response.status == 204, await response.text()
            if line.meanwhile is not None:
                await line.meanwhile()
            call.said.append(await _answer(answers, over))
        await asyncio.sleep(min(_BREATH_S + _LETTER_S * len(call.said[-1]), longest_s))
        if not over.is_set():
            async with session.delete(f"{phones}/calls/{call.call_sid}"):
                pass


async def _answer(answers: asyncio.Queue[str], over: asyncio.Event) -> str:
    """All that the agent says until no more of it comes; "" where nothing does."""
    ended, said, within_s = asyncio.create_task(over.wait()), list[str](), float(ANSWERED_WITHIN_S)
    try:
        while True:
            coming = asyncio.create_task(answers.get())
            await asyncio.wait({coming, ended}, timeout=within_s, return_when=asyncio.FIRST_COMPLETED)
            if not coming.done():
                coming.cancel()
                return " ".join(said)
            said.append(coming.result())
            within_s = _MORE_WITHIN_S
    finally:
        ended.cancel()
