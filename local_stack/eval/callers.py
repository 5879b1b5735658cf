"""Simulated callers: one types and reads, one speaks and listens, one is put through by another provider."""

from __future__ import annotations

import asyncio
import base64
from collections.abc import Awaitable, Callable, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Final

from local_stack.eval.phone import RESULT, Phone
from local_stack.eval.scenario import Caller, CallerLine, Scenario
from local_stack.eval.trouble import CannotEvaluate

_ANSWER_WITHIN_S: Final = 25.0
_QUIET_MS: Final = 900
_QUIET_OF_PROVIDER_MS: Final = 1800
"""Where the provider speaks, the app knows of the end of an answer only as well as it can reckon."""
_SOUND_LINES: Final = ("twilio", "vonage")
_BREATH_S: Final = 1.0
_LETTER_S: Final = 0.08
_LONGEST_LISTENING_S: Final = 12.0
"""Before hanging up, the caller takes the time in which the last answer would be spoken: that is how long the app,
which is told nothing of it on such a line, holds it for running."""
_WHAT_COMES_OF_IT_S: Final = 3.0
"""So long the app may still wait after that, and a person's telephone be busy."""
_WITH_A_PERSON_S: Final = 1.5
_MORE_WITHIN_S: Final = 0.3
"""So long a caller who types waits for more, once an answer is whole."""

Sound = Callable[[CallerLine, int], Awaitable[dict[str, Any]]]
"""The utterance of a caller's line, by its place, as the phone simulator takes it."""
NextWords = Callable[[str], Awaitable[str | None]]
"""What a caller says to what the agent has said; None: the caller has what it wants."""


@dataclass
class PlacedCall:
    """What was seen of the call on the line."""

    call_sid: str = ""
    events: list[Mapping[str, Any]] = field(default_factory=list)

    @property
    def result(self) -> Mapping[str, Any]:
        last = self.events[-1] if self.events else {}
        if last.get("event") != RESULT:
            raise CannotEvaluate("the phone simulator went away in the middle of the call")
        result: Mapping[str, Any] = last["result"]
        return result

    @property
    def folder(self) -> Path | None:
        files = self.result.get("files")
        return None if files is None else Path(files["events"]).parent


@dataclass(frozen=True)
class TypingCaller:
    """Waits for every answer, and types the next words. `next_words` stands in for the lines where a model plays."""

    phone: Phone
    next_words: NextWords | None = None

    async def call(self, scenario: Scenario, number: str) -> PlacedCall:
        """Raises: CannotEvaluate."""
        placed, answered, over = PlacedCall(), asyncio.Queue[str](), asyncio.Event()
        wish = {
            "provider": "twilio-relay",
            "typed": True,
            "speaks": False,
            "max_call_ms": scenario.longest_s * 1000,
            "from": scenario.caller.number,
            "to": number,
        }
        talking: asyncio.Task[None] | None = None
        parting: asyncio.Task[None] | None = None
        try:
            async for event in self.phone.call(wish):
                placed.events.append(event)
                if event["event"] == "call_started":
                    placed.call_sid = event["call_sid"]
                    talking = asyncio.create_task(self._talk(scenario.caller, placed.call_sid, answered, over))
                elif event["event"] == "agent_said":
                    answered.put_nowait(event["text"])
                elif event["event"] == "call_ended":
                    over.set()
                elif event["event"] == "bridged" or event.get("told") == "participant-join":
                    parting = asyncio.create_task(self._part(placed.call_sid))
        finally:
            over.set()
            await asyncio.gather(*(task for task in (talking, parting) if task is not None))
        return placed

    async def _part(self, call_sid: str) -> None:
        """Put through to a person, whom nobody plays: there is nothing more to be seen."""
        await asyncio.sleep(_WITH_A_PERSON_S)
        await self.phone.hang_up(call_sid)

    async def _talk(self, caller: Caller, call_sid: str, answered: asyncio.Queue[str], over: asyncio.Event) -> None:
        """Says one thing after the other, hangs up at the end, unless the caller waits."""
        heard = await self._answer(answered, over)
        said = 0
        while (line := await self._next(caller, said, heard)) is not None:
            if line.listens:
                await asyncio.sleep(_listening_s(heard) + _WHAT_COMES_OF_IT_S)
            if over.is_set() or not await self.phone.type_in(call_sid, line.say, line.language):
                return
            said += 1
            heard = await self._answer(answered, over)
        if not caller.waits and not over.is_set():
            await asyncio.sleep(_listening_s(heard))
            await self.phone.hang_up(call_sid)

    async def _next(self, caller: Caller, said: int, heard: str) -> CallerLine | None:
        """What comes after `said` lines, the last of which was answered by `heard`; None: the caller is done."""
        if caller.persona is None or self.next_words is None:
            return caller.lines[said] if said < len(caller.lines) else None
        words = await self.next_words(heard) if said < caller.persona.turns else None
        return None if words is None else CallerLine(words)

    async def _answer(self, answered: asyncio.Queue[str], over: asyncio.Event) -> str:
        """What the agent says until no more of it comes; "" where nothing does."""
        said: list[str] = []
        ended = asyncio.create_task(over.wait())
        try:
            within_s = _ANSWER_WITHIN_S
            while not over.is_set():
                coming = asyncio.create_task(answered.get())
                await asyncio.wait({coming, ended}, timeout=within_s, return_when=asyncio.FIRST_COMPLETED)
                if not coming.done():
                    coming.cancel()
                    break
                said.append(coming.result())
                within_s = _MORE_WITHIN_S
        finally:
            ended.cancel()
        return " ".join(said)


