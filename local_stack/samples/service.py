"""The systems of the sample companies, a calendar and an order book, as HTTP services that note every request."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable, Mapping
from dataclasses import dataclass, field
from typing import Any, Final

from aiohttp import web

from local_stack.samples.calendar_book import CalendarBook
from local_stack.samples.order_book import OrderBook

Handler = Callable[[web.Request], Awaitable[web.StreamResponse]]
_NEVER_S: Final = 120.0
TIMEOUT: Final = "timeout"
_KEPT_HEADERS: Final = ("idempotency-key", "webhook-id", "webhook-signature", "x-call-id")


@dataclass
class SampleServices:
    """`journal`: every request with its operation's `name`, `arguments` and `status`, in their order."""

    journal: list[dict[str, Any]] = field(default_factory=list)
    faults: Mapping[str, Any] = field(default_factory=dict)
    url: str = ""
    orders: OrderBook = field(default_factory=OrderBook)
    calendar: CalendarBook = field(default_factory=CalendarBook)
    _runner: web.AppRunner | None = None

    def begin(self, faults: Mapping[str, Any]) -> None:
        """As new; `faults`: by operation, the status with which it answers, or `timeout`."""
        self.journal, self.faults = [], dict(faults)
        self.orders, self.calendar = OrderBook(), CalendarBook()

    def app(self) -> web.Application:
        """`/orders/…` and `/calendar/…`; `GET /journal`, `PUT /faults`, `GET /health`."""
        app = web.Application()
        add = app.router.add_route
        add("GET", "/orders/{number}", self._noted("look_up_order", self._order))
        add("POST", "/orders/{number}/cancel", self._noted("cancel_order", self._cancel))
        add("GET", "/calendar/free", self._noted("free_times", self._free))
        add("POST", "/calendar/appointments", self._noted("book_appointment", self._book))
        add("GET", "/journal", self._journal)
        add("PUT", "/faults", self._set_faults)
        add("GET", "/health", self._health)
        return app

    async def start(self, port: int = 0) -> None:
        """Listens on this machine only; `url` says where."""
        self._runner = web.AppRunner(self.app(), access_log=None, shutdown_timeout=1.0, handler_cancellation=True)
        await self._runner.setup()
        site = web.TCPSite(self._runner, "127.0.0.1", port)
        await site.start()
        address: tuple[str, int] = self._runner.addresses[0]
        self.url = f"http://127.0.0.1:{address[1]}"

    async def stop(self) -> None:
        if self._runner is not None:
            await self._runner.cleanup()

    def _noted(self, name: str, handler: Callable[[Mapping[str, Any]], tuple[int, Any]]) -> Handler:
        async def handle(request: web.Request) -> web.StreamResponse:
            arguments = await _arguments(request)
            headers = {key: request.headers[key] for key in _KEPT_HEADERS if key in request.headers}
            entry: dict[str, Any] = {"name": name, "arguments": arguments, "headers": headers}
            self.journal.append(entry)
            fault = self.faults.get(name)
            if fault == TIMEOUT:
                await asyncio.sleep(_NEVER_S)
            status, answer = (int(fault), {"error": "the system is out of order"}) if fault else handler(arguments)
            entry["status"] = status
            return web.json_response(answer, status=status)

        return handle

    def _order(self, arguments: Mapping[str, Any]) -> tuple[int, Any]:
        return self.orders.look_up(str(arguments.get("number", "")))

    def _cancel(self, arguments: Mapping[str, Any]) -> tuple[int, Any]:
        return self.orders.cancel(str(arguments.get("number", "")))

    def _free(self, arguments: Mapping[str, Any]) -> tuple[int, Any]:
        return self.calendar.free(str(arguments.get("date", "")))

    def _book(self, arguments: Mapping[str, Any]) -> tuple[int, Any]:
        given = (str(arguments.get(name, "")) for name in ("date", "time", "patient"))
        return self.calendar.book(*given)

    async def _journal(self, _request: web.Request) -> web.Response:
        return web.json_response({"journal": self.journal})

    async def _set_faults(self, request: web.Request) -> web.Response:
        self.faults = await request.json()
        return web.Response(status=204)

    async def _health(self, _request: web.Request) -> web.Response:
        return web.json_response({"status": "ok"})


async def _arguments(request: web.Request) -> dict[str, Any]:
    """Of the path, the query and a JSON body together."""
    body: Any = {}
    if request.can_read_body:
        try:
            body = await request.json()
        except ValueError:
            raise web.HTTPBadRequest(text="the body is not JSON") from None
    if not isinstance(body, dict):
        raise web.HTTPBadRequest(text="the body is not a JSON object")
    return {**request.query, **request.match_info, **body}
