"""Brings together what the line measured and what the app says of the same call."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from statistics import median
from typing import Any, Final

from local_stack.phones.app_api import AppCall, AppTurn
from local_stack.phones.events import CallEvent

_EARLY_START_MS: Final = 500
"""An app that buffers a little before it decides on speech may date its start before the caller's."""
_APP_MOMENTS: Final = (
    ("transcript", "transcript_ms"),
    ("first token", "first_token_ms"),
    ("first audio byte", "first_audio_byte_ms"),
)


_STAGES: Final = {
    "decision": "turn over",
    "transcript": "transcript",
    "first_token": "first token",
    "first_sentence": "first sentence",
    "first_audio_byte": "first audio byte",
    "first_frame_sent": "first frame",
}
_TELLING_COSTS: Final = {
    "takes_withdrawn": ("prepared answer thrown away", "prepared answers thrown away"),
    "fillers": ("filler", "fillers"),
    "false_interruptions": ("false interruption", "false interruptions"),
}


@dataclass
class LineTurn:
    """One turn as the events of the line tell it; moments are epoch ms."""

    number: int
    label: str = ""
    text: str | None = None
    started_ms: float | None = None
    stopped_ms: float | None = None
    understood_ms: float | None = None
    """When the provider, where it hears itself, passed the words on."""
    understood: str = ""
    agent_started_ms: float | None = None


@dataclass
class AccountOfCall:
    """Fed with events and with the app's record; answers what happened when."""

    started_ms: float | None = None
    answered_ms: float | None = None
    line_turns: dict[int, LineTurn] = field(default_factory=dict)
    app_call: AppCall | None = None

    def take(self, event: CallEvent) -> None:
        match event.name:
            case "call_started":
                self.started_ms = event.at_ms
            case "call_answered":
                self.answered_ms = event.at_ms
            case "caller_started":
                turn = self._line_turn(event)
                turn.started_ms = event.at_ms
                turn.label, turn.text = str(event.facts.get("label", "")), event.facts.get("text")
            case "caller_stopped":
                self._line_turn(event).stopped_ms = event.at_ms
            case "provider_heard":
                turn = self._line_turn(event)
                turn.understood_ms = event.at_ms
                turn.understood = f"{turn.understood} {event.facts['text']}".strip()
            case "agent_started":
                self._line_turn(event).agent_started_ms = event.at_ms

    def _line_turn(self, event: CallEvent) -> LineTurn:
        number = int(event.facts["turn"])
        return self.line_turns.setdefault(number, LineTurn(number))

    def app_turns(self) -> tuple[AppTurn, ...]:
        return () if self.app_call is None else self.app_call.turns

    def line_turn_of(self, turn: AppTurn) -> LineTurn | None:
        """The caller's turn that the app's turn answers: the last that had begun when the app heard speech.

        The two need not have the same number, since an app may hear one utterance as two, or two as one.
        """
        if turn.number == 0 or not turn.heard:
            return self.line_turns.get(0) if turn.number == 0 else None
        moments = turn.moments
        if "speech_started_ms" in moments:
            heard_ms = moments["speech_started_ms"] + _EARLY_START_MS
        elif "speech_ended_ms" in moments or "transcript_ms" in moments:
            heard_ms = moments.get("speech_ended_ms") or moments["transcript_ms"]
        else:
            return self.line_turns.get(turn.number)
        begun = [
            line for line in self.line_turns.values() if line.started_ms is not None and line.started_ms <= heard_ms
        ]
        return max(begun, key=lambda line: line.number, default=None)

    def heard_words(self, number: int) -> str:
        """What the app heard of the caller's turn; empty if nothing."""
        heard = []
        for turn in self.app_turns():
            line = self.line_turn_of(turn)
            if turn.heard and line is not None and line.number == number:
                heard.append(turn.heard)
        return " ".join(heard)

    def times_ms(self, turn: AppTurn) -> list[tuple[str, float]]:
        """Moments of the answer, ms after the caller's last word; of the greeting, after the pick-up."""
        line = self.line_turn_of(turn)
        zero_ms = self.answered_ms if turn.number == 0 else line.stopped_ms if line else None
        if zero_ms is None:
            return []
        names = _APP_MOMENTS if turn.number else _APP_MOMENTS[2:]
        times = [(name, turn.moments[key] - zero_ms) for name, key in names if key in turn.moments]
        if line is not None and line.understood_ms is not None:
            times.insert(0, ("words passed on", line.understood_ms - zero_ms))
        if line is not None and line.agent_started_ms is not None:
            times.append(("first frame heard", line.agent_started_ms - zero_ms))
        return times


