"""A provider's connection that takes sound while it is spoken, and gives the words of a stretch when it ends."""

from __future__ import annotations

from collections.abc import Awaitable
from typing import Protocol


class SpeechSocket(Protocol):
    """One connection; used by one hearing at a time. All methods but `close` raise SpeechToTextError."""

    @property
    def usable(self) -> bool:
        """Whether it is open and may be used for a further turn."""
        ...

    @property
    def language(self) -> str:
        """In which language the last words were spoken, as a tag; "" where it is not told."""
        ...

    async def append(self, pcm: bytes) -> None:
        """The next PCM16 mono 16 kHz of the stretch, or µ-law at 8 kHz on a connection that is for that."""
        ...

    async def commit(self) -> Awaitable[str]:
        """The stretch ends here; a new one begins. Gives what can be waited for: its words, "" where there are none.

        Stretches are answered one by one, in their order or not; what is not waited for does no harm.
        """
        ...

    async def clear(self) -> None:
        """What was appended since the last commit is not wanted."""
        ...

    async def close(self) -> None:
        """Never raises."""
        ...


class SpeechSockets(Protocol):
    async def connect(self, *, language: str, call_id: str) -> SpeechSocket:
        """A new connection. Raises: SpeechToTextError."""
        ...
