"""What is done when a call is over: beginning it, reading the call, telling who wants to know."""

from __future__ import annotations

import logging
from typing import Any

import azure.durable_functions as df

from functions import names
from functions.durable_calls import DurableCalls
from shared.composition import services
from shared.domain.after_call.records import DeliveryRequest
from shared.domain.errors import VoiceAgentError
from shared.domain.steps import CallRequest

blueprint = df.Blueprint()
logger = logging.getLogger(__name__)


@blueprint.activity_trigger(input_name="request", activity=names.BEGIN_AFTER_CALL)
@blueprint.durable_client_input(client_name="client")
async def begin_after_call(request: dict[str, Any], client: df.DurableOrchestrationClient) -> None:
    await DurableCalls(client).start_after_call(CallRequest.from_json(request))


@blueprint.activity_trigger(input_name="request", activity=names.FINISH_CALL)
async def finish_call(request: dict[str, Any]) -> bool:
    """False where it is to be tried again later."""
    ended = CallRequest.from_json(request)
    try:
        await services().after_call.finish(ended)
    except VoiceAgentError as error:
        if error.retryable:
            logger.warning("call %s is not read yet: %s", ended.call_id, error)
            return False
        logger.error("call %s cannot be read: %s", ended.call_id, error)
        await services().after_call.finish.give_up(ended)
    return True


@blueprint.activity_trigger(input_name="request", activity=names.GIVE_UP_ANALYSIS)
async def give_up_analysis(request: dict[str, Any]) -> None:
    await services().after_call.finish.give_up(CallRequest.from_json(request))


@blueprint.activity_trigger(input_name="request", activity=names.TELL_EVENTS)
@blueprint.durable_client_input(client_name="client")
async def tell_events(request: dict[str, Any], client: df.DurableOrchestrationClient) -> None:
    """Of all calls: whoever comes first takes along what others have left."""
    await services().after_call.tell(DurableCalls(client))


@blueprint.activity_trigger(input_name="request", activity=names.SEND_WEBHOOK)
async def send_webhook(request: dict[str, Any]) -> str:
    return (await services().after_call.deliver(DeliveryRequest.from_json(request))).value


@blueprint.activity_trigger(input_name="request", activity=names.GIVE_UP_WEBHOOK)
async def give_up_webhook(request: dict[str, Any]) -> str:
    return (await services().after_call.deliver.give_up(DeliveryRequest.from_json(request))).value
