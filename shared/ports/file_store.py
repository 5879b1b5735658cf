"""Files that outlive a call: pieces of audio while it runs, the recording after it."""

from __future__ import annotations

from typing import Protocol


class FileStore(Protocol):
    """Flat names with `/` in them, within one container.

    Raises `StoreError` (retryable where it is) when the store refuses or does not answer in time.
    """

    @property
    def container(self) -> str: ...

    async def put(self, name: str, data: bytes, *, content_type: str) -> None:
        """Write or replace the file."""
        ...

    async def get(self, name: str) -> bytes | None:
        """The file's content, or None if there is none."""
        ...

    async def delete(self, names: list[str]) -> None:
        """Remove the files; those that are gone already are no error."""
        ...

    async def ping(self) -> None:
        """Raises: StoreError if the store is not ready (makes the container where it is missing)."""
        ...

    async def list(self, prefix: str) -> list[str]:
        """The names that begin with `prefix`, sorted."""
        ...
