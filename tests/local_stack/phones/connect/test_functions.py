"""Containers run the function that ships, keep warm, and are stopped when they take too long."""

from __future__ import annotations

import asyncio
import time
from pathlib import Path

import pytest

from local_stack.phones.connect.functions import FunctionError, Functions
from tests.local_stack.phones.connect.connecting import ACCOUNT, warm
from tests.services import free_port

SLOW = """
import os, sys, time
def handler(event, context):
    if event.get("die"): os._exit(3)
    if event.get("fail"): raise ValueError("no " + event["fail"])
    time.sleep(event.get("sleep_s", 0))
    return {"pid": os.getpid(), "left_ms": context.get_remaining_time_in_millis(), "env": os.environ.get("APP_URL")}
"""


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    (tmp_path / "handler.py").write_text(SLOW)
    return tmp_path


async def test_a_container_stays_warm(folder: Path) -> None:
    async with warm(Functions(folder, {"APP_URL": "http://a"})) as functions:
        first = await functions.invoke({}, 5.0)
        second = await functions.invoke({}, 5.0)
        assert first["pid"] == second["pid"]
        assert first["env"] == "http://a"
        assert 0 < first["left_ms"] <= 5000
        both = await asyncio.gather(*(functions.invoke({"sleep_s": 0.3}, 5.0) for _ in range(2)))
        assert len({each["pid"] for each in both}) == 2, "one event at a time"


async def test_one_that_takes_too_long_is_stopped(folder: Path) -> None:
    async with warm(Functions(folder, {})) as functions:
        await functions.invoke({}, 5.0)
        began = time.monotonic()
        with pytest.raises(FunctionError) as error:
            await functions.invoke({"sleep_s": 30}, 0.3)
        assert error.value.timed_out
        assert time.monotonic() - began < 3.0
        await functions.invoke({}, 5.0)


async def test_what_it_raises_is_the_invocation_s_error(folder: Path) -> None:
    async with warm(Functions(folder, {})) as functions:
        with pytest.raises(FunctionError, match="ValueError: no luck"):
            await functions.invoke({"fail": "luck"}, 5.0)
        with pytest.raises(FunctionError, match="died"):
            await functions.invoke({"die": True}, 5.0)
        await functions.invoke({}, 5.0)


async def test_the_function_that_ships(folder: Path) -> None:
    environment = {"APP_URL": f"http://127.0.0.1:{free_port()}", "APP_SECRET": "secret"}
    event = {"Name": "ContactFlowEvent", "Details": {"ContactData": {}, "Parameters": {"op": "turn", "turn": "1"}}}
    async with warm(Functions(ACCOUNT.function_dir, environment)) as functions:
        answer = await functions.invoke(event, 8.0)
    assert (answer["action"], answer["turn"]) == ("come_again", "1")
