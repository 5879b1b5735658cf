"""What every `FileStore` does, and how it fails."""

from __future__ import annotations

import asyncio
import subprocess
import sys
import time
from collections.abc import AsyncIterator
from uuid import uuid4

import pytest

from shared.adapters.azure_blob.address import BlobAddress
from shared.adapters.azure_blob.file_store import AzureBlobFileStore
from shared.domain.errors import InvalidRequest, StoreError
from shared.ports.file_store import LARGEST_APPEND_BYTES, FileStore
from tests.contracts.tcp_proxy import tcp_proxy
from tests.fakes.stores import FakeFileStore
from tests.services import CHECKOUT, free_port
from tests.services import blob_connection_string as address_of

_WAV = "audio/wav"


@pytest.fixture(params=["azure_blob", "fake"])
async def files(request: pytest.FixtureRequest) -> AsyncIterator[FileStore]:
    if request.param == "fake":
        yield FakeFileStore()
        return
    blob_connection_string = request.getfixturevalue("blob_connection_string")
    store = AzureBlobFileStore(BlobAddress(f"test-{uuid4().hex}", blob_connection_string))
    await store.ping()
    yield store
    await store.aclose()


async def test_a_file_comes_back_as_it_was_put(files: FileStore) -> None:
    data = bytes(range(256)) * 4096
    await files.put("calls/a b/ü.wav", data, content_type=_WAV)
    assert await files.get("calls/a b/ü.wav") == data


async def test_an_empty_file_is_a_file(files: FileStore) -> None:
    await files.put("empty", b"", content_type=_WAV)
    assert await files.get("empty") == b""


async def test_a_file_is_replaced(files: FileStore) -> None:
    await files.put("name", b"a long first content", content_type=_WAV)
    await files.put("name", b"second", content_type="text/plain")
    assert await files.get("name") == b"second"


async def test_a_file_that_is_not_there_is_none(files: FileStore) -> None:
    assert await files.get("nothing/here") is None


async def test_what_is_appended_begins_the_file_and_continues_it(files: FileStore) -> None:
    name = "calls/a b/ü.sound"
    for part in (b"first", bytes(range(256)) * 300, b"third"):
        await files.append(name, part)
    assert await files.get(name) == b"first" + bytes(range(256)) * 300 + b"third"
    await files.delete(name)
    await files.append(name, b"anew")
    assert await files.get(name) == b"anew"


async def test_what_many_append_at_once_stands_in_one_piece_each(files: FileStore) -> None:
    """From the first on, when the file is not there."""
    parts = [bytes([writer]) * 70_000 for writer in range(6)]
    await asyncio.gather(*(files.append("many", part) for part in parts))
    for part in parts[:2]:
        await files.append("many", part)
    data = await files.get("many")
    assert data is not None
    stretches = [data[start : start + 70_000] for start in range(0, len(data), 70_000)]
    assert sorted(stretches) == sorted([*parts, *parts[:2]])


async def test_there_is_a_largest_part_to_append(files: FileStore) -> None:
    largest = bytes(LARGEST_APPEND_BYTES)
    for _ in range(2):
        await files.append("large", largest)
    with pytest.raises(StoreError, match="too_large") as refused:
        await files.append("large", largest + b"x")
    assert not refused.value.retryable
    assert await files.get("large") == largest * 2


async def test_what_was_put_is_not_appended_to(files: FileStore) -> None:
    await files.put("whole", b"recording", content_type=_WAV)
    with pytest.raises(StoreError, match="rejected") as refused:
        await files.append("whole", b"x")
    assert not refused.value.retryable
    assert await files.get("whole") == b"recording"


async def test_deleting_is_forgiving(files: FileStore) -> None:
    for name in ("piece/ü 1", "kept"):
        await files.put(name, b"x", content_type=_WAV)
    for _ in range(2):
        await files.delete("piece/ü 1")
    await files.delete("never/there")
    assert await files.get("piece/ü 1") is None
    assert await files.get("kept") == b"x"


async def test_ping_makes_the_container_and_again_does_no_harm(blob_connection_string: str) -> None:
    store = AzureBlobFileStore(BlobAddress(f"made-{uuid4().hex}", blob_connection_string))
    with pytest.raises(StoreError, match="files_rejected"):
        await store.delete("x")
    assert await store.get("x") is None
    await asyncio.gather(store.ping(), store.ping())
    assert await store.get("x") is None
    assert store.container.startswith("made-")
    await store.aclose()


