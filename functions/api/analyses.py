"""What a call came to, and what was really said in it."""

from __future__ import annotations

import logging
from datetime import UTC

import azure.functions as func

from functions.identity import require
from functions.json_answer import json_answer
from functions.problem import answer
from shared.composition import services
from shared.domain.principal import Role

blueprint = func.Blueprint()
logger = logging.getLogger(__name__)


@blueprint.route(route="api/calls/{call_id}/analysis", methods=["GET"])
async def get_analysis(req: func.HttpRequest) -> func.HttpResponse:
    """The call's analysis: `state` is done, or failed with a `fault`. 404 until it is made."""

    async def deed() -> func.HttpResponse:
        principal = await require(req, Role.OPERATOR)
        record = await services().after_call.look_back.analysis(principal.tenant_id, req.route_params["call_id"])
        questions = record.questions
        return json_answer(
            {
                "call_id": req.route_params["call_id"],
                "state": "failed" if record.document is None else "done",
                "fault": record.fault or None,
                "analysis": record.document,
                "created_at": record.created_at.astimezone(UTC).isoformat() if record.created_at else None,
                "cost": {
                    "model": questions.model,
                    "questions": questions.asked,
                    "input_tokens": questions.input_tokens,
                    "output_tokens": questions.output_tokens,
                },
            }
        )

    return await answer("get analysis", deed)


@blueprint.route(route="api/calls/{call_id}/raw-transcript", methods=["GET"])
async def get_raw_transcript(req: func.HttpRequest) -> func.HttpResponse:
    """What was really said, for administrators, as long as it is kept. Who looks at it is noted in the log."""

    async def deed() -> func.HttpResponse:
        principal = await require(req, Role.ADMIN)
        call_id = req.route_params["call_id"]
        raw = await services().after_call.look_back.raw(principal.tenant_id, call_id)
        logger.warning("the raw transcript of call %r was opened by %r", call_id[:128], principal.subject[:128])
        return json_answer({"call_id": call_id, **raw})

    return await answer("get raw transcript", deed)
