"""Sarvam's voice agents: a call begins, the caller has said something, the call is over, and what became of it.

What is entered into the platform is an address without a secret; requests bear that in a header, or are signed. The
address that goes along with a call of ours bears that call's pass, which is worth nothing once it has been used.
"""

from __future__ import annotations

import json
import logging
from collections.abc import Mapping
from contextlib import suppress
from typing import Any

import azure.durable_functions as df
import azure.functions as func

from functions.durable_calls import DurableCalls
from functions.problem import answer
from shared.composition import services
from shared.domain.call import EndReason
from shared.domain.errors import Conflict, InvalidRequest, NotFound, VoiceAgentError
from shared.domain.telephony.delegated import Delegated
from shared.domain.telephony.lines import Provider
from shared.domain.telephony.text_turns import Next, TextReply
from shared.use_cases.calls.answer_call import CallOffered, call_id_of

blueprint = df.Blueprint()
logger = logging.getLogger(__name__)

_GREETING_WITHIN_S = 3.0
_WITHIN_S = 8.0
"""How long a whole answer is waited for; how long an agent waits for its tool is not documented."""


def _headers(req: func.HttpRequest) -> dict[str, str]:
    return {name.lower(): value for name, value in req.headers.items()}


def _checked(req: func.HttpRequest) -> bytes:
    """The body. Raises: Unauthenticated, InvalidRequest where no voice agents are set up."""
    services().carriers.sarvam.check(_headers(req).get("authorization", ""))
    return bytes(req.get_body())


def _document(content: Mapping[str, Any]) -> func.HttpResponse:
    text = json.dumps(content, ensure_ascii=False)
    return func.HttpResponse(text, mimetype="application/json", headers={"Cache-Control": "no-store"})


@blueprint.route(route="api/webhooks/sarvam/start", methods=["POST"])
@blueprint.durable_client_input(client_name="client")
async def sarvam_start(req: func.HttpRequest, client: df.DurableOrchestrationClient) -> func.HttpResponse:
    """A call begins: our greeting is what the agent says first. One that is not named is left to the agent."""

    async def deed() -> func.HttpResponse:
        desk, body = services().carriers.sarvam, _checked(req)
        try:
            interaction = desk.start(body)
        except InvalidRequest as error:
            return _not_understood("start hook", error, body, {})
        services().warm_up()
        orchestrations, provider_call_id = DurableCalls(client), interaction.provider_call_id
        if interaction.our_call_id:
            by_call = services().answer_call.by_call
            answered = await by_call(Provider.SARVAM, interaction.our_call_id, provider_call_id, orchestrations)
        else:
            offer = CallOffered(Provider.SARVAM, provider_call_id, interaction.caller, interaction.callee)
            answered = await services().answer_call.by_number(offer, orchestrations)
        reply = await services().take_text_turn(answered.call_id, 0, None, within_s=_GREETING_WITHIN_S)
        return _document(desk.tell_start(interaction, answered.call_id, reply))

    return await answer("sarvam start hook", deed)


@blueprint.route(route="api/webhooks/sarvam/turn", methods=["POST"])
async def sarvam_turn(req: func.HttpRequest) -> func.HttpResponse:
    """The caller has said something, and the agent asks what to answer. A repeated request changes nothing."""

    async def deed() -> func.HttpResponse:
        desk, body = services().carriers.sarvam, _checked(req)
        try:
            utterance, turn = await desk.utterance(body)
        except InvalidRequest as error:
            return _not_understood("turn tool", error, body, desk.tell_nonsense())
        interaction = utterance.interaction
        call_id = interaction.our_call_id or call_id_of(Provider.SARVAM, interaction.provider_call_id)
        words = None if utterance.told and not utterance.words else utterance.words
        try:
            await services().move_media.require(call_id, Provider.SARVAM)
            reply = await services().take_text_turn(
                call_id,
                turn,
                words,
                after=0 if words is not None else utterance.told,
                within_s=_WITHIN_S,
                language=interaction.language,
            )
        except (NotFound, Conflict) as error:
            logger.info("no turn is taken: %s", error)
            reply = TextReply(turn=turn, sentences=(), told=0, next=Next.HANG_UP, language="", voice="")
        return _document(desk.tell_turn(utterance, call_id, reply))

    return await answer("sarvam turn tool", deed)


@blueprint.route(route="api/webhooks/sarvam/end", methods=["POST"])
async def sarvam_end(req: func.HttpRequest) -> func.HttpResponse:
    """The conversation is over. What makes no sense is taken all the same, or it would come again and again."""

    async def deed() -> func.HttpResponse:
        desk, body = services().carriers.sarvam, _checked(req)
        try:
            interaction, transcript, variables = desk.end(body)
        except InvalidRequest as error:
            return _not_understood("end hook", error, body, {})
        call_id = interaction.our_call_id or call_id_of(Provider.SARVAM, interaction.provider_call_id)
        with suppress(NotFound):  # it has ended before, or is none of this provider's
            await services().move_media.require(call_id, Provider.SARVAM)
            await services().end_call.note(call_id, EndReason.CALLER_HUNG_UP)
        told = Delegated(interaction.interaction_id, "", variables, tuple(transcript))
        keep = services().calling.keep_delegated
        await keep(Provider.SARVAM, interaction.provider_call_id, told, call_id=call_id)
        return _document(interaction.context)

    return await answer("sarvam end hook", deed)


@blueprint.route(route="api/webhooks/sarvam/result", methods=["POST"])
async def sarvam_result(req: func.HttpRequest) -> func.HttpResponse:
    """What became of a call, as the workspace's saved webhook tells it."""

    async def deed() -> func.HttpResponse:
        body = bytes(req.get_body())
        services().carriers.sarvam.check_result(_headers(req), body)
        return await _take_result(body)

    return await answer("sarvam result webhook", deed)


@blueprint.route(route="api/webhooks/sarvam/result/{call_id}/{call_pass}", methods=["POST"])
async def sarvam_call_result(req: func.HttpRequest) -> func.HttpResponse:
    """What became of a call that we placed, at the address that we gave along with it; told of this call only."""

    async def deed() -> func.HttpResponse:
        call_id = req.route_params.get("call_id", "")
        services().carriers.sarvam.check_call(call_id, req.route_params.get("call_pass", ""))
        return await _take_result(bytes(req.get_body()), call_id)

    return await answer("sarvam call result webhook", deed)


async def _take_result(body: bytes, only_call_id: str = "") -> func.HttpResponse:
    """Comes late, twice, and empty; what makes no sense is taken and noted in the log."""
    try:
        result = services().carriers.sarvam.result(body)
    except InvalidRequest as error:
        return _not_understood("result", error, body, {})
    told = Delegated(result.interaction_id, result.failure_reason, result.variables, result.transcript)
    call_id = only_call_id or result.our_call_id
    try:
        await services().calling.take_result(result.progress, told, call_id=call_id, is_bound=bool(only_call_id))
    except NotFound as error:
        return _not_understood("result", error, body, {})
    return _document({})


def _not_understood(what: str, error: VoiceAgentError, body: bytes, content: Mapping[str, Any]) -> func.HttpResponse:
    """An error would have it come again and again."""
    outline = services().carriers.sarvam.outline(body)
    logger.warning("sarvam %s not understood: %s; %s", what, error.code, outline)
    return _document(content)
