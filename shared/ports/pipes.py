"""Pipes that join the steps of a turn, wherever each of them runs."""

from __future__ import annotations

from collections.abc import AsyncGenerator, Mapping
from dataclasses import dataclass
from typing import Protocol


@dataclass(frozen=True, slots=True)
class Entry:
    """One entry of a pipe. `position` orders entries; `at_ms` is when the pipe took it (Unix epoch)."""

    position: str
    fields: Mapping[bytes, bytes]

    @property
    def at_ms(self) -> int:
        return int(self.position.partition("-")[0])


class Pipes(Protocol):
    """Append-only, ordered, readable from any position by any number of readers.

    Raises `StoreError` (retryable) when the pipes' server does not answer in time.
    """

    async def append(
        self,
        pipe: str,
        fields: Mapping[str, bytes | str],
        *,
        position: str | None = None,
        must_exist: bool = False,
    ) -> None:
        """Add an entry. With a `position` ("2-1"), a second writing at or before the end changes nothing.
        `must_exist`: where there is no such pipe any more, nothing is written.
        """
        ...

    def follow(self, pipe: str, after: str = "0-0", *, idle_s: float = 5.0) -> AsyncGenerator[list[Entry], None]:
        """All entries after a position, in batches as they come, without end; an empty batch after each
        `idle_s` in which nothing came. Close the generator when done (`contextlib.aclosing`).
        """
        ...

    async def read(self, pipe: str, after: str = "0-0") -> list[Entry]:
        """What is in the pipe now, after a position."""
        ...

    async def last(self, pipe: str) -> Entry | None:
        """The newest entry, if any."""
        ...

    async def trim(self, pipe: str, before: str) -> None:
        """Forget the entries before a position."""
        ...
