"""What all of Twilio's doors share: a request that is let in, a document that goes back, and how a call goes on."""

from __future__ import annotations

import logging
from collections.abc import Mapping
from urllib.parse import urlsplit

import azure.functions as func

from shared.composition import TwilioWebhook, services
from shared.domain.errors import NotFound, Unauthenticated
from shared.domain.telephony.lines import Line, Provider
from shared.use_cases.calls.answer_call import Answered

logger = logging.getLogger(__name__)

WITHIN_S = 4.0
"""How long a turn's answer is waited for. Twilio itself would wait for 15 s, but the caller hears nothing meanwhile:
what there is by then is said, and the rest is asked for.
"""
NOTED = func.HttpResponse(status_code=204)


async def let_in(req: func.HttpRequest) -> TwilioWebhook:
    """What Twilio asks, if one of our accounts signed it, and if that account may speak of this call: who has the
    secrets of a tenant's own account can make up webhooks. Raises: Unauthenticated, InvalidRequest, StoreError.
    """
    address = urlsplit(req.url)
    headers: Mapping[str, str] = req.headers
    webhook = services().carriers.twilio.webhooks.verify(
        path_and_query=address.path + (f"?{address.query}" if address.query else ""),
        content_type=headers.get("content-type", ""),
        body=req.get_body(),
        headers=headers,
    )
    if webhook.tenants is not None and not await services().look_up_calls.is_among(
        webhook.tenants,
        Provider.TWILIO,
        provider_call_ids=(webhook.call_sid, webhook.query.get("caller", "")),
        call_id=webhook.call_id,
    ):
        raise Unauthenticated("twilio_account", "the call is none of those that may run over this account")
    return webhook


def document(text: str) -> func.HttpResponse:
    return func.HttpResponse(text, mimetype="text/xml", headers={"Cache-Control": "no-store"})


async def converse(answered: Answered, *, is_first: bool) -> str:
    """The document that brings the caller and the agent together, on the line of the call."""
    documents, agent = services().carriers.twilio.documents, answered.agent
    match answered.line:
        case Line.TWILIO:
            return documents.stream(answered.ticket, agent, is_first=is_first)
        case Line.TWILIO_RELAY:
            return documents.relay(answered.ticket, agent, is_first=is_first)
        case Line.TWILIO_GATHER if is_first:
            reply = await services().take_text_turn(answered.call_id, 0, None, within_s=WITHIN_S)
            return documents.turn(answered.call_id, reply, consent=agent.manner.recording_consent)
        case Line.TWILIO_GATHER:
            return documents.turn(answered.call_id, await services().take_text_turn.listen_again(answered.call_id))
        case _:
            raise NotFound("line_unknown", f"{answered.line} is no line of this provider")
