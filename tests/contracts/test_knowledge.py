"""What every `Knowledge` does: Chroma as it is, Azure AI Search through its SDK against a stand-in."""

from __future__ import annotations

import asyncio
import math
import time
from collections.abc import AsyncIterator, Awaitable, Callable
from typing import Any
from uuid import uuid4

import pytest

from shared.adapters.chroma.knowledge import ChromaKnowledge
from shared.domain.errors import KnowledgeError
from shared.ports.knowledge import Knowledge, Passage
from tests.contracts.search_service import running_search
from tests.services import free_port

EAST, NORTH, NORTH_EAST = (1.0, 0.0, 0.0), (0.0, 1.0, 0.0), (math.sqrt(0.5), math.sqrt(0.5), 0.0)
WEST, UP = (-1.0, 0.0, 0.0), (0.0, 0.0, 1.0)


@pytest.fixture(params=["chroma", "azure_search", "azure_search_semantic"])
async def knowledge(request: pytest.FixtureRequest) -> AsyncIterator[Knowledge]:
    if request.param == "chroma":
        chroma = ChromaKnowledge(request.getfixturevalue("chroma_url"), index=f"test{uuid4().hex}")
        yield chroma
        await chroma.aclose()
        return
    async with running_search() as search:
        azure = search.knowledge(semantic=request.param.endswith("semantic"))
        yield azure
        await azure.aclose()


def passage(passage_id: str, text: str = "Some words.", **more: Any) -> Passage:
    given: dict[str, Any] = {"collection": "shop", "document_id": "faq", "title": "T", "place": "P"}
    return Passage(passage_id=passage_id, text=text, **given | more)


async def soon(look: Callable[[], Awaitable[Any]], wanted: Any) -> None:
    """What is written may be found a moment later."""
    deadline = time.monotonic() + 10
    while (seen := await look()) != wanted:
        assert time.monotonic() < deadline, seen
        await asyncio.sleep(0.05)


async def ids(
    knowledge: Knowledge, tenant: str, collections: tuple[str, ...] = ("shop",), vector: Any = EAST, most: int = 10
) -> list[str]:
    return [each.passage_id for each in await knowledge.search(tenant, collections, "zz", vector, most=most)]


async def test_the_nearest_comes_first_and_scores_are_from_0_to_1(knowledge: Knowledge) -> None:
    passages = [passage("north", "Nordic."), passage("half", "Halfway."), passage("east", "Orient."), passage("west")]
    await knowledge.put("acme", passages, [NORTH, NORTH_EAST, EAST, WEST])
    await soon(lambda: knowledge.held("acme", "shop", "faq"), {"north", "half", "east", "west"})
    found = await knowledge.search("acme", ["shop"], "orient", EAST, most=2)
    assert found[0] == passage("east", "Orient.", score=found[0].score)
    assert len(found) == 2
    everything = await knowledge.search("acme", ["shop"], "orient", EAST, most=10)
    scores = [each.score for each in everything]
    assert all(0 <= score <= 1 for score in scores)
    assert scores == sorted(scores, reverse=True)
    assert everything[0].score > 0.9


async def test_words_decide_between_passages_that_are_equally_near(knowledge: Knowledge) -> None:
    tents = [passage(f"tent-{number}", f"The tent number {number} is light.") for number in (41, 42, 43)]
    await knowledge.put("acme", tents, [EAST, EAST, EAST])
    await soon(lambda: knowledge.held("acme", "shop", "faq"), {"tent-41", "tent-42", "tent-43"})
    found = await knowledge.search("acme", ["shop"], "How light is tent 42?", EAST, most=1)
    assert [each.passage_id for each in found] == ["tent-42"]


async def test_the_same_id_is_replaced(knowledge: Knowledge) -> None:
    await knowledge.put("acme", [passage("one", "old")], [EAST])
    await knowledge.put("acme", [passage("one", "new")], [NORTH])

    async def texts() -> list[str]:
        return [each.text for each in await knowledge.search("acme", ["shop"], "zz", EAST, most=5)]

    await soon(texts, ["new"])


