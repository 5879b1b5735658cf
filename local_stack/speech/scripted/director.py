"""Decides which turn of the script a request belongs to, and what goes wrong with it."""

from __future__ import annotations

import re
from collections import Counter
from dataclasses import dataclass, field
from typing import Any

from local_stack.speech.audio import Pcm
from local_stack.speech.backend import Asking, Context
from local_stack.speech.errors import ApiError
from local_stack.speech.routes.chat_request import message_text
from local_stack.speech.scripted.recordings import Recordings
from local_stack.speech.scripted.script import (
    DEFAULT_EXCHANGE,
    SEQUENCE,
    STEPS,
    Exchange,
    Fault,
    Latencies,
    Script,
    ScriptError,
)

HEADER_PREFIX = "x-scripted-"
"""`X-Scripted-Stt-Ms: 500` and so on for every latency, and `X-Scripted-Fault: cut` or `cut;at=5`."""

_LATENCY_HEADERS = {f"{HEADER_PREFIX}{name.replace('_', '-')}": name for name in Latencies.__dataclass_fields__}
_NUMBER = re.compile(r"number (\d+)")


@dataclass(frozen=True, slots=True)
class Cue:
    """What one request is to get."""

    exchange: Exchange
    number: int | None
    latencies: Latencies
    fault: Fault | None

    def text(self, pattern: str) -> str:
        """A text of the exchange with the sequence number in its place."""
        return pattern.replace(SEQUENCE, str(self.number if self.number is not None else 0))


@dataclass(slots=True)
class OrderedFault:
    """A fault asked for at run time: it lets `skip` requests of its step pass and hits the next `count`."""

    step: str
    fault: Fault
    count: int = 1
    skip: int = 0


@dataclass(slots=True)
class _Progress:
    """What the calls have come to since the last reset, whichever provider they asked."""

    heard: Counter[str] = field(default_factory=Counter)
    """Transcripts given, per call key."""
    sequence: int = 0
    tags: dict[str, int] = field(default_factory=dict)
    """The latest sequence number of a transcript that does not carry it in its text."""


@dataclass(slots=True)
class _Faults:
    """What has gone and will go wrong with one provider since the last reset."""

    spent: set[tuple[int | None, int, str]] = field(default_factory=set)
    """Faults of the script that have happened: (sequence number, turn, step)."""
    ordered: list[OrderedFault] = field(default_factory=list)