@dataclass(frozen=True)
class ImprovisingCaller:
    """Speaks what a model makes up, each time the agent has said all. `voice`: words as the phone simulator takes
    them; `said`: what the agent said in the call from a turn on, by the provider's id of it.
    """

    phone: Phone
    next_words: NextWords
    voice: Callable[[str], Awaitable[dict[str, Any]]]
    said: Callable[[str, int], Awaitable[str]]

    async def call(self, scenario: Scenario, number: str) -> PlacedCall:
        """Raises: CannotEvaluate."""
        turns = scenario.caller.persona.turns if scenario.caller.persona else 0
        wish = {**_wish_of(scenario, number), "improvises": True}
        placed, speaking = PlacedCall(), list[asyncio.Task[None]]()
        try:
            async for event in self.phone.call(wish):
                placed.call_sid = placed.call_sid or str(event.get("call_sid", ""))
                placed.events.append(event)
                if event["event"] == "caller_thinks":
                    speaking.append(asyncio.create_task(self._speak(placed.call_sid, event["turn"], turns)))
        finally:
            await asyncio.gather(*speaking)
        return placed

    async def _speak(self, call_sid: str, turn: int, turns: int) -> None:
        words = await self.next_words(await self.said(call_sid, turn)) if turn < turns else None
        if words is None or not await self.phone.speak(call_sid, await self.voice(words)):
            await self.phone.hang_up(call_sid)


def _wish_of(scenario: Scenario, number: str) -> dict[str, Any]:
    return {
        "provider": scenario.line,
        "from": scenario.caller.number,
        "to": number,
        "max_call_ms": scenario.longest_s * 1000,
        "reply_timeout_ms": 30_000,
        "quiet_ms": _QUIET_MS if scenario.line in _SOUND_LINES else _QUIET_OF_PROVIDER_MS,
    }


@dataclass(frozen=True)
class SpeakingCaller:
    """Speaks and listens on a line that carries sound; who is put through is first a contact of another provider."""

    phone: Phone
    sound: Sound

    async def call(self, scenario: Scenario, number: str, gateway: str = "") -> PlacedCall:
        """`gateway`: the number that was dialled at the other provider, if there is one. Raises: CannotEvaluate."""
        wish = await self._wish(scenario, number)
        return await self._placed(wish) if not gateway else await self._handed(scenario, wish, gateway)

    async def _wish(self, scenario: Scenario, number: str) -> dict[str, Any]:
        caller = scenario.caller
        said = [await self.sound(line, at) for at, line in enumerate(caller.lines)]
        wish = _wish_of(scenario, number)
        if said:
            wish |= {"utterances": said, "pattern": _pattern(caller.lines)}
        else:
            wish["speaks"] = False
        language = next((line.language for line in caller.lines if line.language), "")
        return wish | ({"language": language} if language and scenario.line.startswith("twilio") else {})

    async def _placed(self, wish: Mapping[str, Any]) -> PlacedCall:
        placed = PlacedCall()
        async for event in self.phone.call(wish):
            placed.call_sid = placed.call_sid or str(event.get("call_sid", ""))
            placed.events.append(event)
        return placed

    async def _handed(self, scenario: Scenario, wish: Mapping[str, Any], gateway: str) -> PlacedCall:
        """As the carrier does, brings the call when the other provider dials the number."""
        contact = {
            "provider": "connect",
            "gateway_number": wish["to"],
            "attributes": dict(scenario.caller.handed),
            "to": gateway,
            "speaks": False,
            "max_call_ms": scenario.longest_s * 1000,
            "from": scenario.caller.number,
        }
        dialled = asyncio.Event()

        async def be_put_through() -> None:
            async for event in self.phone.call(contact):
                if event["event"] == "dialled":
                    dialled.set()

        contacting = asyncio.create_task(be_put_through())
        try:
            async with asyncio.timeout(_ANSWER_WITHIN_S):
                await dialled.wait()
            return await self._placed(wish)
        except TimeoutError:
            raise CannotEvaluate("the other provider has not put the caller through") from None
        finally:
            contacting.cancel()
            await asyncio.gather(contacting, return_exceptions=True)


def _pattern(lines: Sequence[CallerLine]) -> str:
    """A letter a reply: b where the next line is said into it."""
    letters = ["b" if line.interrupts else "p" for line in lines[1:]]
    return "".join([*letters, "p"])


def from_file(path: Path, text: str, label: str = "") -> dict[str, Any]:
    return {"file": str(path), "text": text, "label": label or path.name}


def from_wav(data: bytes, text: str, label: str) -> dict[str, Any]:
    return {"wav_base64": base64.b64encode(data).decode(), "text": text, "label": label}


def _listening_s(heard: str) -> float:
    """How long it takes to hear what was read."""
    return min(_BREATH_S + _LETTER_S * len(heard), _LONGEST_LISTENING_S)
