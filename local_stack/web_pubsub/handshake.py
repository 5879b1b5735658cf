"""Decides whether a client may open a WebSocket: its token, its hub, and what the connect handler says."""

from __future__ import annotations

import json
import re
import uuid
from dataclasses import dataclass
from typing import Any

from aiohttp import hdrs, web

from local_stack.web_pubsub.access_tokens import AccessDenied, claim_list
from local_stack.web_pubsub.connection import ClientConnection
from local_stack.web_pubsub.endpoint import JSON_CONTENT, Endpoint
from local_stack.web_pubsub.http_client import Response
from local_stack.web_pubsub.protocols import SUBPROTOCOLS
from local_stack.web_pubsub.upstream import UpstreamFailure

HUB_NAME = re.compile(r"[A-Za-z][A-Za-z0-9_`,.\[\]]{0,127}")
_MAX_GROUP_NAME = 1024
# Handlers written for .NET see claims under these names, so both are passed on.
_LONG_CLAIM_NAMES = {
    "sub": "http://schemas.xmlsoap.org/ws/2005/05/identity/claims/nameidentifier",
    "role": "http://schemas.microsoft.com/ws/2008/06/identity/claims/role",
}


class HandshakeRefused(Exception):
    """The client gets this HTTP response instead of a WebSocket."""

    def __init__(self, status: int, text: str, *, body: bytes | None = None, content_type: str | None = None) -> None:
        super().__init__(text)
        self.response = web.Response(
            status=status,
            body=text.encode() if body is None else body,
            headers={hdrs.CONTENT_TYPE: content_type or "text/plain"},
        )


@dataclass(frozen=True, slots=True)
class Admission:
    """A client that may come in, and the groups in which it begins."""

    connection: ClientConnection
    groups: tuple[str, ...]


def requested_hub(request: web.Request) -> str:
    """The hub in the path or the `hub` query parameter. Raises: HandshakeRefused."""
    hub = request.match_info.get("hub") or request.query.get("hub", "")
    if not HUB_NAME.fullmatch(hub):
        raise HandshakeRefused(400, "The hub name is missing or invalid.")
    return hub


def offered_subprotocols(request: web.Request) -> list[str]:
    """The subprotocols that the client offers, in its order."""
    offers = request.headers.getall(hdrs.SEC_WEBSOCKET_PROTOCOL, [])
    return [name.strip() for offer in offers for name in offer.split(",") if name.strip()]


class Handshake:
    """The questions that a client has to pass before its WebSocket is opened."""

    def __init__(self, endpoint: Endpoint) -> None:
        self._endpoint = endpoint

    async def admit(self, request: web.Request, hub: str) -> Admission:
        """A new connection, not yet open. Raises: HandshakeRefused."""
        if len(self._endpoint.registry) >= self._endpoint.limits.max_connections:
            raise HandshakeRefused(429, "The connection quota is used up.")
        claims = self._claims(request, hub)
        groups = claim_list(claims or {}, "webpubsub.group")
        _check_groups(groups)
        publish_group = _publish_group(request)
        user_id = next(iter(claim_list(claims or {}, "sub")), None)
        connection = ClientConnection(
            uuid.uuid4().hex, hub.lower(), user_id, self._endpoint.limits, self._endpoint.overflow
        )
        connection.permissions.add_roles(claim_list(claims or {}, "role"))
        answer = await self._ask_handler(request, connection, claims or {})
        user_id = answer.get("userId") or user_id
        if claims is None and not user_id:
            raise HandshakeRefused(401, "The connect handler gave the anonymous client no user id.")
        subprotocol = _choose_subprotocol(offered_subprotocols(request), answer.get("subprotocol"))
        connection.settle(user_id, subprotocol, SUBPROTOCOLS.get(subprotocol or ""))
        connection.permissions.add_roles(answer.get("roles") or [])
        if connection.protocol is None:
            connection.publish_group = publish_group
        return Admission(connection, tuple(dict.fromkeys([*groups, *(answer.get("groups") or [])])))

    def _claims(self, request: web.Request, hub: str) -> dict[str, Any] | None:
        """Claims of the client's token, None for an anonymous client whom the hub may let in."""
        token = request.query.get("access_token") or bearer_token(request)
        if token:
            try:
                return self._endpoint.keys.client_claims(token, hub, request.host)
            except AccessDenied as error:
                raise HandshakeRefused(401, f"The access token is not valid: {error}.") from error
        if self._endpoint.configuration.hub(hub).anonymous_connect_policy == "deny":
            raise HandshakeRefused(401, "The access token is missing.")
        return None

    async def _ask_handler(
        self, request: web.Request, connection: ClientConnection, claims: dict[str, Any]
    ) -> dict[str, Any]:
        body = json.dumps(_connect_body(request, claims)).encode()
        try:
            response = await self._endpoint.upstream.deliver(
                connection, "connect", body, JSON_CONTENT, is_system=True
            )
        except UpstreamFailure as failure:
            raise HandshakeRefused(500, f"The connect event failed: {failure}.") from failure
        if response is None:
            return {}
        if 400 <= response.status < 500:
            raise HandshakeRefused(
                response.status, "", body=response.body, content_type=response.headers.get("content-type")
            )
        if not 200 <= response.status < 300:
            raise HandshakeRefused(500, f"The connect handler returned {response.status}.")
        state = response.headers.get("ce-connectionstate")
        if state is not None:
            connection.set_state(state)
        return _connect_answer(response)


