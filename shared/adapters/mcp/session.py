"""One conversation with an MCP server: begun when it is first needed, and again where the server has forgotten it."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from shared.adapters.mcp.wire import NotUnderstood, answer_to, notice_body, request_body
from shared.domain.errors import ToolError
from shared.domain.tools.outcomes import OutcomeUnknown, not_asked, refused
from shared.domain.tools.requests import Prepared
from shared.domain.tools.signing import Context, secret_bytes, signature_headers
from shared.ports.clock import Clock
from shared.ports.web_requests import WebAnswer, WebError, WebRequest, WebRequests

_VERSION = "2025-06-18"
_KNOWN_VERSIONS = frozenset({"2025-03-26", "2025-06-18", "2025-11-25"})
_MOST_BYTES = 512 * 1024
_NOT_FOUND, _TOO_MANY = 404, 429
_LONGEST_SESSION = 256


class _Forgotten(Exception):
    """The server does not know the session any more; nothing was done."""


@dataclass
class McpSession:
    """`secret`: "" for requests that are not signed."""

    web: WebRequests
    clock: Clock
    url: str
    secret: str
    _id: str = ""
    _version: str = ""
    _number: int = 0

    async def ask(
        self, method: str, params: Mapping[str, Any], until_ms: float, context: Context | None = None
    ) -> Mapping[str, Any]:
        """The result. Raises: ToolError as `ToolSource.call` says."""
        try:
            return await self._asked(method, params, until_ms, context)
        except _Forgotten:
            self._version = self._id = ""
        try:
            return await self._asked(method, params, until_ms, context)
        except _Forgotten:
            raise not_asked("the server forgets its sessions") from None

    async def _asked(
        self, method: str, params: Mapping[str, Any], until_ms: float, context: Context | None
    ) -> Mapping[str, Any]:
        if not self._version:
            await self._begin(until_ms)
        return await self._exchange(method, params, until_ms, context)

    async def _begin(self, until_ms: float) -> None:
        """Source: https://modelcontextprotocol.io/specification/2025-06-18/basic/lifecycle"""
        client = {"name": "voice-agent", "version": "1"}
        params = {"protocolVersion": _VERSION, "capabilities": {}, "clientInfo": client}
        try:
            result = await self._exchange("initialize", params, until_ms, None)
        except OutcomeUnknown as error:
            raise not_asked(error.message) from None
        version = result.get("protocolVersion")
        if version not in _KNOWN_VERSIONS:
            raise refused("the server speaks another version of the protocol")
        self._version = str(version)
        try:
            await self._sent(notice_body("notifications/initialized"), until_ms, None)
        except OutcomeUnknown as error:
            raise not_asked(error.message) from None

    async def _exchange(
        self, method: str, params: Mapping[str, Any], until_ms: float, context: Context | None
    ) -> Mapping[str, Any]:
        self._number += 1
        number = self._number
        answer = await self._sent(request_body(number, method, params), until_ms, context)
        if method == "initialize":
            self._id = _session_id(answer)
        try:
            message = answer_to(number, answer)
        except NotUnderstood:
            raise OutcomeUnknown("the server's answer is not understood") from None
        if isinstance(error := message.get("error"), Mapping):
            raise refused(f"the server refused ({str(error.get('message', ''))[:200]})")
        result = message.get("result")
        if not isinstance(result, Mapping):
            raise OutcomeUnknown("the server's answer has no result")
        return result

    async def _sent(self, body: bytes, until_ms: float, context: Context | None) -> WebAnswer:
        left_s = (until_ms - self.clock.now_ms()) / 1000
        if left_s <= 0:
            raise not_asked("no time is left")
        headers = {"content-type": "application/json", "accept": "application/json, text/event-stream"}
        if self._version:
            headers["mcp-protocol-version"] = self._version
        if self._id:
            headers["mcp-session-id"] = self._id
        if context is not None:
            headers |= {"idempotency-key": context.key, "voice-agent-call": context.call_id}
            if self.secret:
                key, at_s = secret_bytes(self.secret), int(self.clock.now_ms() / 1000)
                headers |= signature_headers(key, context, Prepared("POST", self.url, body=body), at_s)
        try:
            answer = await self.web.send(
                WebRequest("POST", self.url, headers, body, deadline_s=left_s, most_bytes=_MOST_BYTES)
            )
        except WebError as error:
            raise _failed(error) from None
        if answer.status == _NOT_FOUND and self._id:
            raise _Forgotten
        if answer.status == _TOO_MANY:
            raise not_asked("the server is busy at this moment")
        if answer.status >= 500:
            raise OutcomeUnknown(f"HTTP {answer.status}")
        if not answer.is_success:
            raise refused(f"the server refused (HTTP {answer.status})")
        return answer


def _failed(error: WebError) -> ToolError:
    if error.was_sent:
        return OutcomeUnknown(error.message)
    return not_asked(error.message) if error.retryable else refused(error.message)


def _session_id(answer: WebAnswer) -> str:
    """Of visible ASCII. Source: https://modelcontextprotocol.io/specification/2025-06-18/basic/transports"""
    given = answer.headers.get("mcp-session-id", "")
    if not all("!" <= letter <= "~" for letter in given) or len(given) > _LONGEST_SESSION:
        raise refused("the server's session has no proper name")
    return given
