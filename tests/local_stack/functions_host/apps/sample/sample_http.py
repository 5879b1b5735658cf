"""HTTP and timer functions of the sample app."""

from __future__ import annotations

import asyncio
import json
import os
import time

import azure.functions as func

http = func.Blueprint()
TIMER_RUNS: list[dict] = []
POLLS: list[str] = []


@http.route(route="{page:maxlength(0)?}", methods=["GET"], auth_level="anonymous")
async def home(req: func.HttpRequest) -> func.HttpResponse:
    return func.HttpResponse("<h1>home</h1>", mimetype="text/html")


@http.route(route="noop", auth_level="anonymous")
async def noop(req: func.HttpRequest) -> func.HttpResponse:
    return func.HttpResponse(status_code=204)


@http.route(route="echo/{name}", methods=["GET", "POST", "PUT"], auth_level="anonymous")
async def echo(req: func.HttpRequest, context: func.Context) -> func.HttpResponse:
    document = {
        "method": req.method,
        "url": req.url,
        "params": dict(req.params),
        "route": dict(req.route_params),
        "headers": dict(req.headers),
        "body": req.get_body().hex(),
        "function": context.function_name,
        "invocation": context.invocation_id,
    }
    return func.HttpResponse(json.dumps(document), mimetype="application/json")


@http.route(route="echo/fixed", methods=["GET"], auth_level="anonymous")
async def echo_fixed(req: func.HttpRequest) -> str:
    return "literal wins"


@http.route(route="items/{number:int}", auth_level="anonymous")
def item(req: func.HttpRequest) -> func.HttpResponse:
    return func.HttpResponse(f"item {int(req.route_params['number'])}")


@http.route(route="files/{*rest}", methods=["GET"], auth_level="anonymous")
async def files(req: func.HttpRequest) -> func.HttpResponse:
    return func.HttpResponse(req.route_params.get("rest", ""))


@http.route(route="optional/{name?}", methods=["GET"], auth_level="anonymous")
async def optional(req: func.HttpRequest) -> func.HttpResponse:
    return func.HttpResponse(req.route_params.get("name", "none"))


@http.route(route="reply", methods=["GET"], auth_level="anonymous")
async def reply(req: func.HttpRequest) -> func.HttpResponse:
    response = func.HttpResponse(
        "grüße",
        status_code=418,
        mimetype="text/plain",
        charset="latin-1",
        headers={"X-One": "1"},
    )
    response.headers.add("Set-Cookie", "a=1; Path=/")
    response.headers.add("Set-Cookie", "b=2; HttpOnly")
    return response


@http.route(route="nothing", auth_level="anonymous")
async def nothing(req: func.HttpRequest) -> None:
    return None


@http.route(route="form", methods=["POST"], auth_level="anonymous")
async def form(req: func.HttpRequest) -> func.HttpResponse:
    uploads = {name: upload.read().decode() for name, upload in req.files.items()}
    return func.HttpResponse(json.dumps({"form": dict(req.form), "files": uploads}))


@http.route(route="json", methods=["POST"], auth_level="anonymous")
async def json_body(req: func.HttpRequest) -> func.HttpResponse:
    try:
        return func.HttpResponse(json.dumps(req.get_json()))
    except ValueError:
        return func.HttpResponse("no json", status_code=400)


@http.route(route="polled", methods=["POST"], auth_level="anonymous")
async def polled(req: func.HttpRequest) -> func.HttpResponse:
    location = req.url.replace("/polled", "/poll-result")
    return func.HttpResponse(status_code=202, headers={"Location": location, "Retry-After": "0"})


@http.route(route="poll-result", methods=["GET"], auth_level="anonymous")
async def poll_result(req: func.HttpRequest) -> func.HttpResponse:
    POLLS.append(req.url)
    if len(POLLS) < 3:
        return func.HttpResponse(status_code=202, headers={"Location": req.url, "Retry-After": "0"})
    return func.HttpResponse("polled to the end")


@http.route(route="fail", auth_level="anonymous")
async def fail(req: func.HttpRequest) -> func.HttpResponse:
    raise RuntimeError("on purpose")


@http.route(route="wrong", auth_level="anonymous")
async def wrong(req: func.HttpRequest) -> dict:
    return {"not": "allowed"}


@http.route(route="sleep/{seconds}", auth_level="anonymous")
async def sleep(req: func.HttpRequest) -> func.HttpResponse:
    await asyncio.sleep(float(req.route_params["seconds"]))
    return func.HttpResponse("slept")


@http.route(route="block/{seconds}", auth_level="anonymous")
def block(req: func.HttpRequest) -> func.HttpResponse:
    time.sleep(float(req.route_params["seconds"]))
    return func.HttpResponse("blocked")


@http.route(route="secret", auth_level="function")
async def secret(req: func.HttpRequest) -> func.HttpResponse:
    return func.HttpResponse("for holders of a key")


@http.route(route="master", auth_level="admin")
async def master(req: func.HttpRequest) -> func.HttpResponse:
    return func.HttpResponse("for the master key")


@http.route(route="setting/{name}", auth_level="anonymous")
async def setting(req: func.HttpRequest) -> func.HttpResponse:
    return func.HttpResponse(os.environ.get(req.route_params["name"], ""))


@http.timer_trigger(arg_name="tick", schedule="%SAMPLE_SCHEDULE%")
async def every_second(tick: func.TimerRequest) -> None:
    TIMER_RUNS.append({"past_due": tick.past_due, "status": dict(tick.schedule_status), "startup": False})


@http.timer_trigger(arg_name="tick", schedule="0 0 0 1 1 *", run_on_startup=True)
def at_start(tick: func.TimerRequest) -> None:
    TIMER_RUNS.append({"past_due": tick.past_due, "status": dict(tick.schedule_status), "startup": True})


@http.route(route="timer-runs", auth_level="anonymous")
async def timer_runs(req: func.HttpRequest) -> func.HttpResponse:
    return func.HttpResponse(json.dumps(TIMER_RUNS))
