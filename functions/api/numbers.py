"""The tenant's numbers: which agent answers on each, and in which of its provider's modes."""

from __future__ import annotations

from typing import Any

import azure.functions as func

from functions.identity import require
from functions.json_answer import json_answer
from functions.json_body import choice_of, object_in, only, text_of
from functions.numbers_in_routes import number_in
from functions.problem import answer
from shared.composition import services
from shared.domain.errors import InvalidRequest, NotFound
from shared.domain.principal import Role
from shared.domain.telephony.lines import Line
from shared.domain.telephony.routes import Number

blueprint = func.Blueprint()

_ONE = "api/numbers/{provider}/{number}"


@blueprint.route(route="api/numbers", methods=["GET"])
async def list_numbers(req: func.HttpRequest) -> func.HttpResponse:
    async def deed() -> func.HttpResponse:
        principal = await require(req, Role.ADMIN)
        numbers = await services().calling.numbers.all(principal.tenant_id)
        return json_answer({"numbers": [_document(number) for number in numbers]})

    return await answer("list numbers", deed)


@blueprint.route(route=_ONE, methods=["GET"])
async def get_number(req: func.HttpRequest) -> func.HttpResponse:
    async def deed() -> func.HttpResponse:
        principal = await require(req, Role.ADMIN)
        provider, number = number_in(req)
        found = await services().calling.numbers.one(principal.tenant_id, provider, number)
        if found is None:
            raise _unknown()
        return json_answer(_document(found))

    return await answer("get number", deed)


@blueprint.route(route=_ONE, methods=["PUT"])
async def put_number(req: func.HttpRequest) -> func.HttpResponse:
    """Let an agent answer on a number. Body: agent_id and, where it is not the provider's first, line.

    Calls are answered so within half a minute. 201 for a new number; 403 for one that is not allotted to the tenant
    (`number_allotments`), where the installation has several.
    """

    async def deed() -> func.HttpResponse:
        principal = await require(req, Role.ADMIN)
        provider, number = number_in(req)
        document = object_in(req)
        only(document, "agent_id", "line")
        line = choice_of(document, "line", Line, otherwise=Line(provider.value))
        if line.provider is not provider:
            raise InvalidRequest("line", f"{line} is no line of {provider}")
        put = Number(number, line, text_of(document, "agent_id"))
        is_new = await services().calling.numbers.put(principal.tenant_id, put)
        return json_answer(_document(put), status=201 if is_new else 200)

    return await answer("put number", deed)


@blueprint.route(route=_ONE, methods=["DELETE"])
async def delete_number(req: func.HttpRequest) -> func.HttpResponse:
    async def deed() -> func.HttpResponse:
        principal = await require(req, Role.ADMIN)
        if not await services().calling.numbers.delete(principal.tenant_id, *number_in(req)):
            raise _unknown()
        return func.HttpResponse(status_code=204)

    return await answer("delete number", deed)


def _unknown() -> NotFound:
    return NotFound("number_unknown", "there is no such number")


def _document(number: Number) -> dict[str, Any]:
    return {
        "number": number.number,
        "provider": number.line.provider,
        "line": number.line,
        "agent_id": number.agent_id,
    }
