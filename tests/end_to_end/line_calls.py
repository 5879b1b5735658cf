"""Calls over every line, some at a time: each kind of call is placed once a line, for tests to look at."""

from __future__ import annotations

import asyncio
import json
from collections.abc import Awaitable, Callable, Iterable, Mapping
from dataclasses import dataclass, field
from enum import StrEnum
from pathlib import Path
from typing import Any

from shared.domain.telephony.lines import CAPABILITIES, Capability, Line, Provider
from tests.end_to_end.outside import ask, introduce, utterances
from tests.end_to_end.stack import Stack
from tests.end_to_end.words import words

AT_ONCE = 3
"""Calls at the same time; a machine of two cores bears as many."""
ATTEMPTS = 3
"""Calls of one kind, until one of them is fair."""
LONG_ANSWER_WORDS = 12
"""Some four seconds: an answer of a small model may be as good as over when it is interrupted after one."""
LINES = tuple(line for line in Line if line is not Line.WEB)
POLICY = {"prefixes": ["+1415"], "most_at_once": 20, "daily_spend": "100", "minute_prices": {"+": "0.01"}}
OUTBOUND_WITHIN_S = 90
LEGS_KEPT_WITHIN_S = 20

TALK = ("tt-weasels", "number-not-answering", "check-number-dial-again")
INTERRUPTING = ("tt-weasels", "number-not-answering", "vm-savefolder")
PERSON = ("vm-nobodyavail", "feature-not-avail-line")
CALLED = ("number-not-answering",)
GREETING = PERSON[:1]
"""Of the machine."""
MESSAGE = "This is Acme Telephones. The technician comes tomorrow at noon."
KEYS = "12#"
WHISPER = "A caller with a telephone problem."
Order = tuple[str, Mapping[str, Any] | None]
"""A path of the app's API, and what is posted there."""
_PATIENT = {"reply_timeout_ms": 45_000, "quiet_ms": 1800}
"""Several at once are slow on a small machine: the line may be quiet between the first words and the rest."""
_SAYS_HELLO = {"ring_ms": 300, "greeting_timeout_ms": 500, "reply_timeout_ms": 6000}


class Kind(StrEnum):
    TALK = "talk"
    """Three turns, and where the line takes keys two of them."""
    INTERRUPTED = "interrupted"
    """The first reply is interrupted, and then the caller is put through to a person."""
    WARM = "warm"
    """In the first reply a person is called, told who it is about, and joined with the caller."""
    HUNG_UP = "hung up"
    """An operator has it recorded by the provider, sends keys, and ends it after a turn, as far as the line can."""
    OUTBOUND = "outbound"
    """We dial."""
    MACHINE = "machine"
    """We dial, and a machine answers."""


@dataclass
class LineCall:
    """What came of a call. `result` and `events` are the simulator's, `record` is the app's."""

    line: Line
    result: dict[str, Any] = field(default_factory=dict)
    events: list[dict[str, Any]] = field(default_factory=list)
    record: dict[str, Any] = field(default_factory=dict)
    transcript: str = ""
    answers: list[tuple[int, dict[str, Any]]] = field(default_factory=list)
    """Status and document of what the app's API was asked meanwhile."""
    other_legs: list[list[dict[str, Any]]] = field(default_factory=list)
    """Events of the calls to the person who was dialled, where those are calls of their own."""
    agent_wav: Path = Path()
    """What was heard of us."""

    def turn(self, number: int) -> dict[str, Any]:
        found: dict[int, dict[str, Any]] = {turn["number"]: turn for turn in self.record["turns"]}
        assert number in found, f"no turn {number}: {self.transcript!r}"
        return found[number]

    def events_of(self, *names: str) -> list[dict[str, Any]]:
        return [event for event in self.events if event["event"] in names]


