"""Vonage as an app sees it from outside: signed webhooks, NCCO, media sockets with L16, and its REST API."""
