"""Fills `SoundCache` with blobs: sound that outlives caches and workers."""

from __future__ import annotations

import logging

from shared.domain.errors import StoreError
from shared.ports.file_store import FileStore

logger = logging.getLogger(__name__)


class BlobSoundCache:
    """Keeps lasting sound in `files`; all other sound is too short-lived to be written there."""

    def __init__(self, files: FileStore) -> None:
        self._files = files

    async def get(self, key: str) -> bytes | None:
        try:
            return await self._files.get(_name(key))
        except StoreError as error:
            logger.warning("no lasting sound: %s", error.code)
            return None

    async def put(self, key: str, pcm: bytes, *, lasting: bool) -> None:
        if not lasting:
            return
        try:
            await self._files.put(_name(key), pcm, content_type="application/octet-stream")
        except StoreError as error:
            logger.warning("lasting sound was not kept: %s", error.code)


def _name(key: str) -> str:
    return f"sounds/{key}.pcm"