async def test_the_first_file_makes_the_container(blob_connection_string: str) -> None:
    store = AzureBlobFileStore(BlobAddress(f"made-{uuid4().hex}", blob_connection_string))
    await store.put("x", b"first", content_type=_WAV)
    assert await store.get("x") == b"first"
    await store.aclose()


async def test_the_first_who_append_make_the_container(blob_connection_string: str) -> None:
    store = AzureBlobFileStore(BlobAddress(f"made-{uuid4().hex}", blob_connection_string))
    await asyncio.gather(*(store.append("x", b"part") for _ in range(4)))
    assert await store.get("x") == b"part" * 4
    await store.aclose()


async def test_a_file_that_comes_in_several_parts_is_whole(blob_connection_string: str) -> None:
    """The SDK asks for more than 32 MiB in parts."""
    store = AzureBlobFileStore(BlobAddress(f"made-{uuid4().hex}", blob_connection_string))
    parts = [bytes([number]) * LARGEST_APPEND_BYTES for number in range(10)]
    for part in parts:
        await store.append("x", part)
    assert await store.get("x") == b"".join(parts)
    container = store._containers[asyncio.get_running_loop()]
    honest = container.download

    async def download(name: str) -> object:
        first = await honest(name)
        await store.append(name, b"late")
        return first

    container.download = download  # type: ignore[method-assign, assignment]
    with pytest.raises(StoreError) as grown:
        await store.get("x")
    assert grown.value.retryable
    container.download = honest  # type: ignore[method-assign]
    assert await store.get("x") == b"".join([*parts, b"late"])
    await store.aclose()


async def test_a_wrong_key_is_refused_for_good(blob_connection_string: str) -> None:
    wrong = blob_connection_string.replace("AccountKey=Eby8", "AccountKey=Aby8")
    store = AzureBlobFileStore(BlobAddress("any", wrong))
    with pytest.raises(StoreError) as refused:
        await store.get("x")
    assert not refused.value.retryable
    await store.aclose()


@pytest.mark.parametrize("address", ["", "nonsense", "AccountKey=x"])
async def test_a_wrong_address_is_told(address: str) -> None:
    store = AzureBlobFileStore(BlobAddress("any", address))
    with pytest.raises(StoreError, match="files_address"):
        await store.ping()


def test_an_address_is_one_of_two() -> None:
    with pytest.raises(InvalidRequest):
        BlobAddress("any")
    with pytest.raises(InvalidRequest):
        BlobAddress("any", "UseDevelopmentStorage=true", "https://account.blob.core.windows.net")


async def test_a_stopped_store_says_so_in_time() -> None:
    store = AzureBlobFileStore(BlobAddress("any", address_of(free_port())), timeout_s=1.0)
    began = time.monotonic()
    outcomes = await asyncio.gather(
        store.put("x", b"x", content_type=_WAV),
        store.get("x"),
        store.append("x", b"x"),
        store.delete("x"),
        store.ping(),
        return_exceptions=True,
    )
    assert time.monotonic() - began < 3.0
    assert all(isinstance(outcome, StoreError) and outcome.retryable for outcome in outcomes)
    await store.aclose()


async def test_a_silent_store_costs_the_deadline_and_no_more(blob_connection_string: str) -> None:
    port = int(blob_connection_string.rsplit("127.0.0.1:")[1].split("/", maxsplit=1)[0])
    async with tcp_proxy(port) as proxy:
        store = AzureBlobFileStore(BlobAddress("any", address_of(proxy.port)), timeout_s=0.5)
        proxy.freeze()
        began = time.monotonic()
        for outcome in await asyncio.gather(store.get("x"), store.append("x", b"x"), return_exceptions=True):
            assert isinstance(outcome, StoreError)
            assert (outcome.code, outcome.retryable) == ("files_timeout", True)
        assert time.monotonic() - began < 2.0
        await store.aclose()


def test_the_sdk_is_not_loaded_before_it_is_used() -> None:
    look = "import sys, shared.adapters.azure_blob.file_store; print('azure.storage.blob' in sys.modules)"
    done = subprocess.run(
        [sys.executable, "-c", look], cwd=CHECKOUT, capture_output=True, text=True, timeout=30, check=True
    )
    assert done.stdout.strip() == "False"
