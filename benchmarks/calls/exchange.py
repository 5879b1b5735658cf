"""One turn seen by three: the caller, the app's ledger, the services; and the parts of its time.

With speculation a turn has several requests to each service. Those that count are the ones of the take that was
committed: its transcript is what the app's record says it heard, and carries a number that the reply repeats.
"""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from local_stack.phones.measures import Turn

STT_MS, FIRST_TOKEN_MS, TOKEN_MS, TTS_MS = 150.0, 200.0, 20.0, 100.0
FIRST_SENTENCE_TOKENS = 12
_NUMBER = re.compile(r"number (\d+)")
_EARLY_MS = 60
"""The caller's side calls the last loud frame the end of the speech; a model may hear it end a little sooner."""

PARTS = {
    "decision": "end of speech → turn over",
    "to_stt": "end of speech → STT request",
    "to_llm": "STT answer → LLM request",
    "to_tts": "first words to be spoken → TTS request",
    "commit": "sound made, waits for the turn's end",
    "to_caller": "sound and turn's end there → at the caller",
    "services": "services beyond their script",
}


def services_ms(tokens: float) -> float:
    """What the services take by their script, one after the other, if so many tokens are spoken first."""
    return STT_MS + FIRST_TOKEN_MS + (tokens - 1) * TOKEN_MS + TTS_MS


SERVICES_MS = services_ms(FIRST_SENTENCE_TOKENS)
"""With the whole first sentence: 670 ms."""


@dataclass(frozen=True, slots=True)
class Exchange:
    """Times of one turn in ms; a part is None where one of its moments is missing.

    `at_wire` ends when the first audible sound came over the socket, `heard` when it was played. `is_split`: the app
    ended the turn while the caller still spoke, so its parts mean nothing. `first_tokens`: how many tokens of the
    answer were spoken first; None where no request for them was made, since their sound was there already.
    """

    number: int
    at_wire: float | None
    heard: float | None
    is_split: bool
    parts: Mapping[str, float | None]
    first_tokens: int | None
    interruption_stop: float | None
    underruns: tuple[float, ...]
    costs: Mapping[str, float]

    @property
    def pipeline(self) -> float | None:
        """Without speculation: beyond the services and the decision that the turn is over.

        Where the words were asked for before it was over, the services' time counts from then, or from as late as
        they could have been asked for.
        """
        decision, to_stt = self.parts.get("decision"), self.parts.get("to_stt")
        if self.at_wire is None or decision is None or to_stt is None or self.first_tokens is None:
            return None
        begun = decision if decision <= to_stt else max(to_stt, decision - STT_MS)
        return self.at_wire - begun - services_ms(self.first_tokens)

    @property
    def handing_on(self) -> float | None:
        """What handing on from step to step took, whenever the first step began."""
        taken = [self.parts.get(name) for name in ("to_llm", "to_tts", "to_caller")]
        return None if None in taken else sum(each or 0.0 for each in taken)


def seen_by_caller(turns: Sequence[Turn]) -> list[Exchange]:
    """The turns of a call of which nothing but the line is known, its greeting left out."""
    return [_without_parts(turn) for turn in _spoken(turns)]


def exchanges(
    turns: Sequence[Turn], record: Mapping[str, Any], services: Sequence[Mapping[str, Any]]
) -> list[Exchange]:
    """The turns of a call, its greeting left out. `services`: the timeline of all calls."""
    answered = [_Answered.of(turn, services) for turn in record["turns"] if _tag(turn["heard"]) is not None]
    return [_exchange(turn, answered) for turn in _spoken(turns)]


def _spoken(turns: Sequence[Turn]) -> list[Turn]:
    return [turn for turn in turns if turn.number > 0 and turn.speech_ended_ms]


@dataclass(frozen=True, slots=True)
class _Answered:
    """A turn in the app's ledger, with the requests to each service that its answer came from."""

    over_ms: float | None
    stt: Mapping[str, Any]
    llm: Mapping[str, Any]
    tts: Mapping[str, Any]
    costs: Mapping[str, float]

    @classmethod
    def of(cls, turn: Mapping[str, Any], services: Sequence[Mapping[str, Any]]) -> _Answered:
        tag = _tag(turn["heard"])
        stt = _first(services, "stt", tag)
        llm = _first(services, "llm", tag)
        tts = _first_spoken(turn["said"] or "", services, llm)
        return cls(turn["moments"].get("turn_ended_ms"), stt, llm, tts, turn.get("costs") or {})

    @property
    def decided_ms(self) -> float:
        """When the turn was over, as far as that is known."""
        return float(self.over_ms or self.stt.get("received_ms") or 0.0)


