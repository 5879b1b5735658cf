"""Finds what an agent's documents say about a question, soon enough to be of use in an answer."""

from __future__ import annotations

import asyncio
import logging
from collections import OrderedDict
from collections.abc import Sequence

from shared.domain.agents.knowledge import KnowledgeUse
from shared.domain.errors import KnowledgeError
from shared.ports.knowledge import Embeddings, Knowledge, Passage

logger = logging.getLogger(__name__)

_LONGEST_QUESTION = 1_000
_KEPT_VECTORS = 512

Vector = Sequence[float]


class LookUp:
    """Safe to begin on a transcript that may change: a question's vector is made once, also where two ask at once.

    `deadline_s`: after it there is nothing, and the answer does without.
    """

    def __init__(self, knowledge: Knowledge, embeddings: Embeddings, *, deadline_s: float = 0.6) -> None:
        self._knowledge = knowledge
        self._embeddings = embeddings
        self._deadline_s = deadline_s
        self._vectors: OrderedDict[str, asyncio.Task[Vector]] = OrderedDict()

    async def __call__(self, tenant_id: str, use: KnowledgeUse, text: str) -> list[Passage]:
        """The best first, none below the agent's threshold; none also where the index fails or is late."""
        question = " ".join(text.split())[-_LONGEST_QUESTION:]
        if not use.collections or not question:
            return []
        try:
            async with asyncio.timeout(self._deadline_s):
                vector = await self._vector(question)
                found = await self._knowledge.search(tenant_id, use.collections, question, vector, most=use.passages)
        except TimeoutError:
            logger.warning("knowledge is late: the answer does without")
            return []
        except KnowledgeError as error:
            logger.warning("knowledge cannot be asked: %s", error)
            return []
        return [passage for passage in found if passage.score >= use.threshold][: use.passages]

    async def _vector(self, question: str) -> Vector:
        making = self._vectors.get(question)
        if making is None or (making.done() and (making.cancelled() or making.exception() is not None)):
            making = asyncio.create_task(self._embed(question), name="embed question")
            making.add_done_callback(_looked_at)
            self._vectors[question] = making
            while len(self._vectors) > _KEPT_VECTORS:
                self._vectors.popitem(last=False)
        self._vectors.move_to_end(question)
        # A take that is given up must not take the vector from the one after it.
        return await asyncio.shield(making)

    async def _embed(self, question: str) -> Vector:
        return (await self._embeddings.embed([question], is_question=True))[0]


def _looked_at(making: asyncio.Task[Vector]) -> None:
    """Whoever asked may have gone before it failed."""
    if not making.cancelled():
        making.exception()
