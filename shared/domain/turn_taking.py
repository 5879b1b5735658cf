"""Decides from sound and words when the caller begins, interrupts, and is done. No clock: audio is the time.

Every rule stands in `TRANSITIONS`: what one input means in one state, and where it may lead. An input without a rule
raises, and changes nothing. `docs/turn-taking.md` shows the table as a diagram.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

from shared.domain.backchannels import is_backchannel
from shared.domain.turn_events import (
    CHUNK_MS,
    Backchannel,
    Chunk,
    Event,
    FalseInterruption,
    Interrupted,
    NothingSaid,
    PauseBegan,
    SpeechResumed,
    SpeechStarted,
    TurnEnded,
    TurnTaken,
)
from shared.domain.turn_rules import Turn
from shared.domain.turn_states import Hearing, InputKind, Reading
from shared.domain.turn_tuning import Tuning

__all__ = [
    "CHUNK_MS",
    "TRANSITIONS",
    "Backchannel",
    "Chunk",
    "Event",
    "FalseInterruption",
    "Hearing",
    "InputKind",
    "Interrupted",
    "NothingSaid",
    "PauseBegan",
    "Rule",
    "SpeechResumed",
    "SpeechStarted",
    "Tuning",
    "TurnEnded",
    "TurnTaken",
    "TurnTaking",
]

_LAST_KEY = "#"
_LOUD = (Hearing.RISING, Hearing.SPEAKING, Hearing.HOLDING)


@dataclass(frozen=True, slots=True)
class Rule:
    """What is done with one input in one state, and the states to which it may lead."""

    do: Callable[[Turn], list[Event]]
    leads_to: frozenset[Hearing]


class TurnTaking:
    """One turn. Chunks, words and keys go in, events come out; after `TurnEnded` every further input raises
    ValueError.
    """

    def __init__(self, tuning: Tuning, *, from_ms: int = 0) -> None:
        self._tuning = tuning
        self._turn = Turn(tuning, from_ms)
        self._distrusted_ms = 0

    @property
    def state(self) -> Hearing:
        return self._turn.state

    @property
    def speech_started_ms(self) -> int:
        """Where the speech began that is being heard, or was last."""
        return self._turn.speech.started_ms

    def hear(self, chunk: Chunk, *, overlaps: bool) -> list[Event]:
        """Advance by one chunk. `overlaps`: the agent's answer before is not over yet, be it pending or audible."""
        kind, tail_ms = self._sort(chunk)
        rule, turn = self._rule(kind), self._turn
        quiet_voice = chunk.quiet_tail_ms >= CHUNK_MS and chunk.probability >= self._tuning.voice_threshold
        self._distrusted_ms = self._distrusted_ms + CHUNK_MS if quiet_voice else 0
        turn.begins_ms, turn.now_ms = turn.now_ms, turn.now_ms + CHUNK_MS
        turn.tail_ms, turn.overlaps = tail_ms, overlaps
        return rule.do(turn)

    def read(self, pause: int, text: str | None, finished: float = 0.5) -> list[Event]:
        """Take the words of everything up to a pause, None where they could not be had.

        `finished`: how likely the caller has said all, 0–1. Raises: ValueError if there was no such pause.
        """
        if not 1 <= pause <= self._turn.pauses:
            raise ValueError(f"there was no pause {pause}")
        kind = self._sort_words(text)
        rule = self._rule(kind)
        self._turn.reading = Reading(kind, pause, text or "", finished)
        return rule.do(self._turn)

    def press(self, key: str, *, overlaps: bool) -> list[Event]:
        """Take a key of the caller's phone: `#` ends the turn, all others extend it."""
        rule = self._rule(InputKind.LAST_KEY if key == _LAST_KEY else InputKind.KEY)
        self._turn.overlaps = overlaps
        return rule.do(self._turn)

    def _sort(self, chunk: Chunk) -> tuple[InputKind, int]:
        """What a chunk is, and how much of its end is quiet."""
        tuning = self._tuning
        threshold = tuning.silence_threshold if self._turn.state in _LOUD else tuning.voice_threshold
        if chunk.is_echo:
            return InputKind.ECHO, CHUNK_MS
        if chunk.probability < threshold:
            return InputKind.SILENCE, CHUNK_MS
        tail_ms = min(max(chunk.quiet_tail_ms, 0), CHUNK_MS)
        if tail_ms == CHUNK_MS and self._distrusted_ms < tuning.trust_ms:
            return InputKind.SILENCE, CHUNK_MS
        return InputKind.HUM if chunk.is_hum else InputKind.VOICE, tail_ms % CHUNK_MS

    def _sort_words(self, text: str | None) -> InputKind:
        if text is None:
            return InputKind.UNKNOWN_WORDS
        if not any(character.isalnum() for character in text):
            return InputKind.NO_WORDS
        is_idle = is_backchannel(text, self._tuning.backchannels)
        return InputKind.BACKCHANNEL if is_idle else InputKind.WORDS

    def _rule(self, kind: InputKind) -> Rule:
        rule = TRANSITIONS.get((self._turn.state, kind))
        if rule is None:
            raise ValueError(f"a turn that is {self._turn.state} takes no {kind}")
        return rule


