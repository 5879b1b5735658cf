"""What there is to draw of a call, in seconds from the line's first frame, read from what the call left on disk."""

from __future__ import annotations

import json
import time
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Any, Final

import numpy as np
from numpy.typing import NDArray

from local_stack.phones import g711, wav
from local_stack.phones.account_of_call import AccountOfCall, LineTurn, telling_costs
from local_stack.phones.app_api import ApiUnreachable, AppTurn, read_call
from local_stack.phones.call_files import CallFiles
from local_stack.phones.events import CallEvent

Sound = NDArray[np.int16]

STEPS: Final = {
    "transcript_ms": "words known",
    "first_token_ms": "first token",
    "first_audio_byte_ms": "first sound made",
    "turn_ended_ms": "turn over",
    "first_frame_sent_ms": "first frame sent",
}
"""The app's moments of an answer, in the order in which they are drawn."""
PASSED_ON: Final = "words passed on"
HEARD: Final = "heard"
_AFTERMATH_S: Final = 1.0
"""So long after a murmur a clear is taken to be its consequence."""


class NotACall(Exception):
    """The folder does not hold a call; the message is one line."""


@dataclass(frozen=True)
class Step:
    """Something that the answer passed, so many ms after the caller's last word (the greeting: after the answer)."""

    name: str
    at_s: float
    after_ms: float


@dataclass
class Answer:
    """A turn of the agent."""

    number: int
    words: str
    from_s: float | None
    """Since when the caller waits for it."""
    begins_s: float | None = None
    ends_s: float | None = None
    outcome: str = ""
    steps: list[Step] = field(default_factory=list)
    filler_s: float | None = None
    took: str = ""
    """What else it took, such as what was prepared and thrown away, in words."""


@dataclass(frozen=True)
class Speech:
    """A turn of the caller."""

    number: int
    begins_s: float
    ends_s: float
    words: str
    heard: str
    """What the app understood."""


@dataclass(frozen=True)
class Cut:
    """The caller began to speak while the agent was heard: from that moment until the agent was silent."""

    begins_s: float
    silent_s: float
    stop_ms: float
    by_clear: bool


@dataclass(frozen=True)
class MurmurDrawn:
    """A sound over the agent's reply that was no turn, and how long the reply was not heard for its sake."""

    label: str
    begins_s: float
    ends_s: float
    resumed_s: float | None = None
    silent_ms: float = 0.0
    cleared: bool = False

    @property
    def outcome(self) -> str:
        """What came of it, in words."""
        if self.resumed_s is not None:
            return f"held for {self.silent_ms:.0f} ms, goes on"
        return "the agent is cut off" if self.cleared else "the agent goes on"


@dataclass
class Scene:
    """All of one call."""

    title: str
    verdict: str
    caller: Sound
    agent: Sound
    speeches: list[Speech] = field(default_factory=list)
    answers: list[Answer] = field(default_factory=list)
    cuts: list[Cut] = field(default_factory=list)
    murmurs: list[MurmurDrawn] = field(default_factory=list)
    clears_s: list[float] = field(default_factory=list)
    marks_s: list[float] = field(default_factory=list)

    @property
    def seconds(self) -> float:
        return len(self.caller) / g711.SAMPLE_RATE_HZ


def read_scene(folder: Path) -> Scene:
    """Raises: NotACall."""
    files = CallFiles(folder)
    try:
        document = json.loads(files.events.read_text(encoding="utf-8"))
        tracks = [wav.read(path.read_bytes()).samples for path in (files.caller_wav, files.agent_wav)]
        events = [CallEvent.from_json(event) for event in document["events"]]
    except (OSError, ValueError, KeyError, TypeError) as error:
        raise NotACall(f"{folder} does not hold a call: {error}") from None
    caller, agent = ((samples * 2**15).astype(np.int16) for samples in tracks)
    account = _account(events, files.app_record)
    scene = Scene(_title(events), _verdict(document["summary"]["turns"]), caller, agent)
    zero_ms = _zero_ms(events)
    _add_line(scene, events, account, zero_ms)
    _add_answers(scene, account, _heard_from(events), zero_ms)
    return scene


def _account(events: Iterable[CallEvent], app_record: Path) -> AccountOfCall:
    account = AccountOfCall()
    for event in events:
        account.take(event)
    try:
        account.app_call = read_call(json.loads(app_record.read_text(encoding="utf-8")))
    except (OSError, ValueError, ApiUnreachable):
        account.app_call = None  # the line knows enough for a picture
    return account


def _zero_ms(events: Iterable[CallEvent]) -> float:
    """When the first frame was on the line."""
    named = {event.name: event.at_ms for event in reversed(list(events))}
    for name in ("line_opened", "media_opened", "call_started"):
        if name in named:
            return named[name]
    raise NotACall("the call has no beginning")


