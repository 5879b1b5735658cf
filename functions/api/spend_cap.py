"""What a tenant's language models may cost on a day, and what they have cost today."""

from __future__ import annotations

from typing import Any

import azure.functions as func

from functions.identity import require
from functions.json_answer import json_answer
from functions.json_body import object_in, only
from functions.problem import answer
from shared.composition import services
from shared.domain.errors import InvalidRequest
from shared.domain.principal import Role

blueprint = func.Blueprint()

_MOST_CENTS = 100_000_000
_MICRO = 1_000_000


@blueprint.route(route="api/spend-cap", methods=["GET"])
async def get_spend_cap(req: func.HttpRequest) -> func.HttpResponse:
    """`daily_cents` (null: no cap), and the tokens and cents of today, by model."""

    async def deed() -> func.HttpResponse:
        principal = await require(req, Role.ADMIN)
        return json_answer(await _state(principal.tenant_id))

    return await answer("get spend cap", deed)


@blueprint.route(route="api/spend-cap", methods=["PUT"])
async def put_spend_cap(req: func.HttpRequest) -> func.HttpResponse:
    """Body: `{"daily_cents": 500}`; null takes the cap away."""

    async def deed() -> func.HttpResponse:
        principal = await require(req, Role.ADMIN)
        document = object_in(req)
        only(document, "daily_cents")
        cents = document.get("daily_cents", False)
        is_number = isinstance(cents, int) and not isinstance(cents, bool) and 0 <= cents <= _MOST_CENTS
        if cents is not None and not is_number:
            raise InvalidRequest("daily_cents", f"daily_cents must be a whole number to {_MOST_CENTS}, or null")
        await services().model_usages.set_cap(principal.tenant_id, cents)
        return json_answer(await _state(principal.tenant_id))

    return await answer("put spend cap", deed)


async def _state(tenant_id: str) -> dict[str, Any]:
    usages, today = services().model_usages, services().clock.now().date()
    used = await usages.of_day(tenant_id, today)
    return {
        "daily_cents": await usages.cap(tenant_id),
        "today": today.isoformat(),
        "spent_cents": round(sum(each.microcents for each in used) / _MICRO, 4),
        "models": [
            {
                "provider": each.provider,
                "model": each.model,
                "answers": each.answers,
                "input_tokens": each.input_tokens,
                "output_tokens": each.output_tokens,
                "cents": round(each.microcents / _MICRO, 4),
            }
            for each in used
        ],
    }
