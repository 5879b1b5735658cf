"""What a call leaves behind on disk: both sides of the line on one time line, the events and the words."""

from __future__ import annotations

import json
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from local_stack.phones import g711, wav
from local_stack.phones.events import CallEvent
from local_stack.phones.measures import Turn


class LineTracks:
    """Collects 20 ms of each side a tick, so that both files have the same length and time line."""

    def __init__(self) -> None:
        self._caller = bytearray()
        self._agent = bytearray()

    def add(self, caller: bytes, agent: bytes) -> None:
        self._caller += caller
        self._agent += agent

    @property
    def duration_ms(self) -> int:
        return len(self._caller) * 1000 // g711.SAMPLE_RATE_HZ

    @property
    def caller(self) -> bytes:
        """µ-law of all that the caller said."""
        return bytes(self._caller)

    @property
    def agent(self) -> bytes:
        """µ-law of all that the caller heard."""
        return bytes(self._agent)


@dataclass(frozen=True)
class CallFiles:
    """Where one call is kept: `<state>/calls/<call id>/`."""

    folder: Path

    @property
    def caller_wav(self) -> Path:
        return self.folder / "caller.wav"

    @property
    def agent_wav(self) -> Path:
        return self.folder / "agent.wav"

    @property
    def events(self) -> Path:
        return self.folder / "events.json"

    @property
    def transcript(self) -> Path:
        return self.folder / "transcript.txt"

    @property
    def app_record(self) -> Path:
        """What the app's API said of the call in the end; only who followed the call there writes it."""
        return self.folder / "app.json"

    @property
    def stereo_wav(self) -> Path:
        """The caller on the left, the agent on the right; written with the picture."""
        return self.folder / "call.wav"

    @property
    def picture(self) -> Path:
        return self.folder / "call.png"

    def write(self, tracks: LineTracks, events: Sequence[CallEvent], summary: dict[str, Any], words: str) -> None:
        """Writes all four files; 16-bit WAVs at 8 kHz."""
        self.folder.mkdir(parents=True, exist_ok=True)
        wav.write(self.caller_wav, g711.decode(tracks.caller), g711.SAMPLE_RATE_HZ)
        wav.write(self.agent_wav, g711.decode(tracks.agent), g711.SAMPLE_RATE_HZ)
        document = {"summary": summary, "events": [event.to_json() for event in events]}
        self.events.write_text(json.dumps(document, indent=1, ensure_ascii=False) + "\n", encoding="utf-8")
        self.transcript.write_text(words, encoding="utf-8")


def known_words(turns: Sequence[Turn]) -> str:
    """The transcript as far as the line knows it: the caller's words, and how long the agent was heard."""
    lines = []
    for turn in turns:
        if turn.speech_started_ms is not None:
            lines.append(f"caller: {turn.text or f'({turn.label})'}")
        if turn.heard_ms:
            lines.append(f"agent: ({turn.heard_ms / 1000:.1f} s of speech)")
    return "".join(line + "\n" for line in lines)