def _title(events: Iterable[CallEvent]) -> str:
    started = next((event for event in events if event.name == "call_started"), None)
    if started is None:
        return "a call"
    when = time.strftime("%d %b %Y, %H:%M", time.localtime(started.at_ms / 1000))
    return f"{started.facts.get('from', 'somebody')} calls {started.facts.get('to', 'the agent')} · {when}"


def _verdict(turns: Iterable[Mapping[str, Any]]) -> str:
    waits = [f"{turn['response_ms']:.0f}" for turn in turns if turn.get("response_ms") is not None]
    return f"answers heard {', '.join(waits)} ms after the caller's last word" if waits else "no answer was heard"


def _add_line(scene: Scene, events: Iterable[CallEvent], account: AccountOfCall, zero_ms: float) -> None:
    """What the line tells: who spoke when, cuts, murmurs, clears and marks."""

    def seconds(at_ms: float) -> float:
        return (at_ms - zero_ms) / 1000

    started_ms: dict[str, float] = {}
    for event in events:
        at_s, facts = seconds(event.at_ms), event.facts
        match event.name:
            case "caller_started":
                started_ms["caller"] = event.at_ms
            case "caller_stopped":
                number = int(facts["turn"])
                line = account.line_turns[number]
                words, heard = line.text or "", account.heard_words(number) or line.understood
                scene.speeches.append(Speech(number, seconds(started_ms["caller"]), at_s, words, heard))
            case "agent_interrupted":
                began_s = at_s - facts["stop_ms"] / 1000
                scene.cuts.append(Cut(began_s, at_s, facts["stop_ms"], bool(facts["by_clear"])))
            case "caller_murmured":
                ends_s = at_s + facts["duration_ms"] / 1000
                scene.murmurs.append(MurmurDrawn(str(facts["label"]), at_s, ends_s))
            case "agent_resumed" if scene.murmurs:
                scene.murmurs[-1] = replace(scene.murmurs[-1], resumed_s=at_s, silent_ms=facts["silent_ms"])
            case "clear_received":
                scene.clears_s.append(at_s)
                if scene.murmurs and at_s < scene.murmurs[-1].ends_s + _AFTERMATH_S:
                    scene.murmurs[-1] = replace(scene.murmurs[-1], cleared=True)
            case "mark_echoed" if not facts.get("cleared"):
                scene.marks_s.append(at_s)


def _heard_from(events: Iterable[CallEvent]) -> dict[int, tuple[float, float | None]]:
    """First and last moment (epoch ms) at which the answer of each of the line's turns was heard."""
    spans: dict[int, tuple[float, float | None]] = {}
    last = None
    for event in events:
        if event.name == "agent_started":
            last = int(event.facts["turn"])
            spans.setdefault(last, (event.at_ms, None))
        elif event.name in ("agent_stopped", "agent_interrupted") and last is not None:
            spans[last] = (spans[last][0], event.at_ms)
    return spans


def _add_answers(
    scene: Scene, account: AccountOfCall, spans: Mapping[int, tuple[float, float | None]], zero_ms: float
) -> None:
    told = _turns_by_line(account)
    for number, line in sorted(account.line_turns.items()):
        turn = told.get(number)
        waits_from_ms = account.answered_ms if number == 0 else line.stopped_ms
        answer = Answer(number, turn.said if turn else "", None, outcome=turn.outcome if turn else "")
        if waits_from_ms is not None:
            answer.from_s = (waits_from_ms - zero_ms) / 1000
            answer.steps = _steps(turn, line, waits_from_ms, zero_ms)
        if number in spans:
            began_ms, ended_ms = spans[number]
            answer.begins_s = (began_ms - zero_ms) / 1000
            answer.ends_s = scene.seconds if ended_ms is None else (ended_ms - zero_ms) / 1000
        if turn is not None:
            answer.took = telling_costs(turn)
        if turn is not None and "filler_ms" in turn.moments:
            answer.filler_s = (turn.moments["filler_ms"] - zero_ms) / 1000
        scene.answers.append(answer)


def _turns_by_line(account: AccountOfCall) -> dict[int, AppTurn]:
    """The app's turn for each of the line's; of several the first that was answered."""
    found: dict[int, AppTurn] = {}
    for turn in account.app_turns():
        line = account.line_turn_of(turn)
        if line is not None and (line.number not in found or "first_audio_byte_ms" not in found[line.number].moments):
            found[line.number] = turn
    return found


def _steps(turn: AppTurn | None, line: LineTurn, from_ms: float, zero_ms: float) -> list[Step]:
    moments = turn.moments if turn is not None else {}
    known = [(name, moments[key]) for key, name in STEPS.items() if key in moments]
    if line.understood_ms is not None:
        known.insert(0, (PASSED_ON, line.understood_ms))
    if line.agent_started_ms is not None:
        known.append((HEARD, line.agent_started_ms))
    return [Step(name, (at_ms - zero_ms) / 1000, at_ms - from_ms) for name, at_ms in known]
