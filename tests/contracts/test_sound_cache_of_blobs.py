"""Lasting sound is a blob; a store that is away has nothing and breaks nothing."""

from __future__ import annotations

from uuid import uuid4

import pytest

from shared.adapters.azure_blob.address import BlobAddress
from shared.adapters.azure_blob.file_store import AzureBlobFileStore
from shared.adapters.azure_blob.sound_cache import BlobSoundCache
from tests.services import free_port


async def test_what_lasts_is_found_again(blob_connection_string: str) -> None:
    files = AzureBlobFileStore(BlobAddress(f"sounds-{uuid4().hex}", connection_string=blob_connection_string))
    cache = BlobSoundCache(files)
    assert await cache.get("k") is None, "not even the container is there"
    await cache.put("k", b"pcm", lasting=True)
    await cache.put("other", b"pcm", lasting=False)
    assert (await cache.get("k"), await cache.get("other"), await cache.get("none")) == (b"pcm", None, None)
    assert await files.get("sounds/k.pcm") == b"pcm"
    await cache.put("k", b"new", lasting=True)
    assert await cache.get("k") == b"new"
    await files.aclose()


async def test_a_store_that_is_away(caplog: pytest.LogCaptureFixture) -> None:
    endpoint = f"http://127.0.0.1:{free_port()}/devstoreaccount1"
    address = f"DefaultEndpointsProtocol=http;AccountName=devstoreaccount1;AccountKey=eA==;BlobEndpoint={endpoint};"
    files = AzureBlobFileStore(BlobAddress("sounds", connection_string=address), timeout_s=0.5)
    cache = BlobSoundCache(files)
    assert await cache.get("k") is None
    await cache.put("k", b"pcm", lasting=True)
    assert "no lasting sound: files_" in caplog.text
    assert "lasting sound was not kept: files_" in caplog.text
    await files.aclose()
