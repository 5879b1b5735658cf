"""The moments of a turn: when what happened, so that slowness has a place and a name."""

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
    PLAYBACK_ENDED = "playback_ended_ms"


def read_moments(journal: Mapping[str, str]) -> dict[str, float]:
    """The moments among a journal's entries."""
    return {moment.value: float(journal[moment]) for moment in Moment if moment in journal}
