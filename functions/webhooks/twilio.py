"""Twilio's webhooks: an incoming call, the call's status, the media stream's status."""

from __future__ import annotations

import logging
from urllib.parse import urlsplit

import azure.durable_functions as df
import azure.functions as func

from functions.durable_calls import DurableCalls
from functions.problem import answer
from shared.composition import TwilioWebhook, services
from shared.domain.call import EndReason, Provider
from shared.domain.errors import Conflict, NotFound
from shared.use_cases.calls.answer_call import CallOffered, call_id_of

blueprint = df.Blueprint()
logger = logging.getLogger(__name__)


def _verified(req: func.HttpRequest) -> TwilioWebhook:
    address = urlsplit(req.url)
    return services().carriers.twilio_webhooks.verify(
        path_and_query=address.path + (f"?{address.query}" if address.query else ""),
        content_type=req.headers.get("content-type", ""),
        body=req.get_body(),
        given=req.headers.get("x-twilio-signature"),
    )


def _document(text: str) -> func.HttpResponse:
    return func.HttpResponse(text, mimetype="text/xml", headers={"Cache-Control": "no-store"})


@blueprint.route(route="api/webhooks/twilio/voice", methods=["POST"])
@blueprint.durable_client_input(client_name="client")
async def twilio_voice(req: func.HttpRequest, client: df.DurableOrchestrationClient) -> func.HttpResponse:
    """An incoming call. The answer tells Twilio to stream its audio to us, or to decline the call."""

    async def deed() -> func.HttpResponse:
        webhook = _verified(req)
        services().warm_up()
        offer = CallOffered(Provider.TWILIO, webhook.call_sid, webhook.caller, webhook.callee)
        try:
            ticket = await services().answer_call.by_number(offer, DurableCalls(client))
        except (NotFound, Conflict) as error:
            logger.info("call declined: %s", error)
            return _document(services().carriers.twilio_webhooks.reject())
        return _document(services().carriers.twilio_webhooks.connect_stream(ticket))

    return await answer("twilio voice webhook", deed)


@blueprint.route(route="api/webhooks/twilio/status", methods=["POST"])
async def twilio_status(req: func.HttpRequest) -> func.HttpResponse:
    """The call's status; its end is what counts. Comes late, twice, and out of order."""

    async def deed() -> func.HttpResponse:
        webhook = _verified(req)
        if webhook.has_ended:
            call_id = call_id_of(Provider.TWILIO, webhook.call_sid)
            await services().end_call.note(call_id, EndReason.CALLER_HUNG_UP)
        return func.HttpResponse(status_code=204)

    return await answer("twilio status webhook", deed)


@blueprint.route(route="api/webhooks/twilio/stream-status", methods=["POST"])
async def twilio_stream_status(req: func.HttpRequest) -> func.HttpResponse:
    """The media stream's status. A stream that broke means a call that cannot go on."""

    async def deed() -> func.HttpResponse:
        webhook = _verified(req)
        call_id = call_id_of(Provider.TWILIO, webhook.call_sid)
        if webhook.stream_event == "stream-error":
            logger.warning("call %s: the media stream broke: %r", call_id, webhook.stream_error[:200])
            await services().end_call.note(call_id, EndReason.ERROR)
        elif webhook.stream_event == "stream-stopped":
            await services().end_call.note(call_id, EndReason.CALLER_HUNG_UP)
        return func.HttpResponse(status_code=204)

    return await answer("twilio stream status webhook", deed)
