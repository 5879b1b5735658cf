"""Registers the blueprints; nothing else."""

import azure.durable_functions as df
import azure.functions as func

from functions.activities import records, steps
from functions.api import calls, health
from functions.orchestrators import call, turn, watch, wrap_up
from functions.pages import talk
from functions.realtime import events, negotiate
from functions.webhooks import twilio

app = df.DFApp(http_auth_level=func.AuthLevel.ANONYMOUS)

for module in (twilio, events, negotiate, calls, health, talk, call, turn, watch, wrap_up, steps, records):
    app.register_functions(module.blueprint)
