"""Twilio's webhooks about the person to whom a caller is put through."""

from __future__ import annotations

import logging

import azure.functions as func

from functions.problem import answer
from functions.webhooks.twilio_requests import NOTED, document, let_in
from shared.composition import services
from shared.domain.errors import Conflict
from shared.domain.telephony.events import AnsweredBy

blueprint = func.Blueprint()
logger = logging.getLogger(__name__)


@blueprint.route(route="api/webhooks/twilio/transfer", methods=["POST"])
async def twilio_transfer(req: func.HttpRequest) -> func.HttpResponse:
    """The other end of the caller's line has hung up, or never answered: this is the end of the call too."""

    async def deed() -> func.HttpResponse:
        webhook = await let_in(req)
        documents = services().carriers.twilio.documents
        if webhook.transfer_ended().was_answered:
            return document(documents.hang_up())
        logger.info("twilio call %s: nobody has taken the transfer", webhook.call_sid)
        return document(documents.nobody_there(webhook.language))

    return await answer("twilio transfer webhook", deed)


@blueprint.route(route="api/webhooks/twilio/person/join", methods=["POST"])
async def twilio_person_joins(req: func.HttpRequest) -> func.HttpResponse:
    """The person has heard who calls, and stays: caller and person are brought together."""

    async def deed() -> func.HttpResponse:
        webhook = await let_in(req)
        desk, caller_sid = services().carriers.twilio, webhook.caller_sid
        try:
            await desk.control.put_through(caller_sid, webhook.account_sid)
        except Conflict as error:
            logger.info("twilio call %s: the caller has gone: %s", caller_sid, error)
            return document(desk.documents.hang_up())
        await services().note_transfer(webhook.put_through(was_answered=True))
        return document(desk.documents.room(caller_sid, is_caller=False))

    return await answer("twilio person webhook", deed)


@blueprint.route(route="api/webhooks/twilio/person/told", methods=["POST"])
async def twilio_person_gone(req: func.HttpRequest) -> func.HttpResponse:
    """The person's line has ended. Had caller and person met, that is known already."""

    async def deed() -> func.HttpResponse:
        webhook = await let_in(req)
        progress = webhook.progressed()
        if progress is not None and progress.progress.is_end:
            await services().note_transfer(webhook.put_through(was_answered=False))
        return NOTED

    return await answer("twilio person webhook", deed)


@blueprint.route(route="api/webhooks/twilio/person/machine", methods=["POST"])
async def twilio_person_answered_by(req: func.HttpRequest) -> func.HttpResponse:
    """Who has answered there: a caller is not put through to a machine."""

    async def deed() -> func.HttpResponse:
        webhook = await let_in(req)
        by = webhook.answered_by()
        if by is not None and by.by in (AnsweredBy.MACHINE, AnsweredBy.FAX):
            await services().carriers.twilio.control.hang_up(webhook.call_sid)
        return NOTED

    return await answer("twilio person webhook", deed)
