"""A stand-in for a resource of Azure OpenAI: its addresses, who it lets in, how it streams, and how it says no.

Source: https://learn.microsoft.com/azure/ai-foundry/openai/reference and
https://learn.microsoft.com/azure/ai-foundry/openai/concepts/content-filter
"""

from __future__ import annotations

import json
import time
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from typing import Any

import aiohttp
from aiohttp import web

TOKEN = "entra-token"
DEPLOYMENT = "chat"
VERSION = "2025-03-01-preview"
RESOURCE = "https://cognitiveservices.azure.com"
_SAFE = {kind: {"filtered": False, "severity": "safe"} for kind in ("hate", "self_harm", "sexual", "violence")}
_FILTERED = _SAFE | {"violence": {"filtered": True, "severity": "high"}}


@dataclass
class AzureOpenAI:
    """One deployment, `chat`. `tokens` and `call` are its answer; `refuses`: statuses of the next requests, which are
    told to come back in `retry_after_s`; `filtered`: what of them is, "prompt", "answer" or "stream". `annotates`:
    content is checked beside the stream, so that findings come in events of their own. `asked` keeps path, version
    and body of each request. `speech_url`: who hears and speaks behind its other deployments.
    """

    tokens: tuple[str, ...] = ("Hello", " there.")
    call: tuple[str, tuple[str, ...]] | None = None
    filtered: str = ""
    annotates: bool = False
    refuses: list[int] = field(default_factory=list)
    retry_after_s: str = "26"
    speech_url: str = ""
    asked: list[dict[str, Any]] = field(default_factory=list)
    url: str = ""

    @asynccontextmanager
    async def serving(self) -> AsyncIterator[AzureOpenAI]:
        app = web.Application()
        app.router.add_post("/openai/deployments/{deployment}/chat/completions", self._complete)
        app.router.add_post("/openai/v1/chat/completions", self._complete)
        app.router.add_post("/openai/deployments/{deployment}/audio/{what}", self._sound)
        app.router.add_get("/msi/token", self._token)
        runner = web.AppRunner(app, access_log=None, handler_cancellation=True, shutdown_timeout=0.1)
        await runner.setup()
        await web.TCPSite(runner, "127.0.0.1", 0).start()
        self.url = f"http://127.0.0.1:{runner.addresses[0][1]}"
        try:
            yield self
        finally:
            await runner.cleanup()

    async def _complete(self, request: web.Request) -> web.StreamResponse:
        body = await request.json()
        is_v1 = "deployment" not in request.match_info
        version = request.query.get("api-version", "")
        self.asked.append(
            {"path": request.path, "version": version, "call": request.headers.get("x-call-id"), **body}
        )
        if (refusal := _refused(request)) is not None:
            return refusal
        if (body["model"] if is_v1 else request.match_info["deployment"]) != DEPLOYMENT:
            return _no(404, "DeploymentNotFound", "The API deployment for this resource does not exist.")
        if self.refuses:
            return _busy(self.refuses.pop(0), self.retry_after_s)
        if self.filtered == "prompt":
            return _filtered_prompt()
        return await self._stream(request, body)

    async def _sound(self, request: web.Request) -> web.Response:
        body, kept = await request.read(), {"Content-Type": request.headers["Content-Type"]}
        self.asked.append({"path": request.path, "version": request.query.get("api-version", "")})
        if (refusal := _refused(request)) is not None:
            return refusal
        url = f"{self.speech_url}/v1/audio/{request.match_info['what']}"
        async with aiohttp.ClientSession() as session, session.post(url, data=body, headers=kept) as answer:
            return web.Response(status=answer.status, body=await answer.read(), content_type=answer.content_type)

    async def _token(self, request: web.Request) -> web.Response:
        """The endpoint of a managed identity, as App Service has it beside an app.

        Source: https://learn.microsoft.com/azure/app-service/overview-managed-identity#rest-endpoint-reference
        """
        if request.headers.get("X-IDENTITY-HEADER") != "local" or request.query["resource"] != RESOURCE:
            return web.Response(status=401)
        expires = str(int(time.time()) + 86_400)
        return web.json_response(
            {"access_token": TOKEN, "expires_on": expires, "token_type": "Bearer", "resource": RESOURCE}
        )

    async def _stream(self, request: web.Request, body: dict[str, Any]) -> web.StreamResponse:
        response = web.StreamResponse(
            headers={
                "Content-Type": "text/event-stream; charset=utf-8",
                "apim-request-id": "1",
                "x-ms-region": "West",
            }
        )
        await response.prepare(request)
        for event in self._events(bool((body.get("stream_options") or {}).get("include_usage"))):
            await response.write(f"data: {json.dumps(event)}\n\n".encode())
        await response.write(b"data: [DONE]\n\n")
        return response

    def _events(self, counts: bool) -> list[dict[str, Any]]:
        events = [
            {
                "choices": [],
                "created": 0,
                "id": "",
                "model": "",
                "object": "",
                "prompt_filter_results": [{"prompt_index": 0, "content_filter_results": _SAFE}],
            },
            _chunk({"role": "assistant", "content": "" if self.call is None else None, "refusal": None}),
        ]
        found: dict[str, Any] = {} if self.annotates else {"content_filter_results": _SAFE}
        for number, token in enumerate(self.tokens):
            if number and self.filtered == "stream":
                return [*events, {"error": {"code": "content_filter", "message": "The response was filtered"}}]
            events.append(_chunk({"content": token}, **found))
            if number == 0 and self.filtered == "answer":
                return [*events, _chunk({}, "content_filter", content_filter_results=_FILTERED)]
        if self.call is not None:
            name, pieces = self.call
            head = {"index": 0, "id": "call_1", "type": "function", "function": {"name": name, "arguments": ""}}
            events.append(_chunk({"tool_calls": [head]}))
            events += [_chunk({"tool_calls": [{"index": 0, "function": {"arguments": each}}]}) for each in pieces]
        events.append(_chunk({}, "stop" if self.call is None else "tool_calls"))
        if counts:
            usage = {"prompt_tokens": 21, "completion_tokens": 5, "total_tokens": 26}
            events.append(_chunk({}) | {"choices": [], "usage": usage})
        if self.annotates:
            offsets = {"check_offset": 44, "start_offset": 44, "end_offset": 56}
            finding = {"index": 0, "finish_reason": None, "content_filter_results": _SAFE}
            choices = [{**finding, "content_filter_offsets": offsets}]
            events.append({"id": "", "object": "", "created": 0, "model": "", "choices": choices, "usage": None})
        return events


