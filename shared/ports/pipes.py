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


@dataclass(frozen=True, slots=True)
class Fence:
    """By which one execution of a step is told from later ones of the same step, named by `key`; `epoch` grows."""

    key: str
    epoch: int


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
        fence: Fence | None = None,
    ) -> None:
        """Add an entry. With a `position` ("2-1"), a second writing at or before the end changes nothing.
        `must_exist`: where there is no such pipe any more, nothing is written. With a `fence` (of the same call)
        nothing is written once there is a later one with its key: looking and writing are one deed.

        Raises: Overtaken.
        """
        ...

    async def fence(self, key: str) -> Fence:
        """The next one with this key (of `shared.domain.pipe_names`): all before it hold no more."""
        ...

    async def check(self, fence: Fence) -> None:
        """Raises: Overtaken, once there is a later one with its key."""
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
