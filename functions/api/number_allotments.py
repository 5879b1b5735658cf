"""Which tenant each number belongs to: said by whoever runs the installation, where it has several tenants."""

from __future__ import annotations

from typing import Any

import azure.functions as func

from functions.identity import require
from functions.json_answer import json_answer
from functions.json_body import object_in, only, text_of
from functions.numbers_in_routes import number_in
from functions.problem import answer
from shared.composition import services
from shared.domain.errors import NotFound
from shared.domain.principal import Role
from shared.domain.telephony.routes import Allotment

blueprint = func.Blueprint()

_ONE = "api/number-allotments/{provider}/{number}"


@blueprint.route(route="api/number-allotments", methods=["GET"])
async def list_number_allotments(req: func.HttpRequest) -> func.HttpResponse:
    """Those of all tenants."""

    async def deed() -> func.HttpResponse:
        await require(req, Role.PLATFORM)
        found = await services().calling.number_allotments.all()
        return json_answer({"allotments": [_document(allotment) for allotment in found]})

    return await answer("list number allotments", deed)


@blueprint.route(route=_ONE, methods=["PUT"])
async def put_number_allotment(req: func.HttpRequest) -> func.HttpResponse:
    """Allot a number to a tenant, whose administrators then say who answers on it. Body: tenant_id.

    201 for a number that was nobody's. One that was another tenant's is answered there no longer.
    """

    async def deed() -> func.HttpResponse:
        await require(req, Role.PLATFORM)
        provider, number = number_in(req)
        document = object_in(req)
        only(document, "tenant_id")
        allotment = Allotment(provider, number, text_of(document, "tenant_id"))
        is_new = await services().calling.number_allotments.put(allotment)
        return json_answer(_document(allotment), status=201 if is_new else 200)

    return await answer("put number allotment", deed)


@blueprint.route(route=_ONE, methods=["DELETE"])
async def delete_number_allotment(req: func.HttpRequest) -> func.HttpResponse:
    """Take a number from its tenant: nobody answers on it any more."""

    async def deed() -> func.HttpResponse:
        await require(req, Role.PLATFORM)
        if not await services().calling.number_allotments.delete(*number_in(req)):
            raise NotFound("number_unknown", "this number is nobody's")
        return func.HttpResponse(status_code=204)

    return await answer("delete number allotment", deed)


def _document(allotment: Allotment) -> dict[str, Any]:
    return {"number": allotment.number, "provider": allotment.provider, "tenant_id": allotment.tenant_id}
