"""Which of the recorded human voices a caller speaks with when nobody says which."""

from __future__ import annotations

import json
from dataclasses import dataclass
from pathlib import Path
from typing import Final

_FITTING_SECONDS: Final = (1.5, 4.5)


@dataclass(frozen=True)
class Voice:
    """A recording and the words that are spoken in it."""

    file: Path
    text: str
    seconds: float


class NoVoices(Exception):
    """There is no index of recordings, or it cannot be read; the message is one line."""


def read_index(folder: Path) -> list[Voice]:
    """Reads `index.json`. Raises: NoVoices."""
    index = folder / "index.json"
    try:
        entries = json.loads(index.read_text(encoding="utf-8"))
        return [Voice(folder / one["file"], str(one["text"]), float(one["seconds"])) for one in entries]
    except OSError:
        message = f"no recorded voices in {folder}: run `make setup`, or name a recording with AUDIO=file.wav"
        raise NoVoices(message) from None
    except (ValueError, TypeError, KeyError) as error:
        raise NoVoices(f"{index} cannot be read: {error}") from None


def fitting_speeches(voices: list[Voice], count: int) -> list[Voice]:
    """The first recordings of the index, whose order is a conversation; neither short nor long ones first."""
    shortest, longest = _FITTING_SECONDS
    return sorted(voices, key=lambda voice: not shortest <= voice.seconds <= longest)[:count]
