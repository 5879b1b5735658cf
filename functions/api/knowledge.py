"""The tenant's documents, which its agents may know: uploaded, listed with how far they are, deleted."""

from __future__ import annotations

from datetime import UTC
from typing import Any

import azure.durable_functions as df
import azure.functions as func

from functions.durable_ingestions import DurableIngestions
from functions.identity import require
from functions.json_answer import json_answer
from functions.problem import answer
from shared.composition import services
from shared.domain.knowledge.documents import DocumentKey, KnowledgeDocument
from shared.domain.principal import Principal, Role

blueprint = df.Blueprint()

_ALL = "api/knowledge/{collection}/documents"
_ONE = _ALL + "/{document_id}"


@blueprint.route(route=_ONE, methods=["PUT"])
@blueprint.durable_client_input(client_name="client")
async def put_document(req: func.HttpRequest, client: df.DurableOrchestrationClient) -> func.HttpResponse:
    """Body: the file itself, with its `Content-Type`; `?file_name=`: what people call it."""

    async def deed() -> func.HttpResponse:
        key = _key(req, await require(req, Role.ADMIN))
        document = await services().knowing.keep_documents.upload(
            DurableIngestions(client),
            key,
            req.get_body(),
            content_type=req.headers.get("Content-Type", ""),
            file_name=req.params.get("file_name", ""),
        )
        return json_answer(_shown(document), status=202)

    return await answer("put document", deed)


@blueprint.route(route=_ALL, methods=["GET"])
async def list_documents(req: func.HttpRequest) -> func.HttpResponse:
    """By their ids, 200 at a time; `?after=` the last id goes on."""

    async def deed() -> func.HttpResponse:
        principal = await require(req, Role.ADMIN)
        collection = req.route_params["collection"]
        documents = await services().knowing.keep_documents.all(
            principal.tenant_id, collection, after=req.params.get("after", "")
        )
        return json_answer({"documents": [_shown(document) for document in documents]})

    return await answer("list documents", deed)


@blueprint.route(route=_ONE, methods=["GET"])
async def get_document(req: func.HttpRequest) -> func.HttpResponse:
    async def deed() -> func.HttpResponse:
        key = _key(req, await require(req, Role.ADMIN))
        return json_answer(_shown(await services().knowing.keep_documents.one(key)))

    return await answer("get document", deed)


@blueprint.route(route=_ONE, methods=["DELETE"])
@blueprint.durable_client_input(client_name="client")
async def delete_document(req: func.HttpRequest, client: df.DurableOrchestrationClient) -> func.HttpResponse:
    """It is gone when it is not shown any more."""

    async def deed() -> func.HttpResponse:
        key = _key(req, await require(req, Role.ADMIN))
        await services().knowing.keep_documents.remove(DurableIngestions(client), key)
        return json_answer({"document_id": key.document_id, "state": "deleting"}, status=202)

    return await answer("delete document", deed)


def _key(req: func.HttpRequest, principal: Principal) -> DocumentKey:
    return DocumentKey(principal.tenant_id, req.route_params["collection"], req.route_params["document_id"])


def _shown(document: KnowledgeDocument) -> dict[str, Any]:
    failure = document.failure and {"code": document.failure[0], "message": document.failure[1]}
    return {
        "document_id": document.key.document_id,
        "collection": document.key.collection,
        "file_name": document.file_name,
        "kind": str(document.kind),
        "size_bytes": document.size_bytes,
        "state": str(document.state),
        "passages": {"done": document.done, "total": document.total},
        "failure": failure,
        "updated_at": document.updated_at.astimezone(UTC).isoformat(),
    }
