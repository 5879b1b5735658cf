"""Files that outlive a call: pieces of audio while it runs, the recording after it."""

from __future__ import annotations

from typing import Protocol

LARGEST_APPEND_BYTES = 4 * 1024 * 1024
"""Source: https://learn.microsoft.com/azure/storage/blobs/scalability-targets"""


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

    async def append(self, name: str, data: bytes) -> None:
        """Write to the end of the file, which is begun where it is missing; what was `put` cannot be appended to.

        `data` stands there in one piece, whoever else appends; twice, perhaps, if the store was slow to confirm it.
        Raises: StoreError also for more than `LARGEST_APPEND_BYTES`.
        """
        ...

    async def delete(self, name: str) -> None:
        """Remove the file; that it is gone already is no error."""
        ...

    async def ping(self) -> None:
        """Raises: StoreError if the store is not ready (makes the container where it is missing)."""
        ...
