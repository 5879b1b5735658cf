"""The app as the Functions worker sees it: every step has its function, and nothing connects at import."""

from __future__ import annotations

import ast
import os
import subprocess
import sys
import textwrap
from pathlib import Path

import azure.functions as func
import pytest

from functions import names

CHECKOUT = Path(__file__).parents[2]
_ASK = """
from shared.composition import services
from shared.domain.errors import InvalidRequest
try:
    services()
except InvalidRequest as error:
    print(error)
"""
_TRIGGERS = {"activityTrigger", "orchestrationTrigger", "httpTrigger", "timerTrigger"}

_BLOCKED = textwrap.dedent("""
    import socket, sys

    def refuse(*args, **kwargs):
        raise SystemExit("a connection at import")

    class Refusing(socket.socket):
        connect = connect_ex = sendto = bind = refuse

    socket.socket = Refusing
    socket.create_connection = socket.getaddrinfo = refuse
    import function_app

    functions = function_app.app.get_functions()
    assert len(functions) > 10
    slow = ["openai", "langchain_openai", "azure.storage.blob", "azure.identity", "onnxruntime"]
    print([name for name in slow if name in sys.modules])
    import threading
    print([thread.name for thread in threading.enumerate() if thread is not threading.main_thread()])
""")


@pytest.fixture(scope="module")
def functions() -> list[func.Function]:
    """The app gives them once."""
    import function_app

    found: list[func.Function] = function_app.app.get_functions()
    return found


@pytest.fixture(scope="module")
def registered(functions: list[func.Function]) -> dict[str, str]:
    """Function names with their triggers."""
    found: dict[str, str] = {}
    for function in functions:
        trigger = function.get_trigger()
        assert trigger is not None
        assert function.get_function_name() not in found, "function names are global across blueprints"
        found[function.get_function_name()] = trigger.type
    return found


def test_every_name_is_a_registered_function(registered: dict[str, str]) -> None:
    known = {value for key, value in vars(names).items() if key.isupper()}
    orchestrations = {names.CALL, names.TURN, names.WATCH, names.WRAP_UP, names.DIAL, names.FOLLOW_CALL, names.INGEST}
    orchestrations |= {names.FETCH_RECORDING, names.AFTER_CALL, names.DELIVER_WEBHOOK}
    assert {name for name, trigger in registered.items() if trigger == "orchestrationTrigger"} == orchestrations
    assert {name for name, trigger in registered.items() if trigger == "activityTrigger"} == known - orchestrations
    assert set(registered.values()) <= _TRIGGERS


def test_steps_call_only_names() -> None:
    """No step is spelled by hand where a typing mistake would wait for the first call."""
    tree = ast.parse((CHECKOUT / "functions/orchestrators/steps.py").read_text())
    used = set()
    for node in ast.walk(tree):
        if isinstance(node, ast.Call) and isinstance(node.func, ast.Attribute) and node.func.attr.startswith("call_"):
            first = node.args[0]
            if isinstance(first, ast.Attribute):
                assert isinstance(first.value, ast.Name)
                assert first.value.id == "names"
                used.add(first.attr)
            else:
                assert isinstance(first, ast.Name)
    looped = {node.attr for node in ast.walk(tree) if isinstance(node, ast.Attribute) and node.attr.isupper()}
    assert used | looped == {key for key in vars(names) if key.isupper()} - {
        "CALL",
        "DIAL",
        "FOLLOW_CALL",
        "INGEST",
        "FETCH_RECORDING",
        "AFTER_CALL",
        "DELIVER_WEBHOOK",
    }


