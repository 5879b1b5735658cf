"""Vectors by `/embeddings`. Source: https://platform.openai.com/docs/api-reference/embeddings/create"""

from __future__ import annotations

import asyncio
import base64
import json
import math
import struct
from collections.abc import Sequence
from typing import Any

from shared.adapters.openai.wire import OpenAIWire, translated
from shared.domain.errors import KnowledgeError

_BATCH = 64
_QUESTION_WITHIN_S = 2.0
_BATCH_WITHIN_S = 30.0
_PAUSES_S = (1.0, 2.0, 4.0, 8.0)
"""Between attempts at what nobody waits for: a quota is given anew every minute, or sooner."""
_FLOAT_BYTES = 4


class OpenAIEmbeddings:
    """Fills `Embeddings`. `dimensions`: what the model is asked to shorten its vectors to; 0 leaves them as they
    are. `batch`: texts in one request.
    """

    def __init__(
        self,
        wire: OpenAIWire,
        *,
        model: str,
        dimensions: int = 0,
        batch: int = _BATCH,
        question_within_s: float = _QUESTION_WITHIN_S,
        batch_within_s: float = _BATCH_WITHIN_S,
        pauses_s: Sequence[float] = _PAUSES_S,
    ) -> None:
        self.wire = wire
        self._model = model
        self._dimensions = dimensions
        self._batch = batch
        self._question_within_s = question_within_s
        self._batch_within_s = batch_within_s
        self._pauses_s = pauses_s

    async def embed(self, texts: Sequence[str], *, is_question: bool) -> Sequence[Sequence[float]]:
        vectors: list[list[float]] = []
        for first in range(0, len(texts), self._batch):
            batch = texts[first : first + self._batch]
            if is_question:
                vectors += await self._ask(batch, self._question_within_s)
            else:
                vectors += await self._ask_patiently(batch)
        return vectors

    async def close(self) -> None:
        """Close its connections."""
        await self.wire.close()

    async def _ask_patiently(self, texts: Sequence[str]) -> list[list[float]]:
        for pause_s in self._pauses_s:
            try:
                return await self._ask(texts, self._batch_within_s)
            except KnowledgeError as error:
                if not error.retryable:
                    raise
            await asyncio.sleep(pause_s)
        return await self._ask(texts, self._batch_within_s)

    async def _ask(self, texts: Sequence[str], within_s: float) -> list[list[float]]:
        # No endpoint takes an empty text, and a list with one is refused as a whole.
        wanted: dict[str, Any] = {"model": self._model, "input": [text.strip() or "." for text in texts]}
        wanted["encoding_format"] = "base64"
        if self._dimensions:
            wanted["dimensions"] = self._dimensions
        async with translated("embeddings", KnowledgeError), asyncio.timeout(within_s):
            headers = await self.wire.headers("") | {"Content-Type": "application/json"}
            url = self.wire.url("/embeddings", self._model)
            answer = await self.wire.post(url, json.dumps(wanted).encode(), headers)
            return _vectors(answer, len(texts), self._dimensions)


def _vectors(answer: Any, count: int, dimensions: int) -> list[list[float]]:
    """In the order of the texts. Raises: KnowledgeError for what are no vectors for them."""
    ordered = sorted(answer["data"], key=lambda item: int(item["index"]))
    vectors = [_unit(_numbers(item["embedding"])) for item in ordered]
    lengths = {len(vector) for vector in vectors}
    complete = [item["index"] for item in ordered] == list(range(count)) and len(lengths) == 1
    if not complete or (dimensions and lengths != {dimensions}):
        raise KnowledgeError("openai_failed", "the vectors are not those that were asked for")
    return vectors


def _numbers(given: Any) -> Sequence[float]:
    """Little-endian float32 in base64; some servers know only lists."""
    if isinstance(given, str):
        data = base64.b64decode(given, validate=True)
        return struct.unpack(f"<{len(data) // _FLOAT_BYTES}f", data)
    return [float(number) for number in given]


def _unit(vector: Sequence[float]) -> list[float]:
    length = math.sqrt(sum(number * number for number in vector))
    if not (length > 0 and math.isfinite(length)):
        raise KnowledgeError("openai_failed", "a vector has no direction")
    return [number / length for number in vector]
