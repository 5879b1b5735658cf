"""Passages come in time or not at all, and none below the agent's threshold."""

from __future__ import annotations

import asyncio
from collections.abc import Sequence

import pytest

from shared.domain.agents.knowledge import KnowledgeUse
from shared.domain.errors import KnowledgeError
from shared.ports.knowledge import Passage
from shared.use_cases.knowledge.look_up import LookUp
from tests.fakes.knowledge import FakeEmbeddings, FakeKnowledge

USE = KnowledgeUse(collections=("shop",), passages=2, threshold=0.5)


class SlowEmbeddings(FakeEmbeddings):
    async def embed(self, texts: Sequence[str], *, is_question: bool) -> Sequence[Sequence[float]]:
        await asyncio.sleep(0.4)
        return await super().embed(texts, is_question=is_question)


@pytest.fixture
async def knowledge() -> FakeKnowledge:
    knowledge = FakeKnowledge()
    texts = ["aaaa", "aaab", "aabb", "zzzz"]
    passages = [Passage(text, "shop", "d", "", "", text) for text in texts]
    await knowledge.put("acme", passages, await FakeEmbeddings().embed(texts, is_question=False))
    return knowledge


def texts(found: list[Passage]) -> list[str]:
    return [each.text for each in found]


async def test_the_best_that_are_like_enough(knowledge: FakeKnowledge) -> None:
    look_up = LookUp(knowledge, FakeEmbeddings())
    assert texts(await look_up("acme", USE, "aaaa")) == ["aaaa", "aaab"]
    assert texts(await look_up("acme", USE, "zzzz")) == ["zzzz"]
    assert await look_up("acme", USE, "qqqq") == []
    assert await look_up("globex", USE, "aaaa") == []
    assert await look_up("acme", KnowledgeUse(collections=("hr",)), "aaaa") == []


async def test_nothing_is_asked_for_nothing(knowledge: FakeKnowledge) -> None:
    embeddings = FakeEmbeddings()
    look_up = LookUp(knowledge, embeddings)
    assert await look_up("acme", KnowledgeUse(), "aaaa") == []
    assert await look_up("acme", USE, " \n ") == []
    assert embeddings.asked == []


async def test_a_questions_vector_is_made_once_also_for_two_at_once(knowledge: FakeKnowledge) -> None:
    embeddings = SlowEmbeddings()
    look_up = LookUp(knowledge, embeddings)
    tentative, final = await asyncio.gather(look_up("acme", USE, "aaaa"), look_up("acme", USE, " aaaa\n"))
    assert texts(tentative) == texts(final) == ["aaaa", "aaab"]
    await look_up("acme", USE, "aaaa")
    assert embeddings.asked == [["aaaa"]]


async def test_a_take_that_is_given_up_leaves_its_vector(knowledge: FakeKnowledge) -> None:
    embeddings = SlowEmbeddings()
    look_up = LookUp(knowledge, embeddings)
    given_up = asyncio.create_task(look_up("acme", USE, "aaaa"))
    await asyncio.sleep(0.1)
    given_up.cancel()
    with pytest.raises(asyncio.CancelledError):
        await given_up
    assert texts(await look_up("acme", USE, "aaaa")) == ["aaaa", "aaab"]
    assert embeddings.asked == [["aaaa"]]


async def test_late_is_nothing_and_the_next_time_it_is_there(knowledge: FakeKnowledge) -> None:
    look_up = LookUp(knowledge, SlowEmbeddings(), deadline_s=0.3)
    assert await look_up("acme", USE, "aaaa") == []
    assert texts(await look_up("acme", USE, "aaaa")) == ["aaaa", "aaab"]


async def test_a_failure_is_nothing_and_is_not_kept(knowledge: FakeKnowledge) -> None:
    embeddings = FakeEmbeddings()
    embeddings.failures = [KnowledgeError("openai_unavailable", "down", retryable=True)]
    look_up = LookUp(knowledge, embeddings)
    assert await look_up("acme", USE, "aaaa") == []
    knowledge.failures = [KnowledgeError("chroma_unavailable", "down", retryable=True)]
    assert await look_up("acme", USE, "aaaa") == []
    assert texts(await look_up("acme", USE, "aaaa")) == ["aaaa", "aaab"]
