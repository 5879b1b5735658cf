"""The steps of a document's ingestion; the engine tries them again."""

from __future__ import annotations

from typing import Any

import azure.durable_functions as df

from functions import names
from shared.composition import services
from shared.domain.knowledge.documents import IngestRequest

blueprint = df.Blueprint()


@blueprint.activity_trigger(input_name="request", activity=names.BEGIN_INGESTION)
async def begin_ingestion(request: dict[str, Any]) -> list[Any]:
    deed, revision = await services().knowing.ingest_document.begin(IngestRequest.from_json(request))
    return [str(deed), revision]


@blueprint.activity_trigger(input_name="request", activity=names.READ_DOCUMENT)
async def read_document(request: dict[str, Any]) -> int:
    return await services().knowing.ingest_document.read(IngestRequest.from_json(request))


@blueprint.activity_trigger(input_name="request", activity=names.INDEX_PASSAGES)
async def index_passages(request: dict[str, Any]) -> int:
    return await services().knowing.ingest_document.index(IngestRequest.from_json(request))


@blueprint.activity_trigger(input_name="request", activity=names.FINISH_INGESTION)
async def finish_ingestion(request: dict[str, Any]) -> int:
    return await services().knowing.ingest_document.finish(IngestRequest.from_json(request))


@blueprint.activity_trigger(input_name="request", activity=names.GIVE_UP_INGESTION)
async def give_up_ingestion(request: dict[str, Any]) -> int:
    return await services().knowing.ingest_document.give_up(IngestRequest.from_json(request))


@blueprint.activity_trigger(input_name="request", activity=names.ERASE_DOCUMENT)
async def erase_document(request: dict[str, Any]) -> int:
    return await services().knowing.ingest_document.erase(IngestRequest.from_json(request))
