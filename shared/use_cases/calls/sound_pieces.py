"""The pieces of a call's sound that are kept while it runs, until its recording is made of them."""

from __future__ import annotations

import asyncio
import logging
from dataclasses import dataclass

from shared.domain.errors import StoreError
from shared.domain.sound_records import Side, SoundRecord, pieces, read, written
from shared.domain.steps import TurnRequest
from shared.ports.file_store import LARGEST_APPEND_BYTES, FileStore

logger = logging.getLogger(__name__)


@dataclass(frozen=True, slots=True)
class SoundPieces:
    """One file for a call, to which whoever listens and whoever speaks append; each piece says whose it is and where
    on the stream's time line it begins.
    """

    files: FileStore

    async def keep(self, request: TurnRequest, side: Side, at_ms: int, pcm: bytes) -> None:
        """Keep PCM16 16 kHz that sounded from `at_ms`. A recording with a gap is better than a call that ends
        because its files are away, so a failure is one line in the log.
        """
        try:
            for part in written(SoundRecord(side, request.turn, at_ms, pcm), LARGEST_APPEND_BYTES):
                await self.files.append(self._name(request.call_id), part)
        except StoreError as error:
            logger.error("call %s turn %d: its sound is not kept: %s", request.call_id, request.turn, error)

    async def read(self, call_id: str) -> dict[Side, list[tuple[int, bytes]]]:
        """Each side's pieces, with the millisecond at which they begin; without what is damaged."""
        data = await self.files.get(self._name(call_id)) or b""
        records, lost_bytes = await asyncio.to_thread(read, data)
        if lost_bytes:
            logger.error("call %s: %d bytes of its sound are damaged", call_id, lost_bytes)
        return pieces(records)

    async def forget(self, call_id: str) -> None:
        await self.files.delete(self._name(call_id))

    def _name(self, call_id: str) -> str:
        return f"calls/{call_id}.sound"