def parts_of_wait(turn: AppTurn) -> str:
    """What the caller waited for until the first sound, and what was ready before the turn was over.

    Like `speech ended +540 turn over +3 first frame; prepared before: transcript -330, first token -130`; empty
    where the app says nothing of it.
    """
    parts = [
        f"+{took_ms:.0f} {_STAGES.get(stage, stage)}" for stage, took_ms in turn.waited_ms.items() if took_ms >= 0.5
    ]
    if not parts:
        return ""
    early = [f"{_STAGES.get(stage, stage)} −{by_ms:.0f}" for stage, by_ms in turn.prepared_ms.items()]
    prepared = f"; prepared before: {', '.join(early)}" if early else ""
    return " ".join(["speech ended", *parts]) + prepared


def telling_costs(turn: AppTurn) -> str:
    """What the turn took beyond the usual: `1 prepared answer thrown away, 2 fillers`; empty if nothing."""
    counted = [(int(turn.costs.get(cost, 0)), names) for cost, names in _TELLING_COSTS.items()]
    return ", ".join(f"{count} {names[count > 1]}" for count, names in counted if count > 0)


@dataclass(frozen=True)
class Verdict:
    """Whether the call was answered, heard and replied to, and the reason in one line."""

    passed: bool
    line: str


def judge(account: AccountOfCall, result: Mapping[str, Any], wanted_turns: int, api_trouble: str) -> Verdict:
    """`result` is the phone simulator's; `api_trouble` says why the app's account is missing, if it is."""
    turns = [turn for turn in result["turns"] if turn["number"] > 0]
    spoken = [turn for turn in turns if turn["speech_ended_ms"] is not None]
    reasons = [f"({error})" for error in result["errors"][:1]]
    if not result["media_opened"]:
        return _failed("not answered", [result["end_reason"] or result["status"], *reasons])
    if len(spoken) < wanted_turns:
        said = f"the call ended after {len(spoken)} of {wanted_turns} utterances"
        return _failed(said, [result["end_reason"], *reasons])
    silent = [turn["number"] for turn in spoken if turn["first_heard_ms"] is None]
    if silent:
        return _failed(f"no reply to {_utterances(silent)}", reasons)
    if account.app_call is None:
        return _failed("replied to, but what the app heard is not known", [api_trouble])
    unheard = [turn["number"] for turn in spoken if not account.heard_words(turn["number"])]
    if unheard:
        return _failed(f"not understood: no transcript of {_utterances(unheard)}", reasons)
    waits = [turn["response_ms"] for turn in spoken if turn["response_ms"] is not None]
    how_soon = f"; reply heard {median(waits):.0f} ms after the caller's last word (median)" if waits else ""
    count = f"{len(spoken)} of {wanted_turns}"
    return Verdict(True, f"answered, heard {count}, replied to {count}{how_soon}")


def _failed(what: str, details: Iterable[str]) -> Verdict:
    return Verdict(False, ": ".join([what, *(detail for detail in details if detail)]))


def _utterances(numbers: list[int]) -> str:
    return ("utterance " if len(numbers) == 1 else "utterances ") + ", ".join(map(str, numbers))
