"""The pieces of a call's sound that are kept while it runs, until its recording is made of them."""

from __future__ import annotations

import logging
from dataclasses import dataclass
from typing import Literal

from shared.domain.errors import StoreError
from shared.domain.steps import TurnRequest
from shared.ports.file_store import FileStore

logger = logging.getLogger(__name__)

Side = Literal["caller", "agent"]


@dataclass(frozen=True, slots=True)
class SoundPieces:
    """A piece's name says whose it is and where on the stream's time line it begins."""

    files: FileStore

    async def keep(self, request: TurnRequest, side: Side, at_ms: int, pcm: bytes) -> None:
        """Keep PCM16 16 kHz that sounded from `at_ms`. A recording with a gap is better than a call that ends
        because its files are away, so a failure is one line in the log.
        """
        name = f"{self._folder(request.call_id)}{side}/{request.turn:04d}-{at_ms:09d}.pcm"
        try:
            await self.files.put(name, pcm, content_type="application/octet-stream")
        except StoreError as error:
            logger.error("call %s turn %d: its sound is not kept: %s", request.call_id, request.turn, error)

    async def names(self, call_id: str) -> list[str]:
        return await self.files.list(self._folder(call_id))

    async def read(self, names: list[str]) -> dict[str, list[tuple[int, bytes]]]:
        """Each side's pieces, with the millisecond at which they begin."""
        sides: dict[str, list[tuple[int, bytes]]] = {"caller": [], "agent": []}
        for name in names:
            _, _, side, piece = name.split("/")
            at_ms = int(piece.removesuffix(".pcm").partition("-")[2])
            sides[side].append((at_ms, await self.files.get(name) or b""))
        return sides

    def _folder(self, call_id: str) -> str:
        return f"calls/{call_id}/"
