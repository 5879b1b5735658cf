"""A blob container through Azure's SDK; loaded at the file store's first use, since the SDK loads slowly."""

from __future__ import annotations

from typing import Any

from azure.core import MatchConditions
from azure.core.exceptions import (
    AzureError,
    ClientAuthenticationError,
    HttpResponseError,
    ResourceExistsError,
    ResourceNotFoundError,
)
from azure.identity.aio import DefaultAzureCredential, ManagedIdentityCredential
from azure.storage.blob import ContentSettings, StorageErrorCode
from azure.storage.blob.aio import BlobClient, ContainerClient, LinearRetry, StorageStreamDownloader

from shared.adapters.azure_blob.address import BlobAddress
from shared.domain.errors import StoreError

_TRANSIENT = frozenset({408, 412, 429, 500, 502, 503, 504})
"""412: a large file comes in parts, and has been appended to meanwhile."""


class BlobContainer:
    """The container's client in one event loop. Its methods raise: AzureError; see `store_error`."""

    def __init__(self, address: BlobAddress, timeout_s: float) -> None:
        options: dict[str, Any] = {
            "retry_policy": LinearRetry(backoff=1, retry_total=2, random_jitter_range=1),
            "connection_timeout": timeout_s,
            "read_timeout": timeout_s,
            "use_env_settings": False,  # it would read ~/.netrc in a thread before every request
        }
        self._credential: DefaultAzureCredential | ManagedIdentityCredential | None = None
        if address.connection_string is not None:
            self._client = ContainerClient.from_connection_string(
                address.connection_string, address.container, **options
            )
            return
        assert address.account_url is not None
        self._credential = (
            ManagedIdentityCredential(client_id=address.client_id) if address.client_id else DefaultAzureCredential()
        )
        self._client = ContainerClient(address.account_url, address.container, self._credential, **options)

    async def put(self, name: str, data: bytes, content_type: str) -> None:
        """The container is made by the first file, where nobody has made it before."""
        settings = ContentSettings(content_type=content_type)
        try:
            await self._client.upload_blob(name, data, overwrite=True, content_settings=settings)
        except ResourceNotFoundError as error:
            if _code(error) != StorageErrorCode.CONTAINER_NOT_FOUND:
                raise
            await self.make()
            await self._client.upload_blob(name, data, overwrite=True, content_settings=settings)

    async def append(self, name: str, data: bytes) -> None:
        """The file is begun, and the container made, by the first who appends."""
        blob = self._client.get_blob_client(name)
        try:
            await blob.append_block(data, length=len(data))
        except ResourceNotFoundError as error:
            if _code(error) == StorageErrorCode.CONTAINER_NOT_FOUND:
                await self.make()
            elif _code(error) != StorageErrorCode.BLOB_NOT_FOUND:
                raise
            await self._begin(blob)
            await blob.append_block(data, length=len(data))

    async def _begin(self, blob: BlobClient) -> None:
        try:
            await blob.create_append_blob(match_condition=MatchConditions.IfMissing)
        except ResourceExistsError:
            return  # somebody was faster

    async def download(self, name: str) -> StorageStreamDownloader[bytes] | None:
        """The file's size and first part; `readall` of it gives all."""
        try:
            return await self._client.download_blob(name)
        except ResourceNotFoundError as error:
            if _code(error) not in (StorageErrorCode.BLOB_NOT_FOUND, StorageErrorCode.CONTAINER_NOT_FOUND):
                raise
            return None  # the container is made by the first file

    async def delete(self, name: str) -> None:
        try:
            await self._client.delete_blob(name, delete_snapshots="include")
        except ResourceNotFoundError as error:
            if _code(error) != StorageErrorCode.BLOB_NOT_FOUND:
                raise

    async def make(self) -> None:
        """Make the container if it is not there; otherwise only ask for it, which needs fewer rights."""
        if await self._client.exists():
            return
        try:
            await self._client.create_container()
        except ResourceExistsError:
            return  # somebody was faster

    async def close(self) -> None:
        await self._client.close()
        if self._credential is not None:
            await self._credential.close()


def store_error(error: AzureError) -> StoreError:
    """The `StoreError` for an error of the SDK; its message names no file and no account."""
    if isinstance(error, ClientAuthenticationError):
        return StoreError("files_refused", "the file store does not accept our identity")
    if isinstance(error, HttpResponseError) and error.status_code is not None:
        reason = f"{error.status_code} {_code(error) or ''}".strip()
        if error.status_code in _TRANSIENT:
            return StoreError("files_unavailable", f"the file store is not available ({reason})", retryable=True)
        return StoreError("files_rejected", f"the file store rejects the request ({reason})")
    kind = type(error).__name__
    return StoreError("files_unavailable", f"the file store cannot be reached ({kind})", retryable=True)


def _code(error: HttpResponseError) -> str | None:
    """The service's own word for the error, which the SDK puts on its exceptions without declaring it."""
    code = getattr(error, "error_code", None)
    return None if code is None else str(getattr(code, "value", code))