class LineCalls:
    """Every call that a test of this run wants is begun at once, and waits for its turn."""

    def __init__(self, stack: Stack, operator: str, admin: str) -> None:
        self._stack = stack
        self._operator = operator
        self._admin = admin
        self._gate = asyncio.Semaphore(AT_ONCE)
        self._policy = asyncio.Lock()
        self._has_policy = False
        self._tasks: dict[tuple[Kind, Line], asyncio.Task[LineCall]] = {}
        self._own: dict[tuple[str, Line], asyncio.Task[LineCall]] = {}
        self._makers: Mapping[Kind, Callable[[Line], Awaitable[LineCall]]] = {
            Kind.TALK: self._talk,
            Kind.INTERRUPTED: self._interrupt_and_put_through,
            Kind.WARM: self._hand_over_warmly,
            Kind.HUNG_UP: self._hang_up,
            Kind.OUTBOUND: self._dial,
            Kind.MACHINE: self._dial_machine,
        }

    def begin(self, wanted: Iterable[tuple[Kind, Line]]) -> None:
        for kind, line in wanted:
            if (kind, line) not in self._tasks:
                self._tasks[kind, line] = asyncio.create_task(self._one(kind, line))

    async def get(self, kind: Kind, line: Line) -> LineCall:
        self.begin([(kind, line)])
        return await asyncio.shield(self._tasks[kind, line])

    def begin_own(self, name: str, line: Line, place: Callable[[Line], Awaitable[LineCall]]) -> None:
        """A call that is no kind of everybody's; it too waits for its turn."""

        async def placed() -> LineCall:
            async with self._gate:
                return await place(line)

        if (name, line) not in self._own:
            self._own[name, line] = asyncio.create_task(placed())

    async def own(self, name: str, line: Line) -> LineCall:
        return await asyncio.shield(self._own[name, line])

    async def close(self) -> None:
        tasks = (*self._tasks.values(), *self._own.values())
        for task in tasks:
            task.cancel()
        await asyncio.gather(*tasks, return_exceptions=True)

    async def _one(self, kind: Kind, line: Line) -> LineCall:
        async with self._gate:
            for _ in range(ATTEMPTS):
                call = await self._makers[kind](line)
                if _is_fair(kind, call):
                    break
            return call

    async def _talk(self, line: Line) -> LineCall:
        call = LineCall(line)
        keys = [{"digits": "12#"}] if Capability.KEYS_IN in CAPABILITIES[line] else []
        wish = {"from": _number(line, 1), "to": number_of(line), **_PATIENT}
        await self._follow(call, {}, **wish, utterances=[*self._utterances(TALK), *keys])
        return call

    async def _interrupt_and_put_through(self, line: Line) -> LineCall:
        """A line that is told what to do with the answer to its next request is told a turn earlier."""
        call, person = LineCall(line), person_of(line, Kind.INTERRUPTED)
        await self._allow_dialling()
        await introduce(self._stack, person, utterances=self._utterances(PERSON), **_SAYS_HELLO)
        hears_late = line.provider.value == "connect"
        at = ("caller_started", 2) if hears_late else ("agent_started", 2)
        path, document = "/api/calls/{call_id}/transfer", {"to": person}
        wish = {"from": _number(line, 2), "to": number_of(line, "talkative"), **_PATIENT, "reply_timeout_ms": 20_000}
        turns = 3 if Capability.COLD_TRANSFER in CAPABILITIES[line] else 2
        utterances = self._utterances(INTERRUPTING)
        plan = {"pattern": "bp", "barge_in_after_ms": 1000, "turns": turns}
        await self._follow(call, {at: (path, document)}, **wish, **plan, utterances=utterances)
        return call

    async def _hand_over_warmly(self, line: Line) -> LineCall:
        call, person = LineCall(line), person_of(line, Kind.WARM)
        await self._allow_dialling()
        await introduce(self._stack, person, utterances=self._utterances(PERSON), **_SAYS_HELLO)
        document = {"to": person, "kind": "warm", "whisper": WHISPER}
        orders = {("agent_started", 1): ("/api/calls/{call_id}/transfer", document)}
        wish = {"from": _number(line, 4), "to": number_of(line), **_PATIENT, "reply_timeout_ms": 20_000}
        await self._follow(call, orders, **wish, utterances=self._utterances(INTERRUPTING[:2]))
        if line.provider is Provider.TWILIO:
            call.other_legs = await self._calls_to(person)
        return call

    async def _hang_up(self, line: Line) -> LineCall:
        call, path = LineCall(line), "/api/calls/{call_id}"
        able = CAPABILITIES[line]
        orders: dict[tuple[str, int], Order] = {}
        if Capability.RECORDING in able:
            orders["agent_received", 0] = (f"{path}/recording", {"on": True})
        orders["agent_started", 0] = (f"{path}/keys", {"keys": KEYS})
        orders["agent_stopped", 1] = (f"{path}/hangup", None)
        wish = {"from": _number(line, 3), "to": number_of(line), **_PATIENT}
        await self._follow(call, orders, **wish, utterances=self._utterances(TALK), max_call_ms=60_000)
        return call

    async def _dial(self, line: Line) -> LineCall:
        """Asked for twice at the same moment, with one key."""
        person = person_of(line, Kind.OUTBOUND)
        await introduce(self._stack, person, utterances=self._utterances(CALLED), ring_ms=300, **_PATIENT)
        return await self._dialled(line, person, times=2)

    async def _dial_machine(self, line: Line) -> LineCall:
        person = person_of(line, Kind.MACHINE)
        await introduce(self._stack, person, callee="machine", utterances=self._utterances(GREETING), ring_ms=300)
        return await self._dialled(line, person, voicemail="leave_message", message=MESSAGE)

    async def _dialled(self, line: Line, person: str, *, times: int = 1, **more: str) -> LineCall:
        """One call, also where it is asked for several times with the same key."""
        call = LineCall(line)
        await self._allow_dialling()
        wish = {"to": person, "agent_id": "calm", "caller_id": number_of(line), "line": line.value, **more}
        key = {"Idempotency-Key": f"end-to-end-{person}"}
        call.answers += await asyncio.gather(*(self._post("/api/calls", wish, key) for _ in range(times)))
        assert call.answers[0][0] == 202, call.answers
        call_id = call.answers[0][1]["call_id"]
        async with asyncio.timeout(OUTBOUND_WITHIN_S):
            while True:
                call.record = await self._stack.get(f"/api/calls/{call_id}", self._operator)
                if call.record["state"] in ("completed", "failed"):
                    break
                await asyncio.sleep(0.3)
        call.events = [event for events in await self._calls_to(person) for event in events]
        leg = next(event["call_sid"] for event in call.events if event["event"] == "call_started")
        call.agent_wav = self._stack.state_dir / "calls" / leg / "agent.wav"
        return call

    async def _calls_to(self, person: str) -> list[list[dict[str, Any]]]:
        """The events of every call that the simulator has had with this person as the one who is called."""
        async with asyncio.timeout(LEGS_KEPT_WITHIN_S):
            while True:
                kept = map(_events_in, self._stack.state_dir.glob("calls/*/events.json"))
                if calls := [events for events in kept if _called(events) == person]:
                    return calls
                await asyncio.sleep(0.3)

    async def _follow(self, call: LineCall, orders: Mapping[tuple[str, int], Order], **wish: Any) -> None:
        """Places a call; `orders` are given to the app at an event of a turn."""
        call_sid, given = "", []
        async for event in self._stack.place_call(provider=call.line.value, **wish):
            call.events.append(event)
            call_sid = call_sid or event.get("call_sid", "")
            order = orders.get((event["event"], event.get("turn", -1)))
            if order is not None:
                given.append(asyncio.create_task(self._order(call_sid, *order)))
        call.answers += await asyncio.gather(*given)
        assert call.events[-1]["event"] == "call_result", call.events[-1]
        call.result = call.events.pop()["result"]
        call.agent_wav = Path(call.result["files"]["agent_wav"])
        call.record = await self._stack.ended_call(call_sid, self._operator)
        call.transcript = await self._stack.transcript(call.record["call_id"])

    async def _order(
        self, call_sid: str, path: str, document: Mapping[str, Any] | None
    ) -> tuple[int, dict[str, Any]]:
        record = await self._stack.call_record(call_sid, self._operator)
        return await self._post(path.format(call_id=record["call_id"]), document)

    async def _post(
        self, path: str, document: Mapping[str, Any] | None, headers: Mapping[str, str] | None = None
    ) -> tuple[int, dict[str, Any]]:
        return await ask(self._stack, self._operator, "POST", path, document=document, headers=headers)

    def _utterances(self, voices: Iterable[str]) -> list[dict[str, Any]]:
        return utterances(self._stack, voices)

    async def _allow_dialling(self) -> None:
        async with self._policy:
            if not self._has_policy:
                status, document = await ask(self._stack, self._admin, "PUT", "/api/outbound-policy", document=POLICY)
                assert status == 200, document
                self._has_policy = True


