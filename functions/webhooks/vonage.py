"""Vonage's webhooks: a call comes in or is answered, its events, the turns of a text line, the end of a transfer.

Each must be answered within five seconds; 503 is answered where Vonage is to ask once more.
"""

from __future__ import annotations

import asyncio
import json
import logging
from collections.abc import Awaitable, Callable
from contextlib import suppress
from typing import Any

import azure.durable_functions as df
import azure.functions as func

from functions.durable_calls import DurableCalls
from functions.problem import answer
from shared.composition import VonageRequest, services
from shared.domain.errors import Conflict, InvalidRequest, NotFound, StoreError, TelephonyError, VoiceAgentError
from shared.domain.telephony.events import CallAnsweredBy, CallProgressed, ProviderFault, RecordingReady
from shared.domain.telephony.lines import Line, Provider
from shared.domain.telephony.text_turns import TextReply
from shared.domain.transcript import with_keys
from shared.use_cases.calls.answer_call import Answered, CallOffered

blueprint = df.Blueprint()
logger = logging.getLogger(__name__)

_METHODS = ["POST", "GET"]
_DEADLINE_S = 4.5
"""Vonage itself waits for five seconds at most."""
_WITHIN_S = 3.0
"""How long a turn's answer is waited for; the rest is asked for while this much is spoken."""
_NOTHING = func.HttpResponse(status_code=204)
_LONGEST_NUMBER = 6

Deed = Callable[[VonageRequest], Awaitable[func.HttpResponse]]
Ncco = list[dict[str, Any]]


async def _let_in(what: str, req: func.HttpRequest, deed: Deed) -> func.HttpResponse:
    """The deed's answer, if Vonage asks. A request that we could not serve may come again."""

    async def checked() -> func.HttpResponse:
        if req.method != "POST":
            raise InvalidRequest("method", "set the HTTP method of this webhook to POST in the Vonage application")
        webhooks = services().carriers.vonage.webhooks
        request = await webhooks.verify(
            content_type=req.headers.get("content-type", ""),
            body=req.get_body(),
            authorization=req.headers.get("authorization"),
        )
        try:
            async with asyncio.timeout(_DEADLINE_S):
                return await deed(request)
        except (VoiceAgentError, TimeoutError) as error:
            failure = error if isinstance(error, VoiceAgentError) else _too_late()
            if failure.retryable:
                with suppress(StoreError):
                    await webhooks.let_come_again(request)
            raise failure from error

    return await answer(f"vonage {what} webhook", checked)


def _too_late() -> VoiceAgentError:
    return TelephonyError("too_late", "the answer was not ready in time", retryable=True)


def _ncco(actions: Ncco) -> func.HttpResponse:
    document = json.dumps(actions, ensure_ascii=False)
    return func.HttpResponse(document, mimetype="application/json", headers={"Cache-Control": "no-store"})


@blueprint.route(route="api/webhooks/vonage/answer", methods=_METHODS)
@blueprint.durable_client_input(client_name="client")
async def vonage_answer(req: func.HttpRequest, client: df.DurableOrchestrationClient) -> func.HttpResponse:
    """A call comes in, or one of ours is answered. The reply is the conversation, or that there is none."""

    async def deed(request: VonageRequest) -> func.HttpResponse:
        services().warm_up()
        call_id = req.params.get("call", "")
        own_number = request.caller if call_id else request.callee
        try:
            answered = await _answered(request, call_id, DurableCalls(client))
        except (NotFound, Conflict) as error:
            logger.info("call declined: %s", error)
            return _ncco([])
        await services().carriers.vonage.legs.note(request.leg, request.notes(answered.call_id, own_number))
        return _ncco(await _converse(answered, request.leg, own_number, is_first=True))

    return await _let_in("answer", req, deed)


async def _answered(request: VonageRequest, call_id: str, calls: DurableCalls) -> Answered:
    """Raises: NotFound, Conflict."""
    if call_id:
        return await services().answer_call.by_call(Provider.VONAGE, call_id, request.leg, calls)
    offer = CallOffered(Provider.VONAGE, request.leg, request.caller, request.callee)
    return await services().answer_call.by_number(offer, calls)


async def _converse(answered: Answered, leg: str, own_number: str, *, is_first: bool) -> Ncco:
    """What brings the caller and the agent together, on the line of the call."""
    desk = services().carriers.vonage
    opening = desk.opening(answered.agent, leg) if is_first else []
    match answered.line:
        case Line.VONAGE:
            connect = await desk.connect(answered.call_id, answered.ticket, leg=leg, own_number=own_number)
            return [*opening, *connect]
        case Line.VONAGE_INPUT if is_first:
            reply = await services().take_text_turn(answered.call_id, 0, None, within_s=_WITHIN_S)
        case Line.VONAGE_INPUT:
            reply = await services().take_text_turn.listen_again(answered.call_id)
        case _:
            raise NotFound("line_unknown", f"{answered.line} is no line of this provider")
    return [*opening, *await desk.reply(reply, call_id=answered.call_id, leg=leg, own_number=own_number)]


