"""What every `Embeddings` does, and what is made of a provider's faults."""

from __future__ import annotations

import base64
import json
import math
import struct
import time
from typing import Any

import pytest
from aiohttp import web

from shared.adapters.openai.account import OpenAIAccount
from shared.adapters.openai.embeddings import OpenAIEmbeddings
from shared.adapters.openai.wire import OpenAIWire
from shared.domain.errors import KnowledgeError
from tests.contracts.speech_service import Service, scripted_service, stub_service


def embeddings(service: Service, **more: Any) -> OpenAIEmbeddings:
    return OpenAIEmbeddings(service.wire(retries=0), model="m", **{"pauses_s": (0.01, 0.01), **more})


def answer(vectors: list[Any]) -> web.Response:
    return web.json_response({"data": [{"index": index, "embedding": each} for index, each in enumerate(vectors)]})


async def test_the_local_service_gives_unit_vectors_in_order() -> None:
    async with scripted_service([]) as service:
        maker = embeddings(service, batch=2)
        texts = ["tents", "hours", "tents", " "]
        vectors = await maker.embed(texts, is_question=False)
        assert [math.hypot(*vector) for vector in vectors] == pytest.approx([1.0] * 4, abs=1e-6)
        assert list(vectors[0]) == list(vectors[2]) != list(vectors[1])
        assert await maker.embed([], is_question=True) == []
        await maker.close()


async def test_what_is_asked_for() -> None:
    asked: list[dict[str, Any]] = []

    async def handler(request: web.Request) -> web.Response:
        asked.append(json.loads(await request.read()))
        packed = base64.b64encode(struct.pack("<2f", 3.0, 4.0)).decode()
        return answer([packed] * len(asked[-1]["input"]))

    async with stub_service(handler) as service:
        maker = embeddings(service, batch=2, dimensions=2)
        assert list((await maker.embed(["a", "", "c"], is_question=False))[2]) == pytest.approx([0.6, 0.8])
        assert asked == [
            {"model": "m", "input": ["a", "."], "encoding_format": "base64", "dimensions": 2},
            {"model": "m", "input": ["c"], "encoding_format": "base64", "dimensions": 2},
        ]
        await maker.close()


async def test_azure_openai_has_its_own_address(monkeypatch: pytest.MonkeyPatch) -> None:
    paths: list[str] = []

    async def handler(request: web.Request) -> web.Response:
        paths.append(str(request.rel_url))
        return answer([[1.0, 0.0]])

    async def headers(self: OpenAIWire, call_id: str) -> dict[str, str]:
        return {"Authorization": "Bearer token of the identity"}

    monkeypatch.setattr(OpenAIWire, "headers", headers)
    async with stub_service(handler) as service:
        wire = OpenAIWire(OpenAIAccount(azure_endpoint=service.url, azure_api_version="2024-10-21"))
        maker = OpenAIEmbeddings(wire, model="embed")
        await maker.embed(["a"], is_question=True)
        assert paths == ["/openai/deployments/embed/embeddings?api-version=2024-10-21"]
        await maker.close()


async def test_documents_are_asked_for_again_and_questions_are_not() -> None:
    statuses = [503, 429]

    async def handler(request: web.Request) -> web.Response:
        if statuses:
            return web.json_response({}, status=statuses.pop(0))
        return answer([[1.0, 0.0]])

    async with stub_service(handler) as service:
        maker = embeddings(service)
        assert await maker.embed(["a"], is_question=False) == [[1.0, 0.0]]
        statuses.append(503)
        with pytest.raises(KnowledgeError) as refused:
            await maker.embed(["a"], is_question=True)
        assert refused.value.retryable
        await maker.close()


async def test_what_cannot_be_mended_is_not_tried_again() -> None:
    count = 0

    async def handler(request: web.Request) -> web.Response:
        nonlocal count
        count += 1
        return web.json_response({"error": {"param": "model"}}, status=400)

    async with stub_service(handler) as service:
        maker = embeddings(service)
        with pytest.raises(KnowledgeError) as refused:
            await maker.embed(["a"], is_question=False)
        assert (refused.value.retryable, count) == (False, 1)
        await maker.close()


@pytest.mark.parametrize(
    "vectors",
    [
        [],
        [[1.0, 0.0]] * 3,
        [[1.0], [1.0, 0.0]],
        [[0.0, 0.0]] * 2,
        [[math.nan, 1.0]] * 2,
        ["no base64!"] * 2,
        [None] * 2,
    ],
)
async def test_an_answer_that_makes_no_sense(vectors: list[Any]) -> None:
    async def handler(request: web.Request) -> web.Response:
        return answer(vectors)

    async with stub_service(handler) as service:
        maker = embeddings(service, pauses_s=())
        with pytest.raises(KnowledgeError):
            await maker.embed(["a", "b"], is_question=False)
        await maker.close()


async def test_a_question_is_not_waited_for_longer_than_allowed() -> None:
    async def handler(request: web.Request) -> web.Response:
        import asyncio

        await asyncio.sleep(5)
        return answer([[1.0]])

    async with stub_service(handler) as service:
        maker = embeddings(service, question_within_s=0.2)
        began_s = time.monotonic()
        with pytest.raises(KnowledgeError) as late:
            await maker.embed(["a"], is_question=True)
        assert late.value.retryable
        assert time.monotonic() - began_s < 3
        await maker.close()
