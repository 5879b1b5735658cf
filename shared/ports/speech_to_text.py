"""Words from sound, while the caller still speaks."""

from __future__ import annotations

from typing import Protocol


class Transcription(Protocol):
    """The hearing of one turn. Sound is fed as it comes; the words may be asked for at every pause."""

    def feed(self, pcm: bytes, mulaw: bytes = b"") -> None:
        """The next PCM16 mono 16 kHz, of whole milliseconds; does not block, never raises.

        `mulaw`: the same as it came, µ-law at 8 kHz and a quarter of the length, for who `takes_mulaw`.
        """
        ...

    async def words(self) -> str:
        """The words in all that was fed so far, "" where there are none. May be asked again after more was fed;
        cancelling it is harmless. Raises: SpeechToTextError.
        """
        ...

    @property
    def language(self) -> str:
        """In which language the last answer of `words` was spoken, as a tag; "" where the provider does not tell."""
        ...

    def cut(self) -> None:
        """What the last answer of `words` covered stands: only what was fed after it need be heard again."""
        ...

    async def close(self) -> None:
        """Let go of what it holds; never raises."""
        ...


class SpeechToText(Protocol):
    @property
    def takes_mulaw(self) -> bool:
        """Whether it makes use of telephone sound as it comes."""
        ...

    def open(self, *, language: str, call_id: str, late_after_ms: int = 0) -> Transcription:
        """A new hearing; does no I/O yet. `late_after_ms`: how long one answer may take before a second provider
        is asked beside the first, where there is one; 0: never.
        """
        ...

    async def ping(self) -> None:
        """Raises: SpeechToTextError if the provider is not ready."""
        ...