def test_every_route_is_one_of_ours_and_anonymous_to_the_host(functions: list[func.Function]) -> None:
    routes: dict[str, list[str]] = {}
    for function in functions:
        trigger = function.get_trigger()
        if trigger is not None and trigger.type == "httpTrigger":
            document = trigger.get_dict_repr()
            methods = routes.setdefault(document["route"], [])
            routes[document["route"]] = sorted([*methods, *(str(method.value) for method in document["methods"])])
            assert document["authLevel"] is func.AuthLevel.ANONYMOUS
    expected = {
        "api/callbacks": ["GET"],
        "api/callbacks/{callback_id}": ["DELETE"],
        "api/calls": ["GET", "POST"],
        "api/calls/{call_id}": ["GET"],
        "api/calls/{call_id}/analysis": ["GET"],
        "api/calls/{call_id}/raw-transcript": ["GET"],
        "api/webhook-deliveries": ["GET"],
        "api/webhook-deliveries/{delivery_id}/redeliver": ["POST"],
        "api/webhook-endpoints": ["GET", "POST"],
        "api/webhook-endpoints/{endpoint_id}": ["DELETE", "GET"],
        "api/webhook-endpoints/{endpoint_id}/enable": ["POST"],
        "api/webhook-endpoints/{endpoint_id}/secret": ["POST"],
        "api/calls/{call_id}/hangup": ["POST"],
        "api/calls/{call_id}/keys": ["POST"],
        "api/calls/{call_id}/language": ["POST"],
        "api/calls/{call_id}/overheard": ["GET"],
        "api/calls/{call_id}/recording": ["POST"],
        "api/calls/{call_id}/transfer": ["POST"],
        "api/knowledge/{collection}/documents": ["GET"],
        "api/knowledge/{collection}/documents/{document_id}": ["DELETE", "GET", "PUT"],
        "api/messages": ["GET"],
        "api/messages/{message_id}/handled": ["POST"],
        "api/number-allotments": ["GET"],
        "api/number-allotments/{provider}/{number}": ["DELETE", "PUT"],
        "api/spend-cap": ["GET", "PUT"],
        "api/agents": ["GET"],
        "api/agents/schema": ["GET"],
        "api/agents/{agent_id}": ["GET"],
        "api/agents/{agent_id}/draft": ["PUT"],
        "api/agents/{agent_id}/publish": ["POST"],
        "api/agents/{agent_id}/rollback": ["POST"],
        "api/agents/{agent_id}/versions": ["GET"],
        "api/agents/{agent_id}/versions/{version:int}": ["GET"],
        "api/numbers": ["GET"],
        "api/numbers/{provider}/{number}": ["DELETE", "GET", "PUT"],
        "api/outbound-policy": ["GET", "PUT"],
        "api/health/live": ["GET"],
        "api/health/ready": ["GET"],
        "api/realtime/config": ["GET"],
        "api/realtime/events/{hub}/{event}": ["OPTIONS", "POST"],
        "api/realtime/negotiate": ["POST"],
        **{
            f"api/webhooks/twilio/{door}": ["POST"]
            for door in (
                *("voice", "turn", "resume", "status", "stream-status", "amd", "recording", "transfer"),
                *("person/join", "person/told", "person/machine"),
            )
        },
        **{f"api/webhooks/connect/{door}": ["POST"] for door in ("turn", "lex", "contact-event", "gateway")},
        **{f"api/webhooks/sarvam/{door}": ["POST"] for door in ("start", "turn", "end", "result")},
        "api/webhooks/sarvam/result/{call_id}/{call_pass}": ["POST"],
        **{
            f"api/webhooks/vonage/{door}": ["GET", "POST"]  # a GET is told that it must be a POST
            for door in ("answer", "event", "turn", "transfer", "whisper")
        },
    }
    assert {route: methods for route, methods in routes.items() if route.startswith("api/")} == expected


def test_nothing_connects_and_nothing_slow_is_loaded_at_import() -> None:
    done = subprocess.run(
        [sys.executable, "-c", _BLOCKED],
        cwd=CHECKOUT,
        env={"PATH": os.environ["PATH"], "PYTHONDONTWRITEBYTECODE": "1"},
        capture_output=True,
        text=True,
        timeout=60,
        check=False,
    )
    assert done.returncode == 0, done.stderr[-2000:]
    assert done.stdout.splitlines() == ["[]", "[]"]


def test_without_settings_the_app_says_what_is_missing() -> None:
    done = subprocess.run(
        [sys.executable, "-c", _ASK],
        cwd=CHECKOUT,
        env={"PATH": os.environ["PATH"]},
        capture_output=True,
        text=True,
        timeout=60,
        check=True,
    )
    assert done.stdout.startswith("settings: PUBLIC_BASE_URL is missing; DATABASE_URL is missing")
