"""Twilio's webhook for lines without a socket: words come with a request, and go out with its reply."""

from __future__ import annotations

import logging

import azure.functions as func

from functions.problem import answer
from functions.webhooks.twilio_requests import WITHIN_S, document, let_in
from shared.composition import TwilioWebhook, services
from shared.domain.errors import Conflict, NotFound, VoiceAgentError
from shared.domain.telephony.lines import Provider
from shared.domain.telephony.text_turns import Next, TextReply
from shared.domain.transcript import with_keys

blueprint = func.Blueprint()
logger = logging.getLogger(__name__)

_ORDER_LIFETIME_S = 3600


@blueprint.route(route="api/webhooks/twilio/turn", methods=["POST"])
async def twilio_turn(req: func.HttpRequest) -> func.HttpResponse:
    """The words of a turn, or the question for the rest of its answer. A request that is repeated changes nothing."""

    async def deed() -> func.HttpResponse:
        webhook = await let_in(req)
        documents = services().carriers.twilio.documents
        try:
            await services().move_media.require(webhook.call_id, Provider.TWILIO, webhook.call_sid)
            reply = await _reply(webhook)
        except (NotFound, Conflict) as error:
            logger.info("no turn is taken: %s", error)
            return document(documents.hang_up())
        if reply.next is Next.TRANSFER and reply.transfer is not None and not reply.transfer.is_cold:
            await _call_person(webhook, reply)
        return document(documents.turn(webhook.call_id, reply, caller_id=webhook.caller_id))

    return await answer("twilio turn webhook", deed)


async def _reply(webhook: TwilioWebhook) -> TextReply:
    """Raises: NotFound, Conflict, InvalidRequest, StoreError."""
    spoken = webhook.spoken()
    has_words = spoken.turn and not webhook.comes_again
    return await services().take_text_turn(
        webhook.call_id,
        spoken.turn,
        with_keys(spoken.text, spoken.keys) if has_words else None,
        after=webhook.after,
        within_s=WITHIN_S,
        language=spoken.language,
    )


async def _call_person(webhook: TwilioWebhook, reply: TextReply) -> None:
    """Once for each order, however often the request comes; the caller goes on with the agent until then."""
    desk, order = services().carriers.twilio, f"twilio:order:{webhook.call_id}:{reply.turn}"
    if reply.transfer is None or not await desk.once.take(order, lifetime_s=_ORDER_LIFETIME_S):
        return
    try:
        await desk.control.transfer(webhook.call_sid, reply.transfer)
    except VoiceAgentError as error:
        logger.warning("twilio call %s: the person is not called: %s", webhook.call_sid, error)
        await services().note_transfer(webhook.stayed())