class Director:
    """Holds the script and the progress of every call.

    Turns are found, in this order: by the recording that is heard, where the script names recordings; by the
    number of transcripts already given to the same call, where requests carry a call key; by the number of
    transcripts given at all. The chat and speech requests of the turn are found by their text.
    """

    def __init__(self, script: Script, recordings: Recordings) -> None:
        self.script = script
        self._recordings = recordings
        self._progress = _Progress()
        self._faults = _Faults()
        self._fallback: Director | None = None

    @property
    def fallback(self) -> Director:
        """Directs a second provider for the same calls: it goes by the same script and has no faults but its own."""
        if self._fallback is None:
            self._fallback = _FallbackDirector(self.script, self._recordings)
            self._fallback._progress = self._progress
        return self._fallback

    def reset(self, script: Script | None = None) -> None:
        """Begin anew, with the same script or another one."""
        self.script = script or self.script
        self._progress, self._faults = _Progress(), _Faults()
        if self._fallback is not None:
            self._fallback.reset(self.script)
            self._fallback._progress = self._progress

    def order(self, value: Any) -> None:
        """Add a fault: `{"step": "llm", "kind": "http_500", "count": 2, "skip": 1}`. Raises ScriptError."""
        if not isinstance(value, dict) or value.get("step") not in STEPS:
            raise ScriptError(f"a fault needs a step: {', '.join(STEPS)}")
        count, skip = value.get("count", 1), value.get("skip", 0)
        if not all(isinstance(number, int) and number >= 0 for number in (count, skip)):
            raise ScriptError("count and skip are numbers from 0")
        if value.get("kind") == "silent" and value["step"] != "tts":
            raise ScriptError("only tts can be silent")
        self._faults.ordered.append(OrderedFault(value["step"], Fault.read(value), count, skip))

    def cue_transcript(self, pcm: Pcm, call_key: str, context: Context) -> Cue:
        """The turn that a recording begins."""
        index = self._turn_of_recording(pcm)
        if index is None:
            index = self._progress.heard[call_key]
        self._progress.sequence += 1
        number = self._progress.sequence
        return self._cue("stt", index, number, context)

    def transcript_given(self, cue: Cue, text: str, call_key: str) -> None:
        """The transcript has gone out, so the call's next one belongs to the next turn."""
        self._progress.heard[call_key] += 1
        if cue.number is not None:
            self._progress.tags[_normal(text)] = cue.number

    def cue_reply(self, asking: Asking, context: Context) -> Cue:
        """The turn whose transcript is the last thing that the user said."""
        said = [message_text(message) for message in asking.messages if message.get("role") == "user"]
        text = said[-1] if said else ""
        asked_before = sum(_normal(earlier) == _normal(text) for earlier in said[:-1])
        candidates = [
            (index, match) for index, item in enumerate(self.script.dialogue) if (match := item.matches(text))
        ]
        if candidates:
            index, match = candidates[min(asked_before, len(candidates) - 1)]
            number = int(match[1]) if match.groups() else self._progress.tags.get(_normal(text))
            return self._cue("llm", index, number, context)
        return self._cue("llm", len(self.script.dialogue), self._number_in(text), context)

    def cue_speech(self, text: str, context: Context) -> Cue:
        """The turn whose reply holds the text."""
        normal = _normal(text)
        for index, item in enumerate(self.script.dialogue):
            if normal and normal in _normal("".join(item.reply)):
                return self._cue("tts", index, self._number_in(text), context)
        return self._cue("tts", len(self.script.dialogue), self._number_in(text), context)

    def _turn_of_recording(self, pcm: Pcm) -> int | None:
        wanted = {item.voice: index for index, item in enumerate(self.script.dialogue) if item.voice}
        if not wanted:
            return None
        name = self._recordings.recognise(pcm, sorted(wanted))
        return None if name is None else wanted[name]

    def _number_in(self, text: str) -> int | None:
        found = _NUMBER.findall(text)
        return int(found[-1]) if found else self._progress.tags.get(_normal(text))

    def _cue(self, step: str, index: int, number: int | None, context: Context) -> Cue:
        dialogue = self.script.dialogue
        exchange = dialogue[index] if index < len(dialogue) else DEFAULT_EXCHANGE
        latencies = self.script.latencies.changed(exchange.latencies)
        context.entry.tag = number
        try:
            latencies = latencies.changed(_latency_headers(context))
            fault = _fault_header(context) or self._ordered_fault(step) or self._scripted_fault(step, index, number)
        except ScriptError as error:
            raise ApiError(400, str(error)) from error
        if fault is not None:
            context.entry.details["fault"] = fault.kind
        return Cue(exchange, number, latencies, fault)

    def _ordered_fault(self, step: str) -> Fault | None:
        for ordered in self._faults.ordered:
            if ordered.step != step or ordered.count == 0:
                continue
            if ordered.skip > 0:
                ordered.skip -= 1
                continue
            ordered.count -= 1
            return ordered.fault
        return None

    def _scripted_fault(self, step: str, index: int, number: int | None) -> Fault | None:
        if index >= len(self.script.dialogue) or step not in self.script.dialogue[index].faults:
            return None
        # A failed hearing is repeated under a new number, so the turn alone tells that it has happened.
        key = (None if step == "stt" else number, index, step)
        if key in self._faults.spent:
            return None
        self._faults.spent.add(key)
        return self.script.dialogue[index].faults[step]


class _FallbackDirector(Director):
    """The faults of the script are the first provider's."""

    def _scripted_fault(self, step: str, index: int, number: int | None) -> Fault | None:
        return None


def _normal(text: str) -> str:
    return " ".join(re.sub(r"[^\w' ]", " ", text.lower()).split())


def _latency_headers(context: Context) -> dict[str, float]:
    changes = {}
    for header, name in _LATENCY_HEADERS.items():
        if header in context.headers:
            try:
                changes[name] = float(context.headers[header])
            except ValueError as error:
                raise ScriptError(f"{header} is not a number") from error
    return changes


def _fault_header(context: Context) -> Fault | None:
    value = context.headers.get(f"{HEADER_PREFIX}fault")
    if value is None:
        return None
    kind, *settings = [part.strip() for part in value.split(";")]
    return Fault.read({"kind": kind, **dict(setting.split("=", 1) for setting in settings if "=" in setting)})
