"""Twilio's webhooks about a call and its socket: it comes in, it goes on, it is over."""

from __future__ import annotations

import logging

import azure.durable_functions as df
import azure.functions as func

from functions.durable_calls import DurableCalls
from functions.problem import answer
from functions.webhooks.twilio_requests import NOTED, converse, document, let_in
from shared.composition import TwilioWebhook, services
from shared.domain.errors import Conflict, InvalidRequest, NotFound
from shared.domain.telephony.commands import Transfer
from shared.domain.telephony.lines import Provider
from shared.domain.telephony.orders import read_transfer
from shared.use_cases.calls.answer_call import Answered, CallOffered

blueprint = df.Blueprint()
logger = logging.getLogger(__name__)


@blueprint.route(route="api/webhooks/twilio/voice", methods=["POST"])
@blueprint.durable_client_input(client_name="client")
async def twilio_voice(req: func.HttpRequest, client: df.DurableOrchestrationClient) -> func.HttpResponse:
    """A call comes in, or one of ours is answered. The reply is the conversation, or that there is none."""

    async def deed() -> func.HttpResponse:
        webhook = await let_in(req)
        services().warm_up()
        try:
            return document(await converse(await _answered(webhook, DurableCalls(client)), is_first=True))
        except (NotFound, Conflict) as error:
            logger.info("call declined: %s", error)
            documents = services().carriers.twilio.documents
            return document(documents.hang_up() if webhook.call_id else documents.reject())

    return await answer("twilio voice webhook", deed)


async def _answered(webhook: TwilioWebhook, calls: DurableCalls) -> Answered:
    """Raises: NotFound, Conflict."""
    if webhook.call_id:
        return await services().answer_call.by_call(Provider.TWILIO, webhook.call_id, webhook.call_sid, calls)
    incoming = webhook.incoming()
    offer = CallOffered(
        incoming.provider, incoming.provider_call_id, incoming.caller, incoming.callee, webhook.tenants
    )
    return await services().answer_call.by_number(offer, calls)


@blueprint.route(route="api/webhooks/twilio/resume", methods=["POST"])
async def twilio_resume(req: func.HttpRequest) -> func.HttpResponse:
    """A socket has closed, or an errand is done: whoever is still on the line goes on with the agent, or with whom
    the agent has named.
    """

    async def deed() -> func.HttpResponse:
        webhook = await let_in(req)
        progress, fault = webhook.progressed(), webhook.fault()
        if fault is not None:
            logger.warning("twilio call %s: %s %r", webhook.call_sid, fault.code, fault.detail)
        if progress is not None and progress.progress.is_end:
            await services().note_progress(progress)
            return document(services().carriers.twilio.documents.hang_up())
        transfer = _handed_over(webhook)
        try:
            if transfer is not None:
                return document(await _put_through(webhook, transfer))
            answered = await services().move_media.resume(Provider.TWILIO, webhook.call_sid)
            return document(await converse(answered, is_first=False))
        except (NotFound, Conflict) as error:
            logger.info("call not resumed: %s", error)
            return document(services().carriers.twilio.documents.hang_up())

    return await answer("twilio resume webhook", deed)


def _handed_over(webhook: TwilioWebhook) -> Transfer | None:
    """The transfer with which we ended a relay, if that is why it has ended."""
    try:
        return read_transfer(webhook.handoff) if webhook.handoff else None
    except InvalidRequest as error:
        logger.warning("twilio call %s: the handoff is passed over: %s", webhook.call_sid, error)
        return None


async def _put_through(webhook: TwilioWebhook, transfer: Transfer) -> str:
    """Cold: at once. Warm: the person is called, and the caller goes on with the agent until then."""
    desk = services().carriers.twilio
    if transfer.is_cold:
        await services().note_transfer(webhook.left())
        return desk.documents.cold_transfer(transfer, caller_id=webhook.caller_id)
    answered = await services().move_media.resume(Provider.TWILIO, webhook.call_sid)
    if await desk.once.take(f"twilio:handoff:{webhook.session_id}", lifetime_s=3600):
        await desk.control.transfer(webhook.call_sid, transfer)
    return await converse(answered, is_first=False)


@blueprint.route(route="api/webhooks/twilio/status", methods=["POST"])
async def twilio_status(req: func.HttpRequest) -> func.HttpResponse:
    """How far the call has come; told late, twice, and out of order."""

    async def deed() -> func.HttpResponse:
        webhook = await let_in(req)
        if (progress := webhook.progressed()) is not None:
            await services().note_progress(progress, call_id=webhook.call_id)
        return NOTED

    return await answer("twilio status webhook", deed)


@blueprint.route(route="api/webhooks/twilio/stream-status", methods=["POST"])
async def twilio_stream_status(req: func.HttpRequest) -> func.HttpResponse:
    """What becomes of a media stream. One that broke is resumed, if the caller is still there."""

    async def deed() -> func.HttpResponse:
        webhook = await let_in(req)
        if (fault := webhook.fault()) is not None:
            logger.warning("twilio call %s: the media stream broke: %r", webhook.call_sid, fault.detail)
            await services().move_media.stream_broke(Provider.TWILIO, webhook.call_sid, webhook.stream_sid)
        elif webhook.has_stopped:
            await services().move_media.stream_stopped(Provider.TWILIO, webhook.call_sid, webhook.stream_sid)
        return NOTED

    return await answer("twilio stream status webhook", deed)


@blueprint.route(route="api/webhooks/twilio/amd", methods=["POST"])
async def twilio_answered_by(req: func.HttpRequest) -> func.HttpResponse:
    """Who has answered a call of ours: a person, or a machine."""

    async def deed() -> func.HttpResponse:
        webhook = await let_in(req)
        if (by := webhook.answered_by()) is not None:
            await services().note_progress(by, call_id=webhook.call_id)
        return NOTED

    return await answer("twilio answered-by webhook", deed)


@blueprint.route(route="api/webhooks/twilio/recording", methods=["POST"])
@blueprint.durable_client_input(client_name="client")
async def twilio_recording(req: func.HttpRequest, client: df.DurableOrchestrationClient) -> func.HttpResponse:
    """Twilio's own recording can be fetched, or came to nothing."""

    async def deed() -> func.HttpResponse:
        if (recorded := (await let_in(req)).recorded()) is not None:
            await services().calling.fetch_recording.announced(recorded, DurableCalls(client))
        return NOTED

    return await answer("twilio recording webhook", deed)
