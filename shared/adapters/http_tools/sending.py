"""Sends one operation's request: signed, within its time, and again only where that can do no harm."""

from __future__ import annotations

import email.utils
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from datetime import UTC, datetime

from shared.domain.agents.tools import Effect
from shared.domain.errors import InvalidRequest, ToolError
from shared.domain.tools.outcomes import OutcomeUnknown, not_asked, refused
from shared.domain.tools.requests import Operation, Prepared, prepare
from shared.domain.tools.results import read_result
from shared.domain.tools.signing import Context, secret_bytes, signature_headers
from shared.ports.clock import Clock
from shared.ports.tool_box import Tool, ToolRequest, ToolResult
from shared.ports.web_requests import WebAnswer, WebError, WebRequest, WebRequests

_MOST_BYTES = 256 * 1024
_ATTEMPTS = 3
_PAUSE_S = 0.25
_TOO_MANY, _UNAVAILABLE = 429, 503
_LONGEST_REASON = 500
Secrets = Mapping[str, Mapping[str, str]]
"""By tenant and name."""


@dataclass(frozen=True, slots=True)
class Sending:
    web: WebRequests
    secrets: Secrets
    clock: Clock

    def has_secret(self, tenant_id: str, name: str) -> bool:
        """Whether a request can be signed that is to be; one without a name is not."""
        return not name or name in self.secrets.get(tenant_id, {})

    async def send(self, operation: Operation, secret: str, tool: Tool, request: ToolRequest) -> ToolResult:
        """Raises: ToolError as `ToolSource.call` says."""
        try:
            prepared = prepare(operation, request.arguments)
        except InvalidRequest as error:
            raise refused(error.message) from None
        until_ms = self.clock.now_ms() + tool.deadline_s * 1000
        failure: ToolError = not_asked("it was not reached in time")
        for attempt in range(_ATTEMPTS):
            left_s = (until_ms - self.clock.now_ms()) / 1000
            if left_s <= 0:
                break
            try:
                answer = await self.web.send(self._signed(prepared, secret, request, left_s))
            except WebError as error:
                failure = _failed(error, failure)
                if (error.was_sent and not tool.idempotent) or error.code == "web_address":
                    break
                pause_s = _PAUSE_S * 2**attempt
            else:
                if answer.is_success:
                    return ToolResult(read_result(answer.body, answer.headers.get("content-type", "")))
                failure = _refused(answer, failure)
                if not _may_pass(answer, tool):
                    return _told(answer, tool)
                pause_s = max(_PAUSE_S * 2**attempt, _retry_after_s(answer, self.clock.now))
            if self.clock.now_ms() + pause_s * 1000 >= until_ms:
                break
            await self.clock.sleep_ms(pause_s * 1000)
        raise failure

    def _signed(self, prepared: Prepared, secret: str, request: ToolRequest, left_s: float) -> WebRequest:
        """The names of ours come last, so that nothing else can stand in their place."""
        headers = {
            "accept": "application/json",
            **{name.lower(): text for name, text in prepared.headers.items()},
            "idempotency-key": request.key,
            "voice-agent-call": request.call_id,
        }
        if secret:
            context = Context(request.tenant_id, request.call_id, request.caller, request.name, request.key)
            key = secret_bytes(self.secrets[request.tenant_id][secret])
            at_s = int(self.clock.now_ms() / 1000)
            headers |= signature_headers(key, context, prepared, at_s)
        return WebRequest(
            prepared.method,
            prepared.url,
            headers,
            prepared.body,
            deadline_s=left_s,
            most_bytes=_MOST_BYTES,
            cuts=True,
        )


def _failed(error: WebError, before: ToolError) -> ToolError:
    """Once it may have been done, no later failure makes that undone."""
    if isinstance(before, OutcomeUnknown):
        return before
    if error.was_sent:
        return OutcomeUnknown(error.message)
    return not_asked(error.message) if error.retryable else refused(error.message)


def _refused(answer: WebAnswer, before: ToolError) -> ToolError:
    if isinstance(before, OutcomeUnknown):
        return before
    if answer.status == _TOO_MANY:
        return not_asked("it is busy at this moment")
    return OutcomeUnknown(f"HTTP {answer.status}")


def _may_pass(answer: WebAnswer, tool: Tool) -> bool:
    """429 says that nothing was done; a server's failure says nothing."""
    return answer.status == _TOO_MANY or (tool.idempotent and answer.status >= 500)


def _told(answer: WebAnswer, tool: Tool) -> ToolResult:
    """What the other side says of why is data as well. Who sends us elsewhere may have done it first."""
    if answer.status >= 500 or (answer.status < 400 and tool.effect is not Effect.READS):
        raise OutcomeUnknown(f"HTTP {answer.status}")
    if answer.status < 400:
        raise refused("it answers with another address, which is not followed")
    said = read_result(answer.body[:_LONGEST_REASON], "text/plain")
    return ToolResult(said or None, f"it was refused (HTTP {answer.status})")


def _retry_after_s(answer: WebAnswer, now: Callable[[], datetime]) -> float:
    """Source: RFC 9110, 10.2.3"""
    value = answer.headers.get("retry-after", "").strip()
    if value.isascii() and value.isdecimal() and len(value) < 7:
        return float(value)
    parsed = email.utils.parsedate_tz(value)
    if parsed is None:
        return 0.0
    try:
        at = datetime.fromtimestamp(email.utils.mktime_tz(parsed), UTC)
    except (ValueError, OverflowError, OSError):
        return 0.0
    return max(0.0, (at - now()).total_seconds())
