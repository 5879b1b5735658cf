"""One client's connection to the realtime service, as the app reaches it: sends go out in the order of the calls."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Protocol

BINARY, TEXT = "application/octet-stream", "text/plain"
"""What a message is: it becomes a frame of this kind."""


class Connection(Protocol):
    """Raises `MediaError` from each method: retryable if the service did not answer, else the client is gone."""

    async def send_text(self, text: str) -> None:
        """A text frame, as it is."""
        ...

    async def send_json(self, document: Mapping[str, object]) -> None:
        """A message of type json."""
        ...

    async def close(self, reason: str) -> None:
        """Close it; one that is gone already is no error."""
        ...


class FrameConnection(Protocol):
    """For who speaks in many small messages. Raises `MediaError` as `Connection` does."""

    async def send_all(self, messages: Sequence[tuple[bytes, str]]) -> None:
        """Messages, each of which becomes a frame of its kind (BINARY, TEXT); in order, and none of them twice."""
        ...

    async def close(self, reason: str) -> None:
        """Close it; one that is gone already is no error."""
        ...