@blueprint.route(route="api/webhooks/vonage/event", methods=_METHODS)
@blueprint.durable_client_input(client_name="client")
async def vonage_event(req: func.HttpRequest, client: df.DurableOrchestrationClient) -> func.HttpResponse:
    """What becomes of the call; told late, twice, and out of order. A socket that broke is opened again."""

    async def deed(request: VonageRequest) -> func.HttpResponse:
        leg, call_id = req.params.get("leg", ""), req.params.get("call", "")
        for event in request.events(leg):
            match event:
                case RecordingReady():
                    fetch_recording = services().calling.fetch_recording
                    await fetch_recording.announced(event, DurableCalls(client), call_id=call_id)
                case CallProgressed() | CallAnsweredBy():
                    if call_id:
                        legs = services().carriers.vonage.legs
                        await legs.note(event.provider_call_id, request.notes(call_id))
                    await services().note_progress(event, call_id=call_id)
                case ProviderFault():
                    logger.warning("vonage call %s: %r", event.provider_call_id or "unknown", event.detail)
        if leg and request.socket_broke:
            return await _again(leg, unless_leaving=True)
        return _NOTHING

    return await _let_in("event", req, deed)


async def _again(leg: str, *, unless_leaving: bool = False) -> func.HttpResponse:
    """The conversation is taken up again where it was, if the call goes on."""
    try:
        answered = await services().move_media.resume(Provider.VONAGE, leg, unless_leaving=unless_leaving)
    except (NotFound, Conflict) as error:
        logger.info("call not resumed: %s", error)
        return _NOTHING
    notes = await services().carriers.vonage.legs.of(leg)
    return _ncco(await _converse(answered, leg, notes.own_number, is_first=False))


@blueprint.route(route="api/webhooks/vonage/turn", methods=_METHODS)
async def vonage_turn(req: func.HttpRequest) -> func.HttpResponse:
    """The words of a turn, or the question for the rest of its answer. A request that is repeated changes nothing."""

    async def deed(request: VonageRequest) -> func.HttpResponse:
        call_id, leg = req.params.get("call", ""), req.params.get("leg", "")
        if not request.is_about(leg):
            raise InvalidRequest("leg", "the address is for another leg")
        desk = services().carriers.vonage
        try:
            await services().move_media.require(call_id, Provider.VONAGE, leg)
            reply = await _reply(req, request, call_id)
        except (NotFound, Conflict) as error:
            logger.info("no turn is taken: %s", error)
            return _ncco([])
        notes = await desk.legs.of(leg)
        return _ncco(await desk.reply(reply, call_id=call_id, leg=leg, own_number=notes.own_number))

    return await _let_in("turn", req, deed)


async def _reply(req: func.HttpRequest, request: VonageRequest, call_id: str) -> TextReply:
    """Raises: NotFound, Conflict, InvalidRequest, StoreError."""
    turn = _number(req.params.get("turn"))
    spoken = request.words(turn)
    words = None if not turn or request.comes_again else with_keys(spoken.text, spoken.keys)
    if words == "" and turn and req.params.get("rest"):  # nobody spoke into the answer before
        turn, words = turn - 1, None
    after = 0 if words else _number(req.params.get("after"))
    return await services().take_text_turn(
        call_id, turn, words, after=after, within_s=_WITHIN_S, language=spoken.language
    )


@blueprint.route(route="api/webhooks/vonage/transfer", methods=_METHODS)
async def vonage_transfer(req: func.HttpRequest) -> func.HttpResponse:
    """Somebody has taken the caller, or nobody: then the agent goes on, if it has not left."""

    async def deed(request: VonageRequest) -> func.HttpResponse:
        leg = req.params.get("leg", "")
        news = request.transfer_news(leg)
        if news is None:
            return _NOTHING
        await services().note_transfer(news)
        return _NOTHING if news.was_answered else await _again(leg)

    return await _let_in("transfer", req, deed)


@blueprint.route(route="api/webhooks/vonage/whisper", methods=_METHODS)
async def vonage_whisper(req: func.HttpRequest) -> func.HttpResponse:
    """What the person hears who is dialled for a caller. The address itself is sealed, and holds for a while."""

    async def deed() -> func.HttpResponse:
        desk = services().carriers.vonage
        named = (req.params.get(name, "") for name in ("id", "until", "mac"))
        whisper = await desk.whispers.of(*named)
        return _ncco(desk.writer.whisper(whisper.text, whisper.language))

    return await answer("vonage whisper webhook", deed)


def _number(given: str | None) -> int:
    """Raises: InvalidRequest."""
    if not given or not given.isascii() or not given.isdecimal() or len(given) > _LONGEST_NUMBER:
        raise InvalidRequest("turn_malformed", "the address names no turn")
    return int(given)
