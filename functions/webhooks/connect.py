"""Amazon Connect: what the flow and its bot ask by way of our function on AWS, and what becomes of contacts."""

from __future__ import annotations

import json
import logging
from collections.abc import Mapping
from dataclasses import replace
from typing import TYPE_CHECKING, Any
from urllib.parse import urlsplit

import azure.durable_functions as df
import azure.functions as func

from functions.durable_calls import DurableCalls
from functions.problem import answer
from shared.composition import services
from shared.domain.errors import Conflict, NotFound, StoreError
from shared.domain.steps import ListenAlongRequest
from shared.domain.telephony.commands import Transfer
from shared.domain.telephony.events import CallerSpoke
from shared.domain.telephony.handed import Handed
from shared.domain.telephony.lines import Provider
from shared.domain.telephony.text_turns import Next, TextReply
from shared.domain.transcript import with_keys
from shared.use_cases.calls.answer_call import Answered, CallOffered, call_id_of

if TYPE_CHECKING:
    from shared.composition.carriers import FlowRequest

blueprint = df.Blueprint()
logger = logging.getLogger(__name__)

_WITHIN_S = 4.0
"""How long an answer is waited for before the flow is told to come again: it plays what there is meanwhile."""
_RESERVE_S = 0.7
"""Of the time that our function on AWS has left: for the way back."""
_ALL_TOLD = 10_000
_OUT_OF_STEP = "turn_unknown"
_BEGIN, _BACK = "begin", "back"
"""Why the flow asks, as `shared.adapters.connect.flow_events.Op` has it."""


def _sent(req: func.HttpRequest) -> tuple[str, Mapping[str, str], bytes]:
    """What the signature covers."""
    return urlsplit(req.url).path, {name.lower(): value for name, value in req.headers.items()}, req.get_body()


def _document(content: Mapping[str, Any]) -> func.HttpResponse:
    text = json.dumps(content, ensure_ascii=False)
    return func.HttpResponse(text, mimetype="application/json", headers={"Cache-Control": "no-store"})


@blueprint.route(route="api/webhooks/connect/turn", methods=["POST"])
@blueprint.durable_client_input(client_name="client")
async def connect_turn(req: func.HttpRequest, client: df.DurableOrchestrationClient) -> func.HttpResponse:
    """What the flow asks: who answers a contact, what is said to these words, what comes after a transfer."""

    async def deed() -> func.HttpResponse:
        desk = services().carriers.connect
        asked = await desk.flow(*_sent(req))
        question = asked.question
        try:
            if question.op == _BEGIN:
                answered = await _begin(question, DurableCalls(client))
                question = replace(
                    question, mode=desk.mode_of(answered.line), interruptible=answered.agent.interruptible
                )
                await _listen_along(question, answered, DurableCalls(client))
                reply = await _reply(answered.call_id, 0, None, question.told, asked.remaining_ms)
            else:
                reply = await _go_on(question, asked.remaining_ms)
            await _foretell(question.contact_id, reply, question.context)
        except (NotFound, Conflict) as error:
            logger.info("contact declined: %s", error)
            reply = _nothing_more(question.turn)
        return _document(desk.tell_flow(reply, question))

    return await answer("connect turn webhook", deed)


async def _begin(question: FlowRequest, orchestrations: DurableCalls) -> Answered:
    """Raises: NotFound, Conflict."""
    services().warm_up()
    if question.our_call_id:
        return await services().answer_call.by_call(
            Provider.CONNECT, question.our_call_id, question.contact_id, orchestrations
        )
    news = question.incoming()
    offer = CallOffered(Provider.CONNECT, news.provider_call_id, news.caller, news.callee)
    return await services().answer_call.by_number(offer, orchestrations)


async def _listen_along(question: FlowRequest, answered: Answered, orchestrations: DurableCalls) -> None:
    """Where the flow has begun to stream the contact's sound; the conversation does not depend on it."""
    if question.media is None or services().carriers.live_sound is None:
        return
    agent, media = answered.agent, question.media
    request = ListenAlongRequest(
        tenant_id=agent.tenant_id,
        call_id=answered.call_id,
        provider_call_id=question.contact_id,
        stream=media.stream_arn,
        start=media.start_fragment,
        language=agent.language,
    )
    try:
        await orchestrations.start_following(request)
    except StoreError as error:
        logger.warning("call %s is not listened to: %s", answered.call_id, error)


async def _call_of(our_call_id: str, contact_id: str) -> str:
    """A call that we dialled is named by an attribute, which a flow may have from elsewhere. Raises: NotFound."""
    if not our_call_id:
        return call_id_of(Provider.CONNECT, contact_id)
    await services().move_media.require(our_call_id, Provider.CONNECT, contact_id)
    return our_call_id