def _events_in(path: Path) -> list[dict[str, Any]]:
    """None of a file that is being written."""
    try:
        events: list[dict[str, Any]] = json.loads(path.read_text())["events"]
    except ValueError:
        return []
    return events


def _called(events: list[dict[str, Any]]) -> str:
    return next((str(event["to"]) for event in events if event["event"] == "call_started"), "")


def _is_fair(kind: Kind, call: LineCall) -> bool:
    """Whether it shows anything: where nobody knows whose turn it is, on lines that carry sound, a caller may fall
    into the pause of an answer that comes late on a busy machine; and no model may answer in time there, or at
    length.
    """
    if kind is Kind.INTERRUPTED:
        turns = call.result["turns"]
        return len(turns) > 2 and turns[2]["interruption"] is not None and _is_long_enough(call)
    return kind is not Kind.TALK or all(
        turn["outcome"] not in ("interrupted", "failed") for turn in call.record["turns"]
    )


def _is_long_enough(call: LineCall) -> bool:
    """Whether there was more of the answer than was heard. Where only what was heard is noted, that tells it."""
    return Capability.HEARD_WORDS in CAPABILITIES[call.line] or len(words(call.turn(1)["said"])) >= LONG_ANSWER_WORDS


def number_of(line: Line, agent_id: str = "calm") -> str:
    """The agent's number on the line, as `seed.json` has it."""
    numbers = json.loads(Path(__file__).with_name("seed.json").read_text())["tenants"][0]["numbers"]
    return next(str(one["number"]) for one in numbers if (one["agent_id"], one.get("line")) == (agent_id, line))


def person_of(line: Line, kind: Kind) -> str:
    """Who is dialled in a call of this kind."""
    return _number(line, 10 + list(Kind).index(kind))


def _number(line: Line, whose: int) -> str:
    return f"+1415555{LINES.index(line):02d}{whose:02d}"
