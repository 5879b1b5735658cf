"""A recording of a call that its provider has made: where it lies, and how far we have come with it."""

from __future__ import annotations

import hashlib
import io
import re
import wave
from dataclasses import dataclass
from enum import StrEnum

OWN_STORE = "own-store"
"""The name of what a call leaves in the store of the provider's customer."""
_PLAIN_NAME = re.compile(r"[A-Za-z0-9][A-Za-z0-9-]{0,79}")


class RecordingState(StrEnum):
    """Kept and elsewhere are for good, whatever a provider tells once more."""

    ANNOUNCED = "announced"
    """It lies at the provider."""
    KEPT = "kept"
    """It lies among our own files."""
    ELSEWHERE = "elsewhere"
    """It lies where the provider's customer wants it, in a store that we do not read."""
    LOST = "lost"
    """It could not be fetched."""


@dataclass(frozen=True, slots=True)
class ProviderRecording:
    """`name`: the provider's own of it, by which a repetition is known. `url`: where the provider keeps it; the host
    in it is a claim, never asked with our credentials unless it is the provider's. `container`, `blob`: where we do.
    """

    name: str
    url: str
    state: RecordingState = RecordingState.ANNOUNCED
    duration_ms: int | None = None
    container: str = ""
    blob: str = ""


def blob_name(tenant_id: str, call_id: str, name: str) -> str:
    """The same for the same recording, so that what is fetched again takes the place of what was there."""
    own = name.rpartition(":")[2]
    file = own if _PLAIN_NAME.fullmatch(own) else hashlib.sha256(name.encode()).hexdigest()[:32]
    return f"provider_recordings/{tenant_id}/{call_id}/{file}.wav"


def is_wav(sound: bytes) -> bool:
    return sound[:4] == b"RIFF" and sound[8:12] == b"WAVE"


def wav_duration_ms(sound: bytes) -> int | None:
    """None for a WAV that does not say it, or is in another form than PCM."""
    try:
        with wave.open(io.BytesIO(sound)) as opened:
            whole = len(sound) // (opened.getsampwidth() * opened.getnchannels())  # a header may promise more
            frames: int = min(opened.getnframes(), whole)
            return round(1000 * frames / int(opened.getframerate()))
    except (wave.Error, EOFError, ZeroDivisionError):
        return None
