"""An app that shows every behaviour of the host to its tests."""

from __future__ import annotations

import azure.durable_functions as df
from sample_durable import durable
from sample_http import http
from sample_orchestrators import orchestrators

app = df.DFApp()
app.register_functions(http)
app.register_functions(durable)
app.register_functions(orchestrators)