def _chunk(delta: dict[str, Any], reason: str | None = None, **more: Any) -> dict[str, Any]:
    head = {"id": "chatcmpl-1", "object": "chat.completion.chunk", "created": 1_760_000_000, "model": "gpt-4o-mini"}
    choice = {"index": 0, "delta": delta, "finish_reason": reason, "logprobs": None, **more}
    return {**head, "system_fingerprint": "fp_1", "choices": [choice]}


def _no(status: int, code: str, message: str, **more: str) -> web.Response:
    return web.json_response({"error": {"code": code, "message": message}}, status=status, headers=more)


def _refused(request: web.Request) -> web.Response | None:
    """Who is not let in, or asks in a version that there is not."""
    if request.headers.get("Authorization") != f"Bearer {TOKEN}":
        return _no(401, "401", "Access denied due to invalid subscription key or wrong API endpoint.")
    if "deployment" in request.match_info and request.query.get("api-version", "") != VERSION:
        return _no(404, "404", "Resource not found")
    return None


def _busy(status: int, retry_after_s: str) -> web.Response:
    if status == 429:
        return _no(429, "429", "Requests have exceeded the call rate limit.", **{"Retry-After": retry_after_s})
    return _no(status, str(status), "Internal server error")


def _filtered_prompt() -> web.Response:
    inner = {"code": "ResponsibleAIPolicyViolation", "content_filter_result": _FILTERED}
    message = "The response was filtered due to the prompt triggering Azure OpenAI's content management policy."
    error = {"message": message, "type": None, "param": "prompt", "code": "content_filter", "status": 400}
    return web.json_response({"error": {**error, "innererror": inner}}, status=400)
