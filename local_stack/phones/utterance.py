"""What a simulated caller says in one go, cut into the frames that go out on the line."""

from __future__ import annotations

from dataclasses import dataclass
from itertools import cycle
from pathlib import Path
from typing import Final

import numpy as np
from numpy.typing import NDArray

from local_stack.phones import g711, wav
from local_stack.phones.resampling import to_telephone

_LOUD_SHARE: Final = 0.04
"""A frame is speech above this share of the loudest frame; recordings differ in their noise floor."""
_MAX_SECONDS: Final = 600.0
_FRAMES_PER_DIGIT: Final = 10


@dataclass(frozen=True)
class Utterance:
    """µ-law frames of 20 ms each; `first_loud` and `last_loud` are indexes of frames."""

    label: str
    frames: tuple[bytes, ...]
    first_loud: int
    last_loud: int
    text: str | None = None
    """The words that are spoken, where they are known."""
    digits: tuple[tuple[int, str], ...] = ()
    """Keys that are pressed: index of the frame, and the key."""

    @property
    def speech_ms(self) -> int:
        return (self.last_loud - self.first_loud + 1) * g711.FRAME_MS


def from_samples(samples: NDArray[np.int16], label: str, text: str | None = None) -> Utterance:
    """Cuts PCM16 at 8 kHz into frames. Raises: UnusableAudio if nothing in it is loud enough to be speech."""
    count = -(-len(samples) // g711.FRAME_BYTES)
    padded = np.zeros(count * g711.FRAME_BYTES, np.int16)
    padded[: len(samples)] = samples
    blocks = padded.reshape(count, g711.FRAME_BYTES)
    levels = np.sqrt((blocks.astype(np.float64) ** 2).mean(axis=1))
    loud = np.flatnonzero(levels > max(g711.AUDIBLE_RMS, _LOUD_SHARE * float(levels.max(initial=0.0))))
    if len(loud) == 0:
        raise wav.UnusableAudio(f"{label}: no speech in it, only silence")
    frames = tuple(g711.encode(block) for block in blocks)
    return Utterance(label, frames, int(loud[0]), int(loud[-1]), text)


def from_wav(data: bytes, label: str, text: str | None = None) -> Utterance:
    """Reads a WAV of any rate and any number of channels. Raises: UnusableAudio."""
    try:
        recording = wav.read(data)
    except wav.UnusableAudio as error:
        raise wav.UnusableAudio(f"{label}: {error}") from None
    if recording.seconds > _MAX_SECONDS:
        raise wav.UnusableAudio(f"{label}: longer than {_MAX_SECONDS:.0f} s")
    return from_samples(to_telephone(recording.samples, recording.rate_hz), label, text)


def from_file(path: Path, text: str | None = None) -> Utterance:
    """Raises: UnusableAudio, also for a file that is missing or cannot be read."""
    try:
        data = path.read_bytes()
    except OSError as error:
        raise wav.UnusableAudio(f"{path}: {error.strerror or error}") from None
    return from_wav(data, path.name, text)


def from_digits(digits: str) -> Utterance:
    """Keys pressed one after the other, five a second, on a silent line."""
    if not digits or any(digit not in "0123456789*#ABCD" for digit in digits):
        raise wav.UnusableAudio(f"{digits!r}: keys are 0-9, A-D, * and #")
    frames = (g711.SILENT_FRAME,) * (len(digits) * _FRAMES_PER_DIGIT)
    presses = tuple((at * _FRAMES_PER_DIGIT, digit) for at, digit in enumerate(digits))
    return Utterance(f"keys {digits}", frames, 0, presses[-1][0], None, presses)


def without_end(parts: tuple[Utterance, ...], seconds: float) -> Utterance:
    """The loud stretches of the parts, over and over without a pause, for so many seconds."""
    wanted = round(seconds * 1000 / g711.FRAME_MS)
    frames: list[bytes] = []
    for part in cycle(parts):
        frames += part.frames[part.first_loud : part.last_loud + 1]
        if len(frames) >= wanted:
            break
    return Utterance(f"{seconds:.0f} s of speech", tuple(frames[:wanted]), 0, wanted - 1)
