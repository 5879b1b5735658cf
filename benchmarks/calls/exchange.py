"""One turn seen by three: the caller, the app's ledger, the services; and the parts of its time."""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from local_stack.phones.measures import Turn

STT_MS, FIRST_TOKEN_MS, TOKEN_MS, TTS_MS = 150.0, 200.0, 20.0, 100.0
FIRST_SENTENCE_TOKENS = 12
SERVICES_MS = STT_MS + FIRST_TOKEN_MS + (FIRST_SENTENCE_TOKENS - 1) * TOKEN_MS + TTS_MS
"""What the services take by their script when each waits for the one before: 670 ms."""
_NUMBER = re.compile(r"number (\d+)")
_EARLY_MS = 60
"""The caller's side calls the last loud frame the end of the speech; a model may hear it end a little sooner."""

PARTS = {
    "decision": "end of speech → turn over",
    "to_stt": "turn over → STT request",
    "to_llm": "STT answer → LLM request",
    "to_tts": "first sentence → TTS request",
    "to_caller": "TTS first byte → at the caller",
    "to_ear": "at the caller → heard",
    "services": "services beyond their script",
}


@dataclass(frozen=True, slots=True)
class Exchange:
    """Times of one turn in ms; a part is None where one of its moments is missing.

    `is_split`: the app ended the turn while the caller still spoke, so its parts mean nothing.
    """

    number: int
    voice_to_voice: float | None
    is_split: bool
    parts: Mapping[str, float | None]
    interruption_stop: float | None
    underruns: tuple[float, ...]

    def overhead(self, patience_ms: int) -> float | None:
        """Beyond the services and the patience that was asked for."""
        return None if self.voice_to_voice is None else self.voice_to_voice - patience_ms - SERVICES_MS

    @property
    def pipeline(self) -> float | None:
        """Beyond the services and the decision that the turn is over."""
        decision = self.parts["decision"]
        if self.voice_to_voice is None or decision is None:
            return None
        return self.voice_to_voice - decision - SERVICES_MS


def exchanges(
    turns: Sequence[Turn], record: Mapping[str, Any], services: Iterable[Mapping[str, Any]]
) -> list[Exchange]:
    """The turns of a call, its greeting left out. `services`: the timeline of all calls."""
    tagged: dict[tuple[str, int], Mapping[str, Any]] = {}
    for entry in services:
        if entry["tag"] is not None:
            tagged.setdefault((entry["kind"], entry["tag"]), entry)
    answered = [_Answered.of(turn, tagged) for turn in record["turns"] if _tag(turn["heard"]) is not None]
    return [_exchange(turn, answered) for turn in turns if turn.number > 0 and turn.speech_ended_ms]


@dataclass(frozen=True, slots=True)
class _Answered:
    """A turn in the app's ledger, with the first request to each service that it led to."""

    over_ms: float | None
    stt: Mapping[str, Any]
    llm: Mapping[str, Any]
    tts: Mapping[str, Any]

    @classmethod
    def of(cls, turn: Mapping[str, Any], tagged: Mapping[tuple[str, int], Mapping[str, Any]]) -> _Answered:
        tag = _tag(turn["heard"]) or 0
        stt, llm, tts = (tagged.get((kind, tag), {}) for kind in ("stt", "llm", "tts"))
        return cls(turn["moments"].get("turn_ended_ms"), stt, llm, tts)


def _tag(heard: str | None) -> int | None:
    """The number by which the script ties the requests of one turn together: it says it to the app as words."""
    found = _NUMBER.search(heard or "")
    return int(found[1]) if found else None


def _exchange(turn: Turn, answered: Sequence[_Answered]) -> Exchange:
    began_ms, ended_ms = turn.speech_started_ms or 0.0, turn.speech_ended_ms or 0.0
    heard_ms = turn.first_heard_ms
    own = [each for each in answered if heard_ms and began_ms < each.stt.get("received_ms", 0.0) < heard_ms]
    is_split = len(own) != 1 or own[0].stt["received_ms"] < ended_ms - _EARLY_MS
    if own:
        over_ms, stt, llm, tts = own[-1].over_ms, own[-1].stt, own[-1].llm, own[-1].tts
    else:
        over_ms, stt, llm, tts = None, {}, {}, {}
    sentence_ms = _plus(llm.get("first_byte_ms"), (FIRST_SENTENCE_TOKENS - 1) * TOKEN_MS)
    took_ms = [
        _minus(stt.get("done_ms"), stt.get("complete_ms")),
        _minus(sentence_ms, llm.get("complete_ms")),
        _minus(tts.get("first_byte_ms"), tts.get("complete_ms")),
    ]
    parts = {
        "decision": _minus(over_ms, ended_ms),
        "to_stt": _minus(stt.get("complete_ms"), over_ms),
        "to_llm": _minus(llm.get("complete_ms"), stt.get("done_ms")),
        "to_tts": _minus(tts.get("complete_ms"), sentence_ms),
        "to_caller": _minus(turn.first_received_ms, tts.get("first_byte_ms")),
        "to_ear": _minus(heard_ms, turn.first_received_ms),
        "services": None if None in took_ms else sum(each or 0.0 for each in took_ms) - SERVICES_MS,
    }
    stop_ms = turn.interruption.stop_ms if turn.interruption else None
    return Exchange(turn.number, turn.response_ms, is_split, parts, stop_ms, tuple(turn.underruns_ms))


def _minus(later_ms: float | None, earlier_ms: float | None) -> float | None:
    return None if later_ms is None or earlier_ms is None else later_ms - earlier_ms


def _plus(moment_ms: float | None, ms: float) -> float | None:
    return None if moment_ms is None else moment_ms + ms
