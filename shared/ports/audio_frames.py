"""The hot path: one frame of a caller's audio, as the carrier sent it, into the call's pipe."""

from __future__ import annotations

from typing import Protocol


class AudioFrames(Protocol):
    async def append_frame(self, call_id: str, connection_id: str, event_id: str, payload: bytes) -> None:
        """Append the raw frame; exactly one command. The frame of a call that is forgotten, and so has no pipe any
        more, is dropped. Raises: StoreError (retryable).
        """
        ...
