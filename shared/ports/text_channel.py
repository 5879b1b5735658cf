"""The way back to a caller on a line whose provider speaks our words itself, over a socket."""

from __future__ import annotations

from typing import Protocol

from shared.ports.live_calls import LiveCall


class TextChannel(Protocol):
    """Speaks to one connection. Raises `MediaError`: retryable if it may get through later, else the line is gone."""

    async def say(self, text: str, *, is_last: bool, language: str = "") -> None:
        """Queue words for speaking. `is_last`: with them the answer is whole; the text may be empty then."""
        ...

    async def send_keys(self, keys: str) -> None:
        """DTMF towards the caller, as in `SendKeys`."""
        ...

    async def switch_language(self, language: str) -> None:
        """Hear and speak another language from now on."""
        ...

    async def end(self, handoff: str = "") -> None:
        """Let go of the call; whoever goes on with it at the provider is given `handoff`."""
        ...


class TextChannels(Protocol):
    def open_text(self, live: LiveCall) -> TextChannel:
        """The channel of a call's connection; does no I/O. Raises: InvalidRequest for a line that has none."""
        ...
