"""For who needs both the pipes and the hot path into one of them."""

from __future__ import annotations

from typing import Protocol

from shared.ports.audio_frames import AudioFrames
from shared.ports.pipes import Pipes


class PipesAndFrames(Pipes, AudioFrames, Protocol):
    """One adapter fills both."""
