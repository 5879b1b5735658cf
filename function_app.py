"""Registers the blueprints; nothing else."""

import azure.durable_functions as df
import azure.functions as func

from functions.activities import listening, recordings, records, steps, telephony
from functions.api import agents, calls, commands, health, number_allotments, numbers, outbound, overheard
from functions.orchestrators import call, dial, fetch_recording, follow_call, turn, watch, wrap_up
from functions.pages import talk
from functions.realtime import events, negotiate
from functions.timers import unfetched_recordings, unreported_calls
from functions.webhooks import connect, sarvam, twilio, twilio_transfers, twilio_turns, vonage

app = df.DFApp(http_auth_level=func.AuthLevel.ANONYMOUS)

_WEBHOOKS = (connect, sarvam, twilio, twilio_turns, twilio_transfers, vonage)
_API = (agents, calls, commands, health, number_allotments, numbers, outbound, overheard)
_REALTIME = (events, negotiate, talk)
_ORCHESTRATORS = (call, dial, fetch_recording, follow_call, turn, watch, wrap_up)
_ACTIVITIES = (listening, recordings, records, steps, telephony)
_TIMERS = (unfetched_recordings, unreported_calls)

for module in (*_WEBHOOKS, *_REALTIME, *_API, *_ORCHESTRATORS, *_ACTIVITIES, *_TIMERS):
    app.register_functions(module.blueprint)