def _tag(heard: str | None) -> int | None:
    """The number by which the script ties the requests of one turn together: it says it to the app as words."""
    found = _NUMBER.findall(heard or "")
    return int(found[-1]) if found else None


def _first(services: Sequence[Mapping[str, Any]], kind: str, tag: int | None) -> Mapping[str, Any]:
    """The first request with the tag, one that was answered before one that was given up."""
    own = [each for each in services if each["kind"] == kind and each["tag"] == tag]
    return next((each for each in own if each["aborted_ms"] is None), own[0] if own else {})


def _first_spoken(said: str, services: Sequence[Mapping[str, Any]], llm: Mapping[str, Any]) -> Mapping[str, Any]:
    """The request for the sound of the answer's beginning; empty where none was made."""
    begun_ms = llm.get("first_byte_ms")
    if begun_ms is None or not said:
        return {}
    for each in services:
        if each["kind"] == "tts" and (each["complete_ms"] or 0.0) >= begun_ms:
            text = str(each["details"].get("text", "")).strip()
            if text and (said.startswith(text) or text.startswith(said)):
                return each
    return {}


def _without_parts(turn: Turn) -> Exchange:
    at_wire = _minus(turn.first_received_ms, turn.speech_ended_ms)
    stop_ms = turn.interruption.stop_ms if turn.interruption else None
    underruns = tuple(turn.underruns_ms)
    return Exchange(turn.number, at_wire, turn.response_ms, False, {}, None, stop_ms, underruns, {})


def _exchange(turn: Turn, answered: Sequence[_Answered]) -> Exchange:
    seen = _without_parts(turn)
    began_ms, ended_ms = turn.speech_started_ms or 0.0, turn.speech_ended_ms or 0.0
    until_ms = turn.first_heard_ms or 0.0
    own = [each for each in answered if began_ms < each.decided_ms < until_ms]
    if not own:
        return Exchange(
            seen.number, seen.at_wire, seen.heard, True, {}, None, seen.interruption_stop, seen.underruns, {}
        )
    is_split = len(own) != 1 or own[0].decided_ms < ended_ms - _EARLY_MS
    chain = own[-1]
    tokens = len(str(chain.tts["details"]["text"]).split()) if chain.tts else None
    parts = _parts(turn, chain, ended_ms, tokens)
    costs = {name: sum(each.costs.get(name, 0.0) for each in own) for name in set().union(*(e.costs for e in own))}
    return Exchange(
        seen.number, seen.at_wire, seen.heard, is_split, parts, tokens, seen.interruption_stop, seen.underruns, costs
    )


def _parts(turn: Turn, chain: _Answered, ended_ms: float, tokens: int | None) -> dict[str, float | None]:
    """They add up, with the services' own time and without the decision, to the time at the wire."""
    over_ms, stt, llm, tts = chain.over_ms, chain.stt, chain.llm, chain.tts
    words_ms = _plus(llm.get("first_byte_ms"), ((tokens or 1) - 1) * TOKEN_MS)
    sound_ms = tts.get("first_byte_ms")
    both_ms = sound_ms if over_ms is None or sound_ms is None else max(sound_ms, over_ms)
    took_ms = [
        _minus(stt.get("done_ms"), stt.get("complete_ms")),
        _minus(words_ms, llm.get("complete_ms")),
        _minus(sound_ms, tts.get("complete_ms")),
    ]
    return {
        "decision": _minus(over_ms, ended_ms),
        "to_stt": _minus(stt.get("complete_ms"), ended_ms),
        "to_llm": _minus(llm.get("complete_ms"), stt.get("done_ms")),
        "to_tts": _minus(tts.get("complete_ms"), words_ms),
        "commit": _minus(both_ms, sound_ms),
        "to_caller": _minus(turn.first_received_ms, both_ms),
        "services": None if None in took_ms else sum(each or 0.0 for each in took_ms) - services_ms(tokens or 1),
    }


def _minus(later_ms: float | None, earlier_ms: float | None) -> float | None:
    return None if later_ms is None or earlier_ms is None else later_ms - earlier_ms


def _plus(moment_ms: float | None, ms: float) -> float | None:
    return None if moment_ms is None else moment_ms + ms
