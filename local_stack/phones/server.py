"""The phones part of the local stack as a web server: the providers' REST APIs and a door to place calls by."""

from __future__ import annotations

import asyncio
import json
import logging
from typing import Any, Final

from aiohttp import web

from local_stack.phones import call_request
from local_stack.phones.call_result import CallResult
from local_stack.phones.events import CallEvent
from local_stack.phones.switchboard import Switchboard

log = logging.getLogger(__name__)

_MAX_BODY_BYTES: Final = 128 * 1024 * 1024
SWITCHBOARD: Final = web.AppKey("switchboard", Switchboard)


def make_app(switchboard: Switchboard, app_url: str) -> web.Application:
    """`app_url` is the public origin of the app that is called unless a wish names another."""
    app = web.Application(client_max_size=_MAX_BODY_BYTES)
    app[SWITCHBOARD] = switchboard
    door = ControlDoor(switchboard, app_url.rstrip("/"))
    app.router.add_get("/health", door.health)
    app.router.add_post("/_local/calls", door.place)
    app.router.add_get("/_local/calls", door.list)
    app.router.add_delete("/_local/calls/{sid}", door.hang_up)
    app.router.add_post("/_local/calls/{sid}/utterances", door.say)
    app.router.add_put("/_local/people/{number}", door.set_person)
    app.router.add_delete("/_local/people/{number}", door.forget_person)
    switchboard.add_routes(app)
    app.on_shutdown.append(_close)
    return app


async def _close(app: web.Application) -> None:
    await app[SWITCHBOARD].close()


class ControlDoor:
    """`/_local/…`: what no carrier has. JSON only, so that a web page cannot reach it unasked."""

    def __init__(self, switchboard: Switchboard, app_url: str) -> None:
        self._switchboard = switchboard
        self._app_url = app_url

    async def health(self, _request: web.Request) -> web.Response:
        live = sum(call.is_running for call in self._switchboard.calls())
        lines = [line for exchange in self._switchboard.exchanges for line in exchange.lines]
        return web.json_response({"status": "ok", "calls": live, "lines": lines})

    async def list(self, _request: web.Request) -> web.Response:
        calls = [{"call_sid": call.call_sid, "status": call.status} for call in self._switchboard.calls()]
        return web.json_response({"calls": calls})

    async def place(self, request: web.Request) -> web.StreamResponse:
        """Places an inbound call and streams its events as NDJSON; the last line is `call_result`.

        Who closes the connection before the end hangs up.
        """
        try:
            wish = call_request.call_wish(await _json(request), self._switchboard, self._app_url)
            events: asyncio.Queue[CallEvent] = asyncio.Queue()
            task = self._switchboard.place(wish, events.put_nowait)
        except ValueError as error:
            return _refusal(400, str(error))
        log.info("call %s placed", task.get_name())
        response = web.StreamResponse(headers={"Content-Type": "application/x-ndjson"})
        try:
            await response.prepare(request)
            await _stream(response, events, task)
            await response.write_eof()
        except ConnectionError:
            log.info("call %s: nobody listens any more", task.get_name())
        finally:
            self._switchboard.hang_up(task.get_name())
        return response

    async def hang_up(self, request: web.Request) -> web.Response:
        """The simulated person puts the phone down."""
        sid = request.match_info["sid"]
        if self._switchboard.hang_up(sid):
            return web.Response(status=204)
        return _refusal(404, f"no call {sid} is running")

    async def say(self, request: web.Request) -> web.Response:
        """What the person says next, in a call whose wish has `improvises`."""
        sid = request.match_info["sid"]
        try:
            said = call_request.spoken_utterance(await _json(request))
        except ValueError as error:
            return _refusal(400, str(error))
        if self._switchboard.say(sid, said):
            return web.Response(status=204)
        return _refusal(404, f"no call {sid} improvises")

    async def set_person(self, request: web.Request) -> web.Response:
        """Says how the person behaves who is called at this number."""
        try:
            person = call_request.called_person(await _json(request), self._switchboard)
        except ValueError as error:
            return _refusal(400, str(error))
        self._switchboard.people[request.match_info["number"]] = person
        return web.Response(status=204)

    async def forget_person(self, request: web.Request) -> web.Response:
        """Whoever is called there behaves as anybody does."""
        self._switchboard.people.pop(request.match_info["number"], None)
        return web.Response(status=204)


async def _stream(
    response: web.StreamResponse, events: asyncio.Queue[CallEvent], task: asyncio.Task[CallResult]
) -> None:
    """Writes events as they come, then the result."""
    task.add_done_callback(lambda _task: events.put_nowait(CallEvent("", 0.0)))
    while (event := await events.get()).name:
        await response.write(event.to_line())
    if task.exception() is None:
        result = task.result()
        ended_ms = result.events[-1].at_ms if result.events else 0.0
        await response.write(CallEvent("call_result", ended_ms, {"result": result.to_json()}).to_line())


async def _json(request: web.Request) -> Any:
    if request.content_type != "application/json":
        raise call_request.BadRequest("Content-Type must be application/json")
    try:
        return json.loads(await request.read())
    except ValueError:
        raise call_request.BadRequest("the body is not JSON") from None


def _refusal(status: int, message: str) -> web.Response:
    return web.json_response({"error": message}, status=status)