def bearer_token(request: web.Request) -> str | None:
    """The token in the Authorization header."""
    scheme, _, token = request.headers.get(hdrs.AUTHORIZATION, "").partition(" ")
    return token.strip() or None if scheme.lower() == "bearer" else None


def _connect_body(request: web.Request, claims: dict[str, Any]) -> dict[str, Any]:
    said = {name: claim_list(claims, name) for name in claims}
    said |= {long: said[short] for short, long in _LONG_CLAIM_NAMES.items() if short in said}
    headers: dict[str, list[str]] = {}
    for name, value in request.headers.items():
        if name.lower() != "authorization" and not name.lower().startswith("x-asrs-internal-"):
            headers.setdefault(name, []).append(value)
    query: dict[str, list[str]] = {}
    for name, value in request.query.items():
        if name.lower() != "access_token":
            query.setdefault(name, []).append(value)
    return {
        "claims": said,
        "query": query,
        "headers": headers,
        "subprotocols": offered_subprotocols(request),
        "clientCertificates": [],
    }


def _connect_answer(response: Response) -> dict[str, Any]:
    if not response.body.strip():
        return {}
    try:
        answer = json.loads(response.body)
    except ValueError as error:
        raise HandshakeRefused(500, "The connect handler's answer is not JSON.") from error
    if not isinstance(answer, dict):
        raise HandshakeRefused(500, "The connect handler's answer is not a JSON object.")
    for name in ("userId", "subprotocol"):
        if not isinstance(answer.get(name), str | None):
            raise HandshakeRefused(500, f"The connect handler's {name} is not a string.")
    for name in ("roles", "groups"):
        value = answer.get(name) or []
        if not isinstance(value, list) or not all(isinstance(each, str) for each in value):
            raise HandshakeRefused(500, f"The connect handler's {name} are not a list of strings.")
    _check_groups(answer.get("groups") or [], status=500)
    return answer


def _check_groups(groups: list[str], status: int = 400) -> None:
    if any(not 0 < len(group) <= _MAX_GROUP_NAME for group in groups):
        raise HandshakeRefused(status, "A group name is invalid.")


def _publish_group(request: web.Request) -> str | None:
    mode = request.query.get("webpubsub_mode")
    if mode is None:
        return None
    group = request.query.get("group", "")
    if mode.lower() != "sendtogroup" or not 0 < len(group) <= _MAX_GROUP_NAME:
        raise HandshakeRefused(400, "Only webpubsub_mode=sendToGroup with a valid group is supported.")
    return group


def _choose_subprotocol(offered: list[str], chosen: str | None) -> str | None:
    """What the handler chose, else the first Web PubSub subprotocol that the client offers."""
    if chosen:
        if chosen not in offered:
            raise HandshakeRefused(500, "The connect handler chose a subprotocol that was not offered.")
        return chosen
    return next((name for name in offered if name in SUBPROTOCOLS), None)
