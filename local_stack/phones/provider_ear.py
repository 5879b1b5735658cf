"""How a provider listens to a caller: where speech begins and ends, and which keys are pressed."""

from __future__ import annotations

from collections import deque
from dataclasses import dataclass
from typing import Final

from local_stack.phones import g711
from local_stack.phones.phone_line import LineFrame

_ONSET_FRAMES: Final = 4
"""So many of the last eight frames are loud where somebody speaks; less is a click."""
_ONSET_WINDOW: Final = 8
_LEAD_FRAMES: Final = 15
"""What was on the line just before belongs to the speech."""


@dataclass(frozen=True)
class HeardSpeech:
    """What a caller said in one go, µ-law at 8 kHz. Moments are Unix epoch milliseconds of the sound itself."""

    ulaw_8k: bytes
    started_ms: float
    ended_ms: float


class ProviderEar:
    """Fed with every frame of a line (`line.listeners.append(ear.take)`).

    Speech is over after `end_silence_ms` of quiet, or when it has lasted `longest_ms`.
    """

    def __init__(self, end_silence_ms: int = 600, longest_ms: int = 60_000) -> None:
        self.end_silence_ms = end_silence_ms
        self.longest_ms = longest_ms
        self.speech: deque[HeardSpeech] = deque()
        """What is finished and not yet taken."""
        self.digits: deque[str] = deque()
        """Keys not yet taken."""
        self.speaking_since_ms: float | None = None
        """When the speech began that is not over yet."""
        self._lead: deque[bytes] = deque(maxlen=_LEAD_FRAMES)
        self._loud: deque[bool] = deque(maxlen=_ONSET_WINDOW)
        self._frames: list[bytes] = []
        self._quiet_ms = 0

    def take(self, frame: LineFrame) -> None:
        if frame.digit is not None:
            self.digits.append(frame.digit)
        is_loud = g711.is_audible(frame.said)
        self._loud.append(is_loud)
        if self.speaking_since_ms is None:
            self._lead.append(frame.said)
            if sum(self._loud) >= _ONSET_FRAMES:
                self.speaking_since_ms = frame.at_ms - (_ONSET_FRAMES - 1) * g711.FRAME_MS
                self._frames, self._quiet_ms = list(self._lead), 0
            return
        self._frames.append(frame.said)
        self._quiet_ms = 0 if is_loud else self._quiet_ms + g711.FRAME_MS
        if self._quiet_ms >= self.end_silence_ms or len(self._frames) * g711.FRAME_MS >= self.longest_ms:
            self._finish(frame.at_ms)

    def _finish(self, now_ms: float) -> None:
        if self.speaking_since_ms is not None:
            heard = HeardSpeech(b"".join(self._frames), self.speaking_since_ms, now_ms - self._quiet_ms)
            self.speech.append(heard)
        self.forget_speech_under_way()

    def forget_speech_under_way(self) -> None:
        """As if the caller had said nothing since the last speech was over."""
        self.speaking_since_ms, self._frames = None, []
        self._lead.clear()
        self._loud.clear()

    def forget(self) -> None:
        """Nothing is known any more of what was said and pressed until now."""
        self.speech.clear()
        self.digits.clear()
        self.forget_speech_under_way()