def _rules(
    state: Hearing, *rules: tuple[str, Callable[[Turn], list[Event]], str]
) -> dict[tuple[Hearing, InputKind], Rule]:
    """The rows of one state: inputs, what is done, the states to which it may lead besides staying."""
    return {
        (state, InputKind(kind)): Rule(do, frozenset({state, *map(Hearing, states.split())}))
        for kinds, do, states in rules
        for kind in kinds.split(", ")
    }


TRANSITIONS: dict[tuple[Hearing, InputKind], Rule] = {
    **_rules(
        Hearing.QUIET,
        ("voice", Turn.rise, "rising holding speaking"),
        ("hum", Turn.rise_humming, "rising speaking"),
        ("silence, echo", Turn.ignore, ""),
        ("words", Turn.hear_late_words, "pausing ended"),
        ("backchannel, no words, unknown words", Turn.ignore, ""),
        ("key", Turn.begin_with_key, "pausing"),
        ("last key", Turn.end_by_key, "ended"),
    ),
    **_rules(
        Hearing.RISING,
        ("voice", Turn.sustain, "holding speaking"),
        ("hum", Turn.sustain_humming, "holding speaking"),
        ("silence, echo", Turn.settle, "quiet"),
        ("words", Turn.hear_late_words, "pausing"),
        ("backchannel, no words, unknown words", Turn.ignore, ""),
        ("key", Turn.begin_with_key, "pausing"),
        ("last key", Turn.end_by_key, "ended"),
    ),
    **_rules(
        Hearing.HOLDING,
        ("voice", Turn.insist, "speaking closing quiet"),
        ("hum", Turn.hum_on, "speaking closing quiet"),
        ("silence", Turn.fall_into_doubt, "doubting"),
        ("echo", Turn.hear_echo, "doubting quiet"),
        ("words", Turn.take_by_words, "speaking"),
        ("backchannel, no words, unknown words", Turn.ignore, ""),
        ("key", Turn.take_with_key, "speaking"),
        ("last key", Turn.end_by_key, "closing"),
    ),
    **_rules(
        Hearing.DOUBTING,
        ("voice", Turn.stir_in_doubt, "holding speaking closing quiet"),
        ("hum", Turn.hum_in_doubt, "holding speaking closing quiet"),
        ("silence", Turn.doubt, "quiet pausing ended"),
        ("echo", Turn.hear_echo, "quiet pausing ended"),
        ("words", Turn.take_by_words, "quiet pausing ended"),
        ("backchannel, no words", Turn.note_doubtful_words, "quiet"),
        ("unknown words", Turn.note_doubtful_words, "quiet pausing ended"),
        ("key", Turn.take_with_key, "pausing"),
        ("last key", Turn.end_by_key, "closing ended"),
    ),
    **_rules(
        Hearing.SPEAKING,
        ("voice, hum", Turn.go_on, "closing"),
        ("silence, echo", Turn.fall_silent, "pausing"),
        ("words", Turn.note_real_words, ""),
        ("backchannel, no words, unknown words", Turn.note_words, ""),
        ("key", Turn.press, ""),
        ("last key", Turn.end_by_key, "closing"),
    ),
    **_rules(
        Hearing.PAUSING,
        ("voice, hum", Turn.stir, "speaking closing"),
        ("silence, echo", Turn.wait, "ended quiet"),
        ("words", Turn.note_real_words, "ended"),
        ("backchannel, no words", Turn.note_words, "ended quiet"),
        ("unknown words", Turn.note_words, "ended"),
        ("key", Turn.press, ""),
        ("last key", Turn.end_by_key, "closing ended"),
    ),
    **_rules(
        Hearing.CLOSING,
        ("voice, hum, silence, echo", Turn.ignore, ""),
        ("words", Turn.note_last_real_words, "ended"),
        ("backchannel, no words", Turn.note_last_words, "ended quiet"),
        ("unknown words", Turn.note_last_words, "ended"),
        ("key, last key", Turn.ignore, ""),
    ),
}
