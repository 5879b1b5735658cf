"""Activities, entities and client functions of the sample app."""

# The SDK raises plain exceptions into orchestrators.
# ruff: noqa: BLE001

from __future__ import annotations

import asyncio
import json
import os
from collections import Counter
from pathlib import Path

import azure.durable_functions as df
import azure.functions as func

durable = df.Blueprint()
ATTEMPTS: Counter[str] = Counter()
EVENTS: dict[str, float] = {}


@durable.activity_trigger(input_name="number")
async def double(number: int) -> int:
    return number * 2


@durable.activity_trigger(input_name="given")
def record(given: dict) -> int:
    with Path(given["file"]).open("a", encoding="utf-8") as file:
        file.write(f"{given['chain']}:{given['step']}\n")
    return 1


@durable.activity_trigger(input_name="given")
async def flaky(given: dict) -> str:
    ATTEMPTS[given["key"]] += 1
    if ATTEMPTS[given["key"]] <= given["failures"]:
        raise ValueError(f"attempt {ATTEMPTS[given['key']]}")
    return f"done after {ATTEMPTS[given['key']]}"


@durable.activity_trigger(input_name="nothing")
def always_fails(nothing: object) -> None:
    raise LookupError("never works")


@durable.activity_trigger(input_name="seconds")
async def pause(seconds: float) -> str:
    await asyncio.sleep(seconds)
    return "paused"


@durable.activity_trigger(input_name="instance")
@durable.durable_client_input(client_name="client")
async def raise_from_activity(instance: str, client: df.DurableOrchestrationClient) -> None:
    await client.raise_event(instance, "first", {"from": "activity"})


@durable.entity_trigger(context_name="context", entity_name="Counter")
def counter_entity(context: df.DurableEntityContext) -> None:
    value = context.get_state(lambda: 0)
    if context.operation_name == "add":
        value += context.get_input()
        context.set_state(value)
        context.set_result(value)
    elif context.operation_name == "get":
        context.set_result(value)
    elif context.operation_name == "explode":
        raise RuntimeError("entity broke")
    elif context.operation_name == "delete":
        context.destruct_on_exit()


@durable.route(route="start/{name}", methods=["POST"], auth_level="anonymous")
@durable.durable_client_input(client_name="client")
async def start(req: func.HttpRequest, client: df.DurableOrchestrationClient) -> func.HttpResponse:
    body = req.get_body()
    given = json.loads(body) if body else None
    try:
        instance_id = await client.start_new(req.route_params["name"], req.params.get("id"), given)
    except Exception as error:
        return func.HttpResponse(str(error), status_code=409)
    return client.create_check_status_response(req, instance_id)


@durable.route(route="client/{operation}/{instance}", methods=["POST"], auth_level="anonymous")
@durable.durable_client_input(client_name="client")
async def use_client(req: func.HttpRequest, client: df.DurableOrchestrationClient) -> func.HttpResponse:
    """Calls one method of the SDK's client, with arguments from the body."""
    operation, instance = req.route_params["operation"], req.route_params["instance"]
    arguments = json.loads(req.get_body() or b"{}")
    if operation in {"read_entity_state", "signal_entity"}:
        target: object = df.EntityId("Counter", instance)
    else:
        target = instance
    try:
        if operation in {"get_status_all"}:
            result = await client.get_status_all()
        else:
            result = await getattr(client, operation)(target, **arguments)
    except Exception as error:
        return func.HttpResponse(json.dumps({"error": str(error)}), status_code=400)
    return func.HttpResponse(json.dumps(_plain(result)), mimetype="application/json")


@durable.route(route="wait/{name}", methods=["POST"], auth_level="anonymous")
@durable.durable_client_input(client_name="client")
async def start_and_wait(req: func.HttpRequest, client: df.DurableOrchestrationClient) -> func.HttpResponse:
    body = req.get_body()
    instance_id = await client.start_new(req.route_params["name"], None, json.loads(body) if body else None)
    return await client.wait_for_completion_or_create_check_status_response(req, instance_id, 3000, 20)


@durable.route(route="pid", auth_level="anonymous")
async def pid(req: func.HttpRequest) -> func.HttpResponse:
    return func.HttpResponse(str(os.getpid()))


def _plain(result: object) -> object:
    if isinstance(result, list):
        return [_plain(item) for item in result]
    if hasattr(result, "instances_deleted"):
        return {"deleted": result.instances_deleted}
    if hasattr(result, "entity_exists"):
        return {"exists": result.entity_exists, "state": result.entity_state}
    if hasattr(result, "runtime_status"):
        status = result.runtime_status
        return {
            "status": status.value if status else None,
            "input": result.input_,
            "output": result.output,
            "customStatus": result.custom_status,
            "name": result.name,
            "instanceId": result.instance_id,
            "found": bool(result),
        }
    return result
