"""The admin API of the host: its status, the functions it has, and running one of them by hand."""

from __future__ import annotations

import time
from collections.abc import Callable
from importlib.metadata import version

from local_stack.functions_host.function_index import FunctionIndex
from local_stack.functions_host.http_functions import function_document
from local_stack.functions_host.http_messages import RawRequest, encode, json_answer
from local_stack.functions_host.http_protocol import HttpConnection

_HOST_VERSION = "4.0.0-local"
_FUNCTIONS = "/admin/functions/"


class AdminApi:
    """Answers `GET /admin/host/status`, `/admin/host/ping` and `/admin/functions[/{name}]`; `POST
    /admin/functions/{name}` runs a function that has a schedule, now and beside it.

    Source: https://learn.microsoft.com/azure/azure-functions/functions-manually-run-non-http
    """

    def __init__(
        self, index: FunctionIndex, base_url: str, route_prefix: str, host_id: str, *, run: Callable[[str], bool]
    ) -> None:
        """`run`: starts it; False where it is none that can be."""
        self._functions = {f.name: function_document(f, base_url, route_prefix) for f in index.functions}
        self._host_id = host_id
        self._started = time.monotonic()
        self._run = run
        self.is_draining = False

    def handle(self, request: RawRequest, connection: HttpConnection) -> None:
        path = request.path.rstrip("/").casefold()
        last = request.path.rstrip("/").rpartition("/")[2]
        if request.method == "POST" and path.startswith(_FUNCTIONS) and self._run(last):
            connection.answer(encode(202, (), b"", keep_alive=connection.keep_alive))
            return
        document = self._document(path, last)
        if document is None or request.method != "GET":
            connection.answer(encode(404, (), b"", keep_alive=connection.keep_alive))
        else:
            connection.answer(json_answer(200, document, keep_alive=connection.keep_alive))

    def _document(self, path: str, last: str) -> object:
        if path == "/admin/host/status":
            return {
                "id": self._host_id,
                "state": "Stopping" if self.is_draining else "Running",
                "version": _HOST_VERSION,
                "versionDetails": f"azure-functions {version('azure-functions')}, "
                f"azure-functions-durable {version('azure-functions-durable')}",
                "processUptime": int((time.monotonic() - self._started) * 1000),
                "functionCount": len(self._functions),
            }
        if path == "/admin/host/ping":
            return {}
        if path == "/admin/functions":
            return list(self._functions.values())
        if path.startswith(_FUNCTIONS):
            return self._functions.get(last)
        return None
