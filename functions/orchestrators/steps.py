"""Every step that an orchestration can take: its name, payload and retries, as one typed function each."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import timedelta

import azure.durable_functions as df
from azure.durable_functions.models.Task import TaskBase

from functions import names
from shared.domain.after_call.records import DeliveryRequest
from shared.domain.knowledge.documents import IngestRequest
from shared.domain.steps import (
    CallRequest,
    FetchRequest,
    ListenAlongRequest,
    TurnRequest,
    WrapUpRequest,
    turn_instance,
    watch_instance,
)

_RETRIES = df.RetryOptions(first_retry_interval_in_milliseconds=200, max_number_of_attempts=3)
_RECORD_RETRIES = df.RetryOptions(first_retry_interval_in_milliseconds=2000, max_number_of_attempts=30)
"""A minute: what a failover of the database takes."""

_INGESTION_RETRIES = df.RetryOptions(first_retry_interval_in_milliseconds=2000, max_number_of_attempts=10)
_ERASURE_RETRIES = df.RetryOptions(first_retry_interval_in_milliseconds=5000, max_number_of_attempts=100)

TURN_DEADLINE = timedelta(minutes=15)
"""Longer than any turn: it ends one whose steps hang."""
WATCH_DEADLINE = TURN_DEADLINE - timedelta(minutes=1)
"""Of a watch that is never told: the turn for which it watches must not be ended for that, nor its call."""


def take_turn(context: df.DurableOrchestrationContext, request: TurnRequest) -> TaskBase:
    instance_id = turn_instance(request.call_id, request.turn)
    return context.call_sub_orchestrator(names.TURN, request.to_json(), instance_id)


def pipeline(context: df.DurableOrchestrationContext, request: TurnRequest) -> Sequence[TaskBase]:
    """The three steps of a turn, together, and who watches that the caller gets an answer; in a call's first turn
    also the greeting, which is turn 0's answer.

    Listening comes first: its result is the turn's. They try again themselves (`functions.activities.retries`),
    since a turn has a timer that it cancels.
    """
    document = request.to_json()
    steps = [context.call_activity(name, document) for name in (names.LISTEN, names.THINK, names.SPEAK)]
    steps.append(watch(context, request))
    if request.greet:
        greeting = TurnRequest(request.tenant_id, request.call_id, 0)
        steps += [context.call_activity(names.SPEAK, greeting.to_json()), watch(context, greeting)]
    return steps


def watch(context: df.DurableOrchestrationContext, request: TurnRequest) -> TaskBase:
    instance_id = watch_instance(request.call_id, request.turn)
    return context.call_sub_orchestrator(names.WATCH, request.to_json(), instance_id)


def rescue(context: df.DurableOrchestrationContext, request: TurnRequest) -> TaskBase:
    return context.call_activity(names.RESCUE, request.to_json())


def end_call(context: df.DurableOrchestrationContext, request: CallRequest) -> TaskBase:
    return context.call_activity(names.END_CALL, request.to_json())


def record_turn(context: df.DurableOrchestrationContext, request: TurnRequest) -> TaskBase:
    return context.call_activity(names.RECORD_TURN, request.to_json())


def wrap_up(context: df.DurableOrchestrationContext, request: WrapUpRequest) -> TaskBase:
    return context.call_sub_orchestrator(names.WRAP_UP, request.to_json(), f"{request.call_id}:wrap_up")


def hang_up(context: df.DurableOrchestrationContext, request: WrapUpRequest) -> TaskBase:
    return context.call_activity_with_retry(names.HANG_UP, _RETRIES, request.to_json())


def record_call(context: df.DurableOrchestrationContext, request: WrapUpRequest) -> TaskBase:
    return context.call_activity_with_retry(names.RECORD_CALL, _RECORD_RETRIES, request.to_json())


def close_call(context: df.DurableOrchestrationContext, request: WrapUpRequest) -> TaskBase:
    return context.call_activity_with_retry(names.CLOSE_CALL, _RECORD_RETRIES, request.to_json())


def begin_after_call(context: df.DurableOrchestrationContext, request: WrapUpRequest) -> TaskBase:
    return context.call_activity_with_retry(
        names.BEGIN_AFTER_CALL, _RECORD_RETRIES, CallRequest(request.tenant_id, request.call_id).to_json()
    )


def finish_call(context: df.DurableOrchestrationContext, request: CallRequest) -> TaskBase:
    """It says itself whether it is to be tried again."""
    return context.call_activity(names.FINISH_CALL, request.to_json())


def give_up_analysis(context: df.DurableOrchestrationContext, request: CallRequest) -> TaskBase:
    return context.call_activity_with_retry(names.GIVE_UP_ANALYSIS, _RECORD_RETRIES, request.to_json())


def tell_events(context: df.DurableOrchestrationContext, request: CallRequest) -> TaskBase:
    return context.call_activity_with_retry(names.TELL_EVENTS, _RECORD_RETRIES, request.to_json())


def send_webhook(context: df.DurableOrchestrationContext, request: DeliveryRequest) -> TaskBase:
    """An attempt. Only what fails before anything is sent is tried again at once."""
    return context.call_activity_with_retry(names.SEND_WEBHOOK, _RECORD_RETRIES, request.to_json())


def give_up_webhook(context: df.DurableOrchestrationContext, request: DeliveryRequest) -> TaskBase:
    return context.call_activity_with_retry(names.GIVE_UP_WEBHOOK, _RECORD_RETRIES, request.to_json())


def dial_out(context: df.DurableOrchestrationContext, request: CallRequest) -> TaskBase:
    """It tries again itself: whoever runs it again after a crash must not dial again, but find out."""
    return context.call_activity(names.DIAL_OUT, request.to_json())


def find_dialled(context: df.DurableOrchestrationContext, request: CallRequest) -> TaskBase:
    return context.call_activity(names.FIND_DIALLED, request.to_json())


def give_up_dialling(context: df.DurableOrchestrationContext, request: CallRequest) -> TaskBase:
    return context.call_activity_with_retry(names.GIVE_UP_DIALLING, _RECORD_RETRIES, request.to_json())


def listen_along(context: df.DurableOrchestrationContext, request: ListenAlongRequest) -> TaskBase:
    return context.call_activity_with_retry(names.LISTEN_ALONG, _RETRIES, request.to_json())


def fetch_sound(context: df.DurableOrchestrationContext, request: FetchRequest) -> TaskBase:
    """It says itself whether it is to be tried again."""
    return context.call_activity(names.FETCH_SOUND, request.to_json())


def give_up_recording(context: df.DurableOrchestrationContext, request: FetchRequest) -> TaskBase:
    return context.call_activity_with_retry(names.GIVE_UP_RECORDING, _RECORD_RETRIES, request.to_json())


def begin_ingestion(context: df.DurableOrchestrationContext, request: IngestRequest) -> TaskBase:
    return context.call_activity_with_retry(names.BEGIN_INGESTION, _RECORD_RETRIES, request.to_json())


def read_document(context: df.DurableOrchestrationContext, request: IngestRequest) -> TaskBase:
    return context.call_activity_with_retry(names.READ_DOCUMENT, _INGESTION_RETRIES, request.to_json())


def index_passages(context: df.DurableOrchestrationContext, request: IngestRequest) -> TaskBase:
    return context.call_activity_with_retry(names.INDEX_PASSAGES, _INGESTION_RETRIES, request.to_json())


def finish_ingestion(context: df.DurableOrchestrationContext, request: IngestRequest) -> TaskBase:
    return context.call_activity_with_retry(names.FINISH_INGESTION, _INGESTION_RETRIES, request.to_json())


def give_up_ingestion(context: df.DurableOrchestrationContext, request: IngestRequest) -> TaskBase:
    return context.call_activity_with_retry(names.GIVE_UP_INGESTION, _RECORD_RETRIES, request.to_json())


def erase_document(context: df.DurableOrchestrationContext, request: IngestRequest) -> TaskBase:
    """It goes on until it is done: what a company takes away must not remain for a fault of the moment."""
    return context.call_activity_with_retry(names.ERASE_DOCUMENT, _ERASURE_RETRIES, request.to_json())
