"""Fills `DocumentReader` with a process for each document: it knows no secret, and is ended if it takes too much."""

from __future__ import annotations

import asyncio
import json
import os
import sys
from dataclasses import asdict
from typing import Any

from shared.domain.errors import KnowledgeError
from shared.domain.knowledge.blocks import LIMITS, Block, BlockKind, ReadDocument, ReadingLimits
from shared.domain.knowledge.kinds import DocumentKind

_PROGRAM = "shared.adapters.documents.worker"
_ANSWER_FACTOR = 12
"""Bytes of the answer for each character of text, escaped as JSON, with what tells the blocks apart."""


class ProcessDocumentReader:
    """The `DocumentReader`; `at_once`: how many documents are read at a time, each of which may take a core."""

    def __init__(self, *, limits: ReadingLimits = LIMITS, at_once: int = 1) -> None:
        self._limits = limits
        self._free = asyncio.Semaphore(at_once)

    async def read(self, data: bytes, kind: DocumentKind) -> ReadDocument:
        async with self._free:
            process = await asyncio.create_subprocess_exec(
                sys.executable,
                "-m",
                _PROGRAM,
                str(kind),
                json.dumps(asdict(self._limits)),
                stdin=asyncio.subprocess.PIPE,
                stdout=asyncio.subprocess.PIPE,
                stderr=asyncio.subprocess.DEVNULL,
                env={"PYTHONPATH": os.pathsep.join(path or os.curdir for path in sys.path), "PYTHONUTF8": "1"},
            )
            try:
                async with asyncio.timeout(self._limits.seconds):
                    answer = await self._converse(process, data)
            except TimeoutError:
                raise _too_much(f"the document takes longer than {self._limits.seconds} s to read") from None
            finally:
                if process.returncode is None:
                    process.kill()
                await process.wait()
        return _document(answer, process.returncode)

    async def _converse(self, process: asyncio.subprocess.Process, data: bytes) -> bytes:
        assert process.stdin is not None
        assert process.stdout is not None
        feeding = asyncio.create_task(_feed(process.stdin, data))
        try:
            most = self._limits.characters * _ANSWER_FACTOR + self._limits.blocks * 100
            pieces, length = list[bytes](), 0
            while piece := await process.stdout.read(1 << 16):
                length += len(piece)
                if length > most:
                    raise _too_much("the document has too much text")
                pieces.append(piece)
            await process.wait()
            return b"".join(pieces)
        finally:
            feeding.cancel()


async def _feed(stdin: asyncio.StreamWriter, data: bytes) -> None:
    try:
        stdin.write(data)
        await stdin.drain()
        stdin.close()
    except (BrokenPipeError, ConnectionResetError):
        return  # it has seen enough


def _document(answer: bytes, status: int | None) -> ReadDocument:
    try:
        document: dict[str, Any] = json.loads(answer)
    except ValueError:
        # Ended by a limit of the system's, or by a fault in a library that the document found.
        raise _too_much(f"reading the document took too much memory or time (status {status})") from None
    if "code" in document:
        raise KnowledgeError(document["code"], document["message"])
    blocks = tuple(Block(text, BlockKind(kind), level, page) for kind, level, page, text in document["blocks"])
    return ReadDocument(document["title"], blocks)


def _too_much(message: str) -> KnowledgeError:
    return KnowledgeError("document_too_costly", message)
