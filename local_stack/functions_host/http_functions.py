"""The public HTTP side of the host: finds the function for a request, calls it and answers."""

from __future__ import annotations

import logging
from collections.abc import Callable, Mapping
from typing import Any

from local_stack.functions_host.function_index import HTTP_TRIGGER, FunctionIndex, RegisteredFunction
from local_stack.functions_host.http_messages import LazyHttpRequest, RawRequest, encode, encode_result
from local_stack.functions_host.http_protocol import HttpConnection, RequestHandler
from local_stack.functions_host.invocation import FunctionTimeoutError, Invoker, describe_error
from local_stack.functions_host.keys import ANONYMOUS, KeyRing
from local_stack.functions_host.routes import RouteTable

log = logging.getLogger(__name__)

ADMIN_PREFIX = "/admin/"
WEBHOOK_PREFIX = "/runtime/webhooks/durabletask"
# Functions cannot have routes below these, not even by a catch-all.
_RESERVED = (ADMIN_PREFIX, "/runtime/")


class HttpFunctions:
    """Handles requests on the app's port: functions, the admin API and the durable webhooks."""

    def __init__(
        self,
        index: FunctionIndex,
        invoker: Invoker,
        keys: KeyRing,
        route_prefix: str,
        *,
        admin: RequestHandler,
        webhooks: RequestHandler,
    ) -> None:
        self._invoker = invoker
        self._keys = keys
        self._admin = admin
        self._webhooks = webhooks
        self._routes: RouteTable[tuple[RegisteredFunction, str]] = RouteTable()
        for function in index.with_trigger(HTTP_TRIGGER):
            trigger = function.trigger
            template = f"{route_prefix}/{str(trigger.get('route') or function.name).strip('/')}".strip("/")
            level = str(trigger.get("authLevel") or "FUNCTION").upper()
            self._routes.add(template, trigger.get("methods"), (function, level))

    def handle(self, request: RawRequest, connection: HttpConnection) -> None:
        if request.path.startswith(_RESERVED):
            self._handle_reserved(request, connection)
            return
        found = self._routes.match(request.method, request.path)
        if found is not None:
            (function, level), route_params = found
            if level != ANONYMOUS and not self._keys.allows_function(request, level, function.name):
                connection.answer(encode(401, (), b"", keep_alive=connection.keep_alive))
                return
            self._invoker.run(function.name, self._serve(function, request, route_params, connection))
        else:
            log.debug("no function for %s %s", request.method, request.path)
            connection.answer(encode(404, (), b"", keep_alive=connection.keep_alive))

    async def _serve(
        self,
        function: RegisteredFunction,
        request: RawRequest,
        route_params: Mapping[str, str],
        connection: HttpConnection,
    ) -> None:
        payload = b""
        try:
            result = await self._invoker.call(
                function,
                LazyHttpRequest(request, route_params),
                (request.header(b"traceparent") or "") if function.wants_context else "",
            )
            payload = encode_result(result, head_only=connection.head_only, keep_alive=connection.keep_alive)
        except FunctionTimeoutError as error:
            log.error("function %s failed: %s", function.name, error)
            payload = encode(500, (), b"", keep_alive=connection.keep_alive)
        except Exception as error:
            log.error("function %s failed: %s", function.name, describe_error(error))
            log.debug("function %s", function.name, exc_info=error)
            payload = encode(500, (), b"", keep_alive=connection.keep_alive)
        finally:
            # Empty after a cancellation, when the host drains.
            connection.answer(payload or encode(503, (), b"", keep_alive=False))

    def _handle_reserved(self, request: RawRequest, connection: HttpConnection) -> None:
        if request.path.startswith(WEBHOOK_PREFIX):
            self._guarded(self._keys.allows_durable_webhook, self._webhooks, request, connection)
        elif request.path.startswith(ADMIN_PREFIX):
            self._guarded(self._keys.allows_admin, self._admin, request, connection)
        else:
            connection.answer(encode(404, (), b"", keep_alive=connection.keep_alive))

    def _guarded(
        self,
        allowed: Callable[[RawRequest], bool],
        handler: RequestHandler,
        request: RawRequest,
        connection: HttpConnection,
    ) -> None:
        if allowed(request):
            handler.handle(request, connection)
        else:
            connection.answer(encode(401, (), b"", keep_alive=connection.keep_alive))


def function_document(function: RegisteredFunction, base_url: str, route_prefix: str) -> dict[str, Any]:
    """The entry of `/admin/functions` for one function."""
    document: dict[str, Any] = {
        "name": function.name,
        "language": "python",
        "isDisabled": False,
        "config": {"scriptFile": "function_app.py", "bindings": [dict(b) for b in function.bindings]},
    }
    if function.trigger_type == HTTP_TRIGGER:
        route = str(function.trigger.get("route") or function.name).strip("/")
        document["invoke_url_template"] = f"{base_url}/{f'{route_prefix}/{route}'.strip('/')}"
    return document
