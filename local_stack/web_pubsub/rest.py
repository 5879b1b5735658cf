"""The REST API of the service, as the official SDKs call it. Any api-version is taken.

Source: https://learn.microsoft.com/rest/api/webpubsub/dataplane/web-pub-sub
"""

from __future__ import annotations

import json
import logging
from collections.abc import Awaitable, Callable

from aiohttp import hdrs, web

from local_stack.web_pubsub.access_tokens import AccessDenied
from local_stack.web_pubsub.endpoint import Endpoint
from local_stack.web_pubsub.handshake import HUB_NAME, bearer_token
from local_stack.web_pubsub.rest_membership import MembershipApi
from local_stack.web_pubsub.rest_messages import MessageApi
from local_stack.web_pubsub.rest_requests import BadRequest

Handler = Callable[[web.Request], Awaitable[web.StreamResponse]]
_log = logging.getLogger(__name__)


class RestApi:
    """Routes, authentication and errors of the REST API."""

    def __init__(self, endpoint: Endpoint) -> None:
        self._endpoint = endpoint
        self._messages = MessageApi(endpoint)
        self._membership = MembershipApi(endpoint)

    def routes(self) -> list[web.RouteDef]:
        """All operations. The hot one, sending to a connection, is found first."""
        messages, members = self._messages, self._membership
        hub = "/api/hubs/{hub}"
        connection, group, user = (
            f"{hub}/connections/{{connection_id}}",
            f"{hub}/groups/{{group}}",
            f"{hub}/users/{{user_id}}",
        )
        member = f"{group}/connections/{{connection_id}}"
        permission = f"{hub}/permissions/{{permission}}/connections/{{connection_id}}"
        table: list[tuple[str, str, Handler]] = [
            ("POST", f"{connection}/:send", messages.send_to_connection),
            ("POST", f"{group}/:send", messages.send_to_group),
            ("POST", f"{user}/:send", messages.send_to_user),
            ("POST", f"{hub}/:send", messages.send_to_all),
            ("POST", f"{hub}/:closeConnections", messages.close_all),
            ("POST", f"{group}/:closeConnections", messages.close_group),
            ("POST", f"{user}/:closeConnections", messages.close_user),
            ("DELETE", connection, messages.close_connection),
            ("POST", f"{hub}/:generateToken", members.generate_token),
            ("HEAD", connection, members.connection_exists),
            ("HEAD", group, members.group_exists),
            ("HEAD", user, members.user_exists),
            ("GET", f"{group}/connections", members.list_members),
            ("PUT", member, members.add_connection_to_group),
            ("DELETE", member, members.remove_connection_from_group),
            ("DELETE", f"{connection}/groups", members.remove_connection_from_all_groups),
            ("PUT", f"{user}/groups/{{group}}", members.add_user_to_group),
            ("DELETE", f"{user}/groups/{{group}}", members.remove_user_from_group),
            ("DELETE", f"{user}/groups", members.remove_user_from_all_groups),
            ("POST", f"{hub}/:addToGroups", members.add_to_groups),
            ("POST", f"{hub}/:removeFromGroups", members.remove_from_groups),
            ("PUT", permission, members.grant_permission),
            ("DELETE", permission, members.revoke_permission),
            ("HEAD", permission, members.has_permission),
        ]
        return [web.route(method, path, self._guarded(handler)) for method, path, handler in table]

    def _guarded(self, handler: Handler) -> Handler:
        async def guarded(request: web.Request) -> web.StreamResponse:
            token = bearer_token(request)
            if token is None:
                return _error(401, "Unauthorized", "The bearer token is missing.")
            try:
                self._endpoint.keys.check_rest(token, request.path, request.host)
            except AccessDenied as error:
                _log.info("REST call refused: %s", error)
                return _error(401, "Unauthorized", f"The bearer token is not valid: {error}.")
            if not HUB_NAME.fullmatch(request.match_info["hub"]):
                return _error(400, "InvalidHub", "The hub name is invalid.")
            try:
                return await handler(request)
            except BadRequest as error:
                return _error(error.status, error.code, str(error))

        return guarded


def _error(status: int, code: str, message: str) -> web.Response:
    return web.Response(
        status=status,
        body=json.dumps({"code": code, "message": message}).encode(),
        headers={hdrs.CONTENT_TYPE: "application/json", "x-ms-error-code": code},
    )