async def _go_on(question: FlowRequest, remaining_ms: int) -> TextReply:
    """Raises: NotFound, Conflict."""
    call_id = await _call_of(question.our_call_id, question.contact_id)
    if question.op == _BACK:
        await services().note_transfer(question.back())
        return await _reply(call_id, question.turn, None, _ALL_TOLD, remaining_ms)
    told = question.told
    if question.is_for_rest:
        if not question.words and not question.keys:  # nobody spoke into what there was of the answer
            return await _reply(call_id, question.turn - 1, None, told, remaining_ms)
        told = 0
    try:
        return await _reply(call_id, question.turn, question.spoke(), told, remaining_ms)
    except Conflict as error:
        return await _heard_again(call_id, error)


async def _heard_again(call_id: str, error: Conflict) -> TextReply:
    """The words cannot be taken: say so, and listen for the turn that is the next one. Raises: NotFound, Conflict."""
    if error.code != _OUT_OF_STEP:
        raise error
    logger.warning("call %s: the line is out of step: %s", call_id, error)
    return await services().take_text_turn.listen_again(call_id, apologise=True)


async def _foretell(contact_id: str, reply: TextReply, context: Mapping[str, str]) -> None:
    """Who is put through to a number of ours is known there."""
    if reply.next is Next.TRANSFER and reply.transfer is not None:
        await services().gateway.foretell(contact_id, reply.transfer.to, context)


async def _reply(call_id: str, turn: int, spoke: CallerSpoke | None, told: int, remaining_ms: int) -> TextReply:
    """The same question again gets the same answer. Raises: NotFound for a call that is over, Conflict."""
    left_s = remaining_ms / 1000 - _RESERVE_S if remaining_ms else _WITHIN_S
    within_s = min(_WITHIN_S, max(0.2, left_s))
    words = None if spoke is None else with_keys(spoke.text, spoke.keys)
    language = "" if spoke is None else spoke.language
    return await services().take_text_turn(call_id, turn, words, after=told, within_s=within_s, language=language)


def _nothing_more(turn: int) -> TextReply:
    return TextReply(turn=turn, sentences=(), told=0, next=Next.HANG_UP, language="", voice="")


@blueprint.route(route="api/webhooks/connect/lex", methods=["POST"])
async def connect_lex(req: func.HttpRequest) -> func.HttpResponse:
    """What the flow's bot asks, once an utterance, and at times twice."""

    async def deed() -> func.HttpResponse:
        desk, clock = services().carriers.connect, services().clock
        asked = await desk.lex(*_sent(req), clock.now_ms())
        question = asked.question
        try:
            call_id = await _call_of(question.our_call_id, question.contact_id)
            try:
                reply = await _reply(call_id, question.turn, question.spoke(), 0, asked.remaining_ms)
            except Conflict as error:
                reply = await _heard_again(call_id, error)
            await _foretell(question.contact_id, reply, {})
        except (NotFound, Conflict) as error:
            logger.info("contact declined by the bot: %s", error)
            reply = _nothing_more(question.turn)
        return _document(desk.tell_lex(reply, question, clock.now_ms()))

    return await answer("connect lex webhook", deed)


@blueprint.route(route="api/webhooks/connect/gateway", methods=["POST"])
async def connect_gateway(req: func.HttpRequest) -> func.HttpResponse:
    """The flow is about to put a contact through to a number of ours where sound goes both ways."""

    async def deed() -> func.HttpResponse:
        desk = services().carriers.connect
        question = (await desk.flow(*_sent(req))).question
        handed = Handed(question.contact_id, question.caller, question.context, question.reason)
        try:
            await services().gateway.expect(
                question.number, caller=question.caller, system=question.callee, handed=handed
            )
            transfer = Transfer(question.number)
        except NotFound as error:
            logger.info("contact not expected: %s", error)
            return _document(desk.tell_flow(_nothing_more(0), question))
        told = TextReply(0, (), 0, Next.TRANSFER, question.language, "", transfer)
        return _document(desk.tell_flow(told, question))

    return await answer("connect gateway webhook", deed)


@blueprint.route(route="api/webhooks/connect/contact-event", methods=["POST"])
async def connect_contact_event(req: func.HttpRequest) -> func.HttpResponse:
    """What becomes of a contact: late, unordered, more than once, or never."""

    async def deed() -> func.HttpResponse:
        event = await services().carriers.connect.contact_event(*_sent(req))
        for news in event.news:
            await services().note_progress(news)
        return func.HttpResponse(status_code=204)

    return await answer("connect contact event", deed)
