"""Registers the blueprints; nothing else."""

import azure.durable_functions as df
import azure.functions as func

from functions.activities import analysis, ingestion, listening, recordings, records, steps, telephony
from functions.api import (
    agents,
    analyses,
    callbacks,
    calls,
    commands,
    health,
    knowledge,
    messages,
    number_allotments,
    numbers,
    outbound,
    overheard,
    spend_cap,
    webhooks,
)
from functions.orchestrators import (
    after_call,
    call,
    deliver_webhook,
    dial,
    fetch_recording,
    follow_call,
    ingest,
    turn,
    watch,
    wrap_up,
)
from functions.pages import talk
from functions.realtime import events, negotiate
from functions.timers import after_calls, promised_calls, remembered_callers, unfetched_recordings, unreported_calls
from functions.webhooks import connect, sarvam, twilio, twilio_transfers, twilio_turns, vonage

app = df.DFApp(http_auth_level=func.AuthLevel.ANONYMOUS)

_WEBHOOKS = (connect, sarvam, twilio, twilio_turns, twilio_transfers, vonage)
_API = (
    agents,
    analyses,
    calls,
    commands,
    health,
    knowledge,
    number_allotments,
    numbers,
    outbound,
    overheard,
    spend_cap,
    webhooks,
)
_TOOLS = (callbacks, messages)
_REALTIME = (events, negotiate, talk)
_ORCHESTRATORS = (after_call, call, deliver_webhook, dial, fetch_recording, follow_call, ingest, turn, watch, wrap_up)
_ACTIVITIES = (analysis, ingestion, listening, recordings, records, steps, telephony)
_TIMERS = (after_calls, promised_calls, remembered_callers, unfetched_recordings, unreported_calls)

for module in (*_WEBHOOKS, *_REALTIME, *_API, *_TOOLS, *_ORCHESTRATORS, *_ACTIVITIES, *_TIMERS):
    app.register_functions(module.blueprint)
