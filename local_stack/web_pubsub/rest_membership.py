"""REST operations on who is where: existence, groups, permissions and client tokens."""

from __future__ import annotations

import json
from typing import Any
from urllib.parse import urlencode

from aiohttp import web

from local_stack.web_pubsub.connection import ClientConnection
from local_stack.web_pubsub.endpoint import Endpoint
from local_stack.web_pubsub.permissions import PERMISSIONS, Permission
from local_stack.web_pubsub.registry import Hub
from local_stack.web_pubsub.rest_requests import BadRequest, condition, whole_number

_MAX_PAGE = 200
_DEFAULT_TOKEN_MINUTES = 60
_MAX_TOKEN_MINUTES = 60 * 24 * 365


class MembershipApi:
    """Questions about and changes to the registry."""

    def __init__(self, endpoint: Endpoint) -> None:
        self._endpoint = endpoint

    async def generate_token(self, request: web.Request) -> web.Response:
        if request.query.get("clientType", "Default").lower() != "default":
            message = "Only tokens for default clients are supported."
            raise BadRequest(message, status=501, code="NotImplemented")
        minutes = whole_number(request, "minutesToExpire", _MAX_TOKEN_MINUTES) or _DEFAULT_TOKEN_MINUTES
        token = self._endpoint.keys.issue_client_token(
            request.match_info["hub"],
            user_id=request.query.get("userId"),
            roles=request.query.getall("role", []),
            groups=request.query.getall("group", []),
            lifetime_s=minutes * 60,
        )
        return web.json_response({"token": token})

    async def connection_exists(self, request: web.Request) -> web.Response:
        return _yes_or_no(self._connection(request) is not None)

    async def group_exists(self, request: web.Request) -> web.Response:
        return _yes_or_no(bool(self._hub(request).of_group(request.match_info["group"])))

    async def user_exists(self, request: web.Request) -> web.Response:
        return _yes_or_no(bool(self._of_user(request)))

    async def list_members(self, request: web.Request) -> web.Response:
        page_size = whole_number(request, "maxpagesize", _MAX_PAGE) or _MAX_PAGE
        top = whole_number(request, "top", 2**31 - 1)
        after = request.query.get("continuationToken", "")
        members = sorted(self._hub(request).of_group(request.match_info["group"]), key=lambda each: each.id)
        remaining = [each for each in members if each.id > after][:top]
        page = remaining[:page_size]
        answer: dict[str, Any] = {"value": [_member(each) for each in page]}
        if len(remaining) > len(page):
            query = {**request.query, "maxpagesize": page_size, "continuationToken": page[-1].id}
            if top is not None:
                query["top"] = top - len(page)
            answer["nextLink"] = f"{request.url.with_query(None)}?{urlencode(query)}"
        return web.json_response(answer)

    async def add_connection_to_group(self, request: web.Request) -> web.Response:
        connection = self._connection(request)
        if connection is None:
            return web.Response(status=404)
        self._hub(request).join(connection, request.match_info["group"])
        return web.Response(status=200)

    async def remove_connection_from_group(self, request: web.Request) -> web.Response:
        connection = self._connection(request)
        if connection is not None:
            self._hub(request).leave(connection, request.match_info["group"])
        return web.Response(status=204)

    async def remove_connection_from_all_groups(self, request: web.Request) -> web.Response:
        connection = self._connection(request)
        if connection is not None:
            self._hub(request).leave_all(connection)
        return web.Response(status=204)

    async def add_user_to_group(self, request: web.Request) -> web.Response:
        connections = self._of_user(request)
        for connection in connections:
            self._hub(request).join(connection, request.match_info["group"])
        return _yes_or_no(bool(connections))

    async def remove_user_from_group(self, request: web.Request) -> web.Response:
        for connection in self._of_user(request):
            self._hub(request).leave(connection, request.match_info["group"])
        return web.Response(status=204)

    async def remove_user_from_all_groups(self, request: web.Request) -> web.Response:
        for connection in self._of_user(request):
            self._hub(request).leave_all(connection)
        return web.Response(status=204)

    async def add_to_groups(self, request: web.Request) -> web.Response:
        connections, groups = await self._selection(request)
        for connection in connections:
            for group in groups:
                self._hub(request).join(connection, group)
        return web.Response(status=200)

    async def remove_from_groups(self, request: web.Request) -> web.Response:
        connections, groups = await self._selection(request)
        for connection in connections:
            for group in groups:
                self._hub(request).leave(connection, group)
        return web.Response(status=200)

    async def grant_permission(self, request: web.Request) -> web.Response:
        connection, permission, target = self._permission(request)
        if connection is None:
            return web.Response(status=404)
        connection.permissions.grant(permission, target)
        return web.Response(status=200)

    async def revoke_permission(self, request: web.Request) -> web.Response:
        connection, permission, target = self._permission(request)
        if connection is not None:
            connection.permissions.revoke(permission, target)
        return web.Response(status=204)

    async def has_permission(self, request: web.Request) -> web.Response:
        connection, permission, target = self._permission(request)
        return _yes_or_no(connection is not None and connection.permissions.granted(permission, target))

    def _hub(self, request: web.Request) -> Hub:
        return self._endpoint.hub(request.match_info["hub"])

    def _connection(self, request: web.Request) -> ClientConnection | None:
        return self._hub(request).connections.get(request.match_info["connection_id"])

    def _of_user(self, request: web.Request) -> list[ClientConnection]:
        return self._hub(request).of_user(request.match_info["user_id"])

    def _permission(self, request: web.Request) -> tuple[ClientConnection | None, Permission, str | None]:
        name = request.match_info["permission"]
        permission = next((each for each in PERMISSIONS if each.lower() == name.lower()), None)
        if permission is None:
            raise BadRequest(f"The permission must be one of {', '.join(PERMISSIONS)}.")
        return self._connection(request), permission, request.query.get("targetName")

    async def _selection(self, request: web.Request) -> tuple[list[ClientConnection], list[str]]:
        """The connections and groups that the body of a bulk operation names."""
        try:
            document = json.loads(await request.read())
        except ValueError as error:
            raise BadRequest("The body is not JSON.") from error
        groups = document.get("groups") if isinstance(document, dict) else None
        if not isinstance(groups, list) or not all(isinstance(group, str) and group for group in groups):
            raise BadRequest("groups must be a list of names.")
        matches = condition(document.get("filter"))
        everyone = self._hub(request).connections.values()
        return [each for each in everyone if matches is None or matches(each)], groups


def _yes_or_no(answer: bool) -> web.Response:
    return web.Response(status=200 if answer else 404)


def _member(connection: ClientConnection) -> dict[str, str]:
    member = {"connectionId": connection.id}
    if connection.user_id is not None:
        member["userId"] = connection.user_id
    return member
