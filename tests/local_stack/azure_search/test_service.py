"""The stand-in answers the official SDK as the service does, where our adapter cannot show it."""

from __future__ import annotations

from collections.abc import AsyncIterator
from typing import Any

import httpx
import pytest
from aiohttp import web
from azure.core.credentials import AzureKeyCredential
from azure.core.exceptions import HttpResponseError, ResourceExistsError, ResourceNotFoundError
from azure.search.documents.aio import SearchClient
from azure.search.documents.indexes.aio import SearchIndexClient
from azure.search.documents.indexes.models import SearchField, SearchIndex

from local_stack.azure_search.filters import FilterError, read_filter
from local_stack.azure_search.service import SearchStandIn

ROW = {"a": "x", "b": "it's", "c": "é"}


@pytest.mark.parametrize(
    ("text", "matches"),
    [
        ("a eq 'x'", True),
        ("a ne 'x'", False),
        ("b eq 'it''s'", True),
        ("a eq 'y' or b eq 'it''s' and c eq 'é'", True),
        ("(a eq 'y' or b eq 'it''s') and c eq 'z'", False),
        ("a gt 'w' and a lt 'y'", True),
        ("missing eq 'x'", False),
    ],
)
def test_filters(text: str, matches: bool) -> None:
    assert read_filter(text, {"a", "b", "c", "missing"})(ROW) is matches


@pytest.mark.parametrize(
    "text", ["a eq 'x", "a eq", "a eq x", "(a eq 'x'", "a eq 'x')", "d eq 'x'", "a like 'x'", "a eq 'x' 'y'"]
)
def test_filters_that_are_none(text: str) -> None:
    with pytest.raises(FilterError):
        read_filter(text, {"a"})


@pytest.fixture
async def url() -> AsyncIterator[str]:
    runner = web.AppRunner(SearchStandIn(api_key="key", delay_s=0).app(), access_log=None)
    await runner.setup()
    await web.TCPSite(runner, "127.0.0.1", 0).start()
    yield f"http://127.0.0.1:{runner.addresses[0][1]}"
    await runner.cleanup()


def definition() -> SearchIndex:
    fields = [
        SearchField(name="id", type="Edm.String", key=True),
        SearchField(name="text", type="Edm.String", searchable=True),
    ]
    return SearchIndex(name="docs", fields=fields)


async def test_indexes_and_documents_through_the_sdk(url: str) -> None:
    credential = AzureKeyCredential("key")
    async with SearchIndexClient(url, credential) as indexes, SearchClient(url, "docs", credential) as documents:
        with pytest.raises(ResourceNotFoundError):
            await indexes.get_index("docs")
        await indexes.create_index(definition())
        with pytest.raises(ResourceExistsError):
            await indexes.create_index(definition())
        assert (await indexes.get_index("docs")).fields[0].key
        results = await documents.upload_documents([{"id": "1", "text": "a tent"}, {"id": "a b", "text": "x"}])
        assert [(result.succeeded, result.status_code) for result in results] == [(True, 200), (False, 400)]
        merged = await documents.merge_documents([{"id": "2", "text": "x"}])
        assert merged[0].status_code == 404
        await documents.merge_or_upload_documents([{"id": "2", "text": "a stove"}])
        found: list[dict[str, Any]] = [row async for row in await documents.search("tent")]
        assert [row["id"] for row in found] == ["1"]
        await documents.delete_documents([{"id": "1"}])
        assert [row["id"] async for row in await documents.search("*")] == ["2"]
        with pytest.raises(HttpResponseError, match="Invalid request"):
            await anext(aiter(await documents.search("*", filter="text eq 'x'")))
        await indexes.delete_index("docs")


async def test_who_has_no_key_or_names_no_version_is_refused(url: str) -> None:
    async with httpx.AsyncClient(base_url=url) as client:
        assert (await client.get("/indexes('docs')?api-version=1")).status_code == 403
        assert (await client.get("/indexes('docs')", headers={"api-key": "key"})).status_code == 400
        assert (await client.post("/faults", json={"status": 429, "retry_after": 7, "times": 2})).status_code == 200
        for _ in range(2):
            refused = await client.get("/indexes('docs')?api-version=1", headers={"api-key": "key"})
            assert (refused.status_code, refused.headers["Retry-After"]) == (429, "7")
        assert (await client.get("/health")).status_code == 200