async def test_what_is_removed_is_not_found_once_it_returns(knowledge: Knowledge) -> None:
    await knowledge.put("acme", [passage("a"), passage("b"), passage("c", document_id="other")], [EAST] * 3)
    await soon(lambda: ids(knowledge, "acme", most=5), ["a", "b", "c"])
    await knowledge.remove("acme", "shop", "faq", keep=["b", "unknown"])
    assert sorted(await ids(knowledge, "acme")) == ["b", "c"]
    await knowledge.remove("acme", "shop", "faq")
    assert await ids(knowledge, "acme") == ["c"]
    assert await knowledge.held("acme", "shop", "faq") == set()
    await knowledge.remove("acme", "shop", "faq")


async def test_many_passages_are_all_held_and_all_removed(knowledge: Knowledge) -> None:
    many = [passage(f"{number:04}") for number in range(2_100)]
    for first in range(0, len(many), 700):
        await knowledge.put("acme", many[first : first + 700], [EAST] * 700)
    await soon(lambda: knowledge.held("acme", "shop", "faq"), {each.passage_id for each in many})
    await knowledge.remove("acme", "shop", "faq", keep=["0007"])
    assert await knowledge.held("acme", "shop", "faq") == {"0007"}


async def test_tenants_and_collections_are_apart(knowledge: Knowledge) -> None:
    await knowledge.put("acme", [passage("same", "of acme")], [EAST])
    await knowledge.put("globex", [passage("same", "of globex"), passage("own", collection="hr")], [EAST, EAST])
    await soon(lambda: ids(knowledge, "globex", ("shop", "hr")), ["same", "own"])
    found = await knowledge.search("acme", ["shop", "hr"], "globex", EAST, most=10)
    assert [each.text for each in found] == ["of acme"]
    assert await ids(knowledge, "globex", ("hr",)) == ["own"]
    assert await ids(knowledge, "globex", ()) == []
    assert await ids(knowledge, "globex", ("sho", "shops")) == []
    await knowledge.remove("acme", "shop", "faq")
    assert sorted(await ids(knowledge, "globex", ("shop", "hr"))) == ["own", "same"]


ATTACKS = (
    "acme' or tenant_id ne 'x",
    "acme') or (tenant_id ne '",
    "' or '1' eq '1",
    "acme' and true or tenant_id eq 'acme",
    "acme''",
    '{"$ne": "x"}',
    "$ne",
    "../acme",
    "acme\0",
    "",
    "*",
)


@pytest.mark.parametrize("attack", ATTACKS)
async def test_no_name_reaches_what_is_not_its_own(knowledge: Knowledge, attack: str) -> None:
    await knowledge.put("acme", [passage("secret", "the secret")], [EAST])
    await soon(lambda: ids(knowledge, "acme"), ["secret"])
    assert await ids(knowledge, attack) == []
    assert await ids(knowledge, "globex", (attack, "shop")) == []
    assert await ids(knowledge, "acme", (attack,)) == []
    assert await knowledge.held("acme", "shop", attack) == set()
    assert await knowledge.held("acme", attack, "faq") == set()
    for names in ((attack, "shop", "faq"), ("acme", attack, "faq"), ("acme", "shop", attack)):
        await knowledge.remove(*names)
    assert await ids(knowledge, "acme") == ["secret"]


@pytest.mark.parametrize("attack", [attack for attack in ATTACKS if attack])
async def test_odd_names_are_names_like_others(knowledge: Knowledge, attack: str) -> None:
    await knowledge.put(attack, [passage(attack, attack, document_id=attack)], [EAST])
    await soon(lambda: knowledge.held(attack, "shop", attack), {attack})
    assert await ids(knowledge, attack) == [attack]
    assert await ids(knowledge, "acme") == []
    await knowledge.remove(attack, "shop", attack)
    assert await ids(knowledge, attack) == []


