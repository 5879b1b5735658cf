"""A local Azure Functions host: runs an unmodified Python v2 `function_app.py`, with Durable Functions."""

from __future__ import annotations
