"""The deadline grows with what is written or read."""

from __future__ import annotations

import asyncio
from dataclasses import dataclass
from typing import Any

import pytest

from shared.adapters.azure_blob.address import BlobAddress
from shared.adapters.azure_blob.file_store import AzureBlobFileStore
from shared.domain.errors import StoreError


class SlowContainer:
    async def put(self, name: str, data: bytes, content_type: str) -> None:
        await asyncio.sleep(1.0)

    async def append(self, name: str, data: bytes) -> None:
        await asyncio.sleep(1.0)

    async def download(self, name: str) -> SlowDownload:
        return SlowDownload(4_000_000 if name == "large" else 1_000)


@dataclass
class SlowDownload:
    size: int

    async def readall(self) -> bytes:
        await asyncio.sleep(1.0)
        return bytes(self.size)


async def test_a_large_file_has_more_time_than_a_small_one() -> None:
    files = AzureBlobFileStore(BlobAddress("recordings", connection_string="x"), timeout_s=0.5)
    slow: Any = SlowContainer()
    files._containers[asyncio.get_running_loop()] = slow
    await files.put("large", bytes(4_000_000), content_type="audio/wav")
    with pytest.raises(StoreError, match="files_timeout"):
        await files.put("small", bytes(1_000), content_type="audio/wav")
    await files.append("large", bytes(4_000_000))
    with pytest.raises(StoreError, match="files_timeout"):
        await files.append("small", bytes(1_000))
    assert await files.get("large") == bytes(4_000_000)
    with pytest.raises(StoreError, match="files_timeout"):
        await files.get("small")