@pytest.mark.parametrize("text", ["", "???", '"tent" AND -42 | (x*', "तंबू 42 का वज़न?", "a" * 3_000, "\ud800 half"])
async def test_any_question_is_a_question(knowledge: Knowledge, text: str) -> None:
    await knowledge.put("acme", [passage("tent", "तंबू 42")], [EAST])
    await soon(lambda: knowledge.held("acme", "shop", "faq"), {"tent"})
    found = await knowledge.search("acme", ["shop"], text, EAST, most=3)
    assert [each.passage_id for each in found] == ["tent"]


async def test_before_the_first_passage_there_is_nothing(knowledge: Knowledge) -> None:
    await knowledge.ping()
    assert await ids(knowledge, "nobody") == []
    assert await knowledge.held("nobody", "shop", "faq") == set()
    await knowledge.remove("nobody", "shop", "faq")
    await knowledge.put("nobody", [], [])


async def test_vectors_of_another_model_are_refused(knowledge: Knowledge) -> None:
    await knowledge.put("acme", [passage("one")], [EAST])
    with pytest.raises(KnowledgeError) as refused:
        await knowledge.put("acme", [passage("two")], [(1.0, 0.0)])
    assert not refused.value.retryable
    with pytest.raises(KnowledgeError):
        await knowledge.search("acme", ["shop"], "x", (1.0, 0.0), most=1)


async def test_who_does_not_answer_may_later() -> None:
    chroma = ChromaKnowledge(f"http://127.0.0.1:{free_port()}")
    with pytest.raises(KnowledgeError) as unreachable:
        await chroma.ping()
    assert unreachable.value.retryable
    await chroma.aclose()


async def test_azure_search_is_asked_again_after_a_refusal_of_the_moment() -> None:
    async with running_search() as search:
        knowledge = search.knowledge()
        await knowledge.put("acme", [passage("one")], [EAST])
        await soon(lambda: ids(knowledge, "acme"), ["one"])
        search.fail(503)
        search.fail(429, retry_after=0.05)
        assert await ids(knowledge, "acme") == ["one"]
        search.fail(503, times=10)
        with pytest.raises(KnowledgeError) as refused:
            await ids(knowledge, "acme")
        assert (refused.value.retryable, refused.value.code) == (True, "search_unavailable")
        await knowledge.aclose()


async def test_azure_search_is_not_waited_for_longer_than_allowed() -> None:
    async with running_search() as search:
        knowledge = search.knowledge(timeout_s=0.5)
        await knowledge.ping()
        search.fail(429, retry_after=60)
        with pytest.raises(KnowledgeError) as late:
            await knowledge.ping()
        assert (late.value.retryable, late.value.code) == (True, "search_timeout")
        await knowledge.aclose()


async def test_azure_search_with_another_key_is_refused_for_good() -> None:
    async with running_search() as search:
        knowledge = search.knowledge(api_key="other")
        with pytest.raises(KnowledgeError) as refused:
            await knowledge.ping()
        assert not refused.value.retryable
        await knowledge.aclose()


async def test_azure_search_is_asked_for_words_vectors_and_its_ranking_together() -> None:
    async with running_search() as search:
        knowledge = search.knowledge(semantic=True)
        await knowledge.put("acme", [passage("one", "light tent")], [EAST])
        await soon(lambda: knowledge.held("acme", "shop", "faq"), {"one"})
        found = await knowledge.search("acme", ["shop"], "light tent?", EAST, most=3)
        assert found[0].score == 1.0
        asked = search.service.requests[-1][1]
        assert asked["search"] == "light tent"
        assert asked["vectorQueries"][0]["vector"] == list(EAST)
        assert asked["queryType"] == "semantic"
        assert asked["filter"] == "tenant_id eq 'acme' and (collection eq 'shop')"
        await knowledge.aclose()
