"""Vonage Voice: signed webhooks, call control objects (NCCO), media sockets with L16, and the REST API."""
