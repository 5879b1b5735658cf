"""The way back to the caller's ear, whatever carries it."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Protocol


class MediaChannel(Protocol):
    """Speaks to one connection. Raises `MediaError`: retryable if it may get through later, else the line is gone."""

    async def play(self, pcm: bytes, mark: str | None) -> None:
        """Queue PCM16 mono 16 kHz for playing; `mark` comes back as an event when it has been played."""
        ...

    async def clear(self) -> None:
        """Throw away what is queued and not played yet."""
        ...

    async def show(self, message: Mapping[str, object]) -> None:
        """Tell a client with a screen what is going on (`type`: heard, said, ended); carriers get nothing."""
        ...

    async def hang_up(self, reason: str) -> None:
        """Close the connection; one that is gone already is no error."""
        ...


class MediaChannels(Protocol):
    def open(self, provider: str, hub: str, connection_id: str, stream_id: str) -> MediaChannel:
        """The channel of a connection; does no I/O."""
        ...

    async def ping(self) -> None:
        """Raises: MediaError if the service that carries audio out is not ready."""
        ...
