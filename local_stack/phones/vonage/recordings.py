"""Recordings of conversations that Vonage makes and keeps for its customer.

Source: https://developer.vonage.com/en/voice/voice-api/guides/recording
"""

from __future__ import annotations

import uuid
from dataclasses import dataclass, field
from typing import Any

from local_stack.phones.line_sound import LineSound
from local_stack.phones.phone_line import PhoneLine
from local_stack.phones.vonage.notices import moment


@dataclass
class Recording:
    """`url`: who is told when it is complete. The caller is on the left, what the caller hears on the right."""

    url: str | None
    started_ms: float
    channels: int = 1
    file_id: str = field(default_factory=lambda: str(uuid.uuid4()))
    recording_id: str = field(default_factory=lambda: str(uuid.uuid4()))
    ended_ms: float | None = None
    sound: LineSound = field(default_factory=LineSound)

    def begin(self, line: PhoneLine) -> None:
        self.sound.begin(line)

    def stop(self, now_ms: float) -> None:
        self.sound.stop()
        self.ended_ms = now_ms

    def as_wav(self) -> bytes:
        return self.sound.as_wav(self.channels)

    def event(self, api_url: str, conversation: str, now_ms: float) -> dict[str, Any]:
        """Where it is, once it is over."""
        return {
            "recording_url": f"{api_url}/v1/files/{self.file_id}",
            "recording_uuid": self.recording_id,
            "size": len(self.as_wav()),
            "start_time": moment(self.started_ms),
            "end_time": moment(self.ended_ms or now_ms),
            "conversation_uuid": conversation,
            "timestamp": moment(now_ms),
        }


@dataclass
class Recordings:
    """All of an account, by the ids of their files. `api_url`: where they can be fetched."""

    api_url: str = "http://localhost:7083"
    by_file: dict[str, Recording] = field(default_factory=dict)

    def add(self, recording: Recording) -> None:
        self.by_file[recording.file_id] = recording
