"""The ledger of a turn: when what happened, so that slowness has a place and a name, and what it took."""

from __future__ import annotations

from collections.abc import Mapping
from enum import StrEnum


class Moment(StrEnum):
    """Each is kept as Unix epoch milliseconds, in the order in which a good turn passes them."""

    SPEECH_STARTED = "speech_started_ms"
    SPEECH_ENDED = "speech_ended_ms"
    TURN_ENDED = "turn_ended_ms"
    TRANSCRIPT = "transcript_ms"
    FIRST_TOKEN = "first_token_ms"  # noqa: S105 - a token of text
    FIRST_SENTENCE = "first_sentence_ms"
    FIRST_AUDIO_BYTE = "first_audio_byte_ms"
    FIRST_FRAME_SENT = "first_frame_sent_ms"
    INTERRUPTED = "interrupted_ms"
    CLEARED = "cleared_ms"
    PLAYBACK_ENDED = "playback_ended_ms"
    FILLER = "filler_ms"
    RESCUED = "rescued_ms"


class Cost(StrEnum):
    """What is counted. Withdrawn is what was made for takes that nobody heard. `tokens` are the pieces of an answer
    as they came; `input_tokens` and `output_tokens` are as providers charge them, whoever heard the answer.
    """

    TAKES = "takes"
    TAKES_WITHDRAWN = "takes_withdrawn"
    TRANSCRIPTIONS = "transcriptions"
    TOKENS = "tokens"
    TOKENS_WITHDRAWN = "tokens_withdrawn"
    INPUT_TOKENS = "input_tokens"
    OUTPUT_TOKENS = "output_tokens"
    TOOL_CALLS = "tool_calls"
    CHARACTERS_SPOKEN = "characters_spoken"
    CHARACTERS_WITHDRAWN = "characters_withdrawn"
    FILLERS = "fillers"
    FALSE_INTERRUPTIONS = "false_interruptions"


def read_moments(journal: Mapping[str, str]) -> dict[str, float]:
    """The moments among a journal's entries."""
    return {moment.value: float(journal[moment]) for moment in Moment if moment in journal}


_COST = "cost."


def cost_entry(cost: Cost) -> str:
    """The name of a cost in a journal."""
    return f"{_COST}{cost.value}"


def read_costs(journal: Mapping[str, str]) -> dict[str, float]:
    """The costs among a journal's entries."""
    return {name.removeprefix(_COST): float(amount) for name, amount in journal.items() if name.startswith(_COST)}
