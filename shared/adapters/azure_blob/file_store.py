"""Fills `FileStore` with Azure Blob Storage: a deadline on everything, a client for each event loop."""

from __future__ import annotations

import asyncio
import importlib
from collections.abc import Awaitable, Callable
from types import ModuleType
from typing import TYPE_CHECKING, TypeVar
from weakref import WeakKeyDictionary

from shared.adapters.azure_blob.address import BlobAddress
from shared.domain.errors import StoreError
from shared.ports.file_store import LARGEST_APPEND_BYTES

if TYPE_CHECKING:
    from shared.adapters.azure_blob.container import BlobContainer

_T = TypeVar("_T")
_MODULE = "shared.adapters.azure_blob.container"
_SLOWEST_BYTES_PER_S = 4_000_000
"""What is written or read gets time on top of the deadline: the recording of an hour has 230 MB."""


class AzureBlobFileStore:
    """The `FileStore` on the container at `address`; `timeout_s` bounds each operation with its retries, and for
    each `_SLOWEST_BYTES_PER_S` that are written or read there is a second more.
    """

    def __init__(self, address: BlobAddress, *, timeout_s: float = 10.0) -> None:
        self._address = address
        self._timeout_s = timeout_s
        self._module: ModuleType | None = None
        self._containers: WeakKeyDictionary[asyncio.AbstractEventLoop, BlobContainer] = WeakKeyDictionary()

    @property
    def container(self) -> str:
        return self._address.container

    async def put(self, name: str, data: bytes, *, content_type: str) -> None:
        writing_s = len(data) / _SLOWEST_BYTES_PER_S
        await self._run(lambda container: container.put(name, data, content_type), writing_s)

    async def get(self, name: str) -> bytes | None:
        download = await self._run(lambda container: container.download(name))
        if download is None:
            return None
        return await self._run(lambda _: download.readall(), download.size / _SLOWEST_BYTES_PER_S)

    async def append(self, name: str, data: bytes) -> None:
        if len(data) > LARGEST_APPEND_BYTES:
            raise StoreError("files_too_large", f"{len(data)} bytes are too many to append at once")
        writing_s = len(data) / _SLOWEST_BYTES_PER_S
        await self._run(lambda container: container.append(name, data), writing_s)

    async def delete(self, name: str) -> None:
        await self._run(lambda container: container.delete(name))

    async def ping(self) -> None:
        await self._run(lambda container: container.make())

    async def aclose(self) -> None:
        """Close the running event loop's client."""
        if (container := self._containers.pop(asyncio.get_running_loop(), None)) is not None:
            await container.close()

    async def _run(self, work: Callable[[BlobContainer], Awaitable[_T]], more_s: float = 0.0) -> _T:
        if self._module is None:
            self._module = await asyncio.to_thread(importlib.import_module, _MODULE)
        module, loop = self._module, asyncio.get_running_loop()
        try:
            if loop not in self._containers:
                self._containers[loop] = module.BlobContainer(self._address, self._timeout_s)
            async with asyncio.timeout(self._timeout_s + more_s):
                return await work(self._containers[loop])
        except TimeoutError as error:
            raise StoreError("files_timeout", "the file store did not answer in time", retryable=True) from error
        except module.AzureError as error:
            raise module.store_error(error) from error
        except ValueError as error:  # the SDK's word for a connection string or a name that cannot be
            raise StoreError("files_address", "the file store's address or a file's name is malformed") from error
