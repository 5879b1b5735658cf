"""What can be done with a running call: put it through, send keys, record it, have it in another language."""

from __future__ import annotations

from typing import Any

import azure.functions as func

from functions.identity import require
from functions.json_answer import json_answer
from functions.json_body import choice_of, object_in, only, text_of
from functions.problem import answer
from shared.composition import services
from shared.domain.errors import InvalidRequest
from shared.domain.principal import Role
from shared.domain.telephony.commands import SendKeys, Transfer, TransferKind

blueprint = func.Blueprint()

_TRANSFER = ("to", "kind", "whisper", "keys", "ring_s")


@blueprint.route(route="api/calls/{call_id}/transfer", methods=["POST"])
async def transfer_call(req: func.HttpRequest) -> func.HttpResponse:
    """Put the caller through. Body: to (E.164) and, where wanted, kind (cold, warm), whisper, keys and ring_s."""

    async def deed() -> func.HttpResponse:
        principal = await require(req, Role.OPERATOR)
        transfer = _transfer(object_in(req))
        await services().calling.command_call.transfer(principal.tenant_id, req.route_params["call_id"], transfer)
        return func.HttpResponse(status_code=202)

    return await answer("transfer call", deed)


@blueprint.route(route="api/calls/{call_id}/keys", methods=["POST"])
async def send_keys(req: func.HttpRequest) -> func.HttpResponse:
    """Send DTMF to the other end. Body: keys."""

    async def deed() -> func.HttpResponse:
        principal = await require(req, Role.OPERATOR)
        document = object_in(req)
        only(document, "keys")
        keys = SendKeys(text_of(document, "keys"))
        await services().calling.command_call.send_keys(principal.tenant_id, req.route_params["call_id"], keys)
        return func.HttpResponse(status_code=202)

    return await answer("send keys", deed)


@blueprint.route(route="api/calls/{call_id}/recording", methods=["POST"])
async def switch_recording(req: func.HttpRequest) -> func.HttpResponse:
    """Begin or stop the provider's own recording. Body: on (true, false). Whoever asks has the caller's consent."""

    async def deed() -> func.HttpResponse:
        principal = await require(req, Role.OPERATOR)
        document = object_in(req)
        only(document, "on")
        on = document.get("on")
        if not isinstance(on, bool):
            raise InvalidRequest("on", "on must be true or false")
        await services().calling.command_call.record(principal.tenant_id, req.route_params["call_id"], on=on)
        return func.HttpResponse(status_code=202)

    return await answer("switch recording", deed)


@blueprint.route(route="api/calls/{call_id}/language", methods=["POST"])
async def switch_language(req: func.HttpRequest) -> func.HttpResponse:
    """Have the call go on in another language, from the next turn on. Body: language, a tag that the agent speaks."""

    async def deed() -> func.HttpResponse:
        principal = await require(req, Role.OPERATOR)
        document = object_in(req)
        only(document, "language")
        wanted, call_id = text_of(document, "language"), req.route_params["call_id"]
        language = await services().switch_language.order(principal.tenant_id, call_id, wanted)
        return json_answer({"language": language}, status=202)

    return await answer("switch language", deed)


def _transfer(document: dict[str, Any]) -> Transfer:
    only(document, *_TRANSFER)
    usual = Transfer.__dataclass_fields__["ring_s"].default
    ring_s = document.get("ring_s", usual)
    if isinstance(ring_s, bool) or not isinstance(ring_s, int):
        raise InvalidRequest("ring_s", "ring_s must be a whole number")
    return Transfer(
        to=text_of(document, "to"),
        kind=choice_of(document, "kind", TransferKind, otherwise=TransferKind.COLD),
        whisper=text_of(document, "whisper", otherwise=""),
        keys=text_of(document, "keys", otherwise=""),
        ring_s=ring_s,
    )
