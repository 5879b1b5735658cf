"""The figures of turns arrive over the wire, and nothing that happens to them disturbs a call."""

from __future__ import annotations

import logging
import subprocess
import sys
import threading
import time
from collections.abc import Iterator
from dataclasses import replace

import pytest

from shared.adapters.opentelemetry.destinations import Destinations
from shared.adapters.opentelemetry.turn_meter import OpenTelemetryTurnMeter
from shared.domain.call import Turn, TurnOutcome
from shared.ports.turn_meter import TurnMeter
from tests.services import CHECKOUT, free_port
from tests.shared.adapters.opentelemetry.receivers import Receiver, receiver

KEY = "00000000-0000-4000-8000-00000000000a"
TURN = Turn(
    3,
    "my secret number is +15550109999",
    "I keep it",
    TurnOutcome.INTERRUPTED,
    {
        "speech_ended_ms": 1000.0,
        "transcript_ms": 1210.0,
        "first_token_ms": 1410.0,
        "turn_ended_ms": 1540.0,
        "first_frame_sent_ms": 1543.0,
        "interrupted_ms": 2000.0,
        "cleared_ms": 2090.0,
    },
    {"takes": 2.0, "takes_withdrawn": 1.0, "fillers": 0.0},
)
GREETING = Turn(0, None, "Hello.", TurnOutcome.COMPLETED, {"first_frame_sent_ms": 1.5})


@pytest.fixture
def otlp() -> Iterator[Receiver]:
    with receiver() as heard:
        yield heard


@pytest.fixture
def insights() -> Iterator[Receiver]:
    with receiver() as heard:
        yield heard


def record(meter: TurnMeter, *turns: Turn) -> None:
    for turn in turns:
        meter.record(turn, provider="twilio", tenant_id="t1", agent_id="nora")


def connection_string(address: str) -> str:
    return f"InstrumentationKey={KEY};IngestionEndpoint={address}/;LiveEndpoint={address}/"


async def test_histograms_and_counters_arrive_at_a_collector(otlp: Receiver) -> None:
    meter = OpenTelemetryTurnMeter(Destinations(otlp_endpoint=otlp.url))
    slower = {**TURN.moments, "first_frame_sent_ms": 1640.0}
    record(meter, GREETING, TURN, replace(TURN, moments=slower))
    await meter.flush()
    metrics = otlp.metrics()
    meter.close()

    latency = metrics["voice_agent.turn.latency"]
    assert latency.unit == "ms"
    (point,) = latency.histogram.data_points
    assert (point.count, point.sum, point.min, point.max) == (2, 543 + 640, 543, 640)
    counts = dict(zip([*point.explicit_bounds, float("inf")], point.bucket_counts, strict=True))
    assert {bound: count for bound, count in counts.items() if count} == {550: 1, 650: 1}
    assert {pair.key: pair.value.string_value or pair.value.bool_value for pair in point.attributes} == {
        "voice_agent.provider": "twilio",
        "voice_agent.tenant.id": "t1",
        "voice_agent.agent.id": "nora",
        "voice_agent.speculation": True,
    }
    stages = {
        next(pair.value.string_value for pair in point.attributes if pair.key == "voice_agent.stage"): point.sum
        for point in metrics["voice_agent.turn.stage.duration"].histogram.data_points
    }
    assert stages == {"decision": 1080, "transcript": 0, "first_token": 0, "first_frame_sent": 103}
    (point,) = metrics["voice_agent.interruption.duration"].histogram.data_points
    assert (point.count, point.sum) == (2, 180)
    outcomes = {
        next(pair.value.string_value for pair in point.attributes if pair.key == "voice_agent.outcome"): point.as_int
        for point in metrics["voice_agent.turns"].sum.data_points
    }
    assert outcomes == {"completed": 1, "interrupted": 2}
    (withdrawn,) = metrics["voice_agent.takes.withdrawn"].sum.data_points
    assert withdrawn.as_double == 2
    assert "voice_agent.fillers" not in metrics


async def test_words_and_numbers_stay_here(otlp: Receiver) -> None:
    meter = OpenTelemetryTurnMeter(Destinations(otlp_endpoint=otlp.url))
    record(meter, TURN)
    await meter.flush()
    meter.close()
    for _, _, body in otlp.requests:
        assert b"nora" in body
        assert b"secret" not in body
        assert b"+1555" not in body


async def test_a_process_is_an_instance_of_the_service(otlp: Receiver, monkeypatch: pytest.MonkeyPatch) -> None:
    names = set()
    for service in ("", "telephone"):
        monkeypatch.setenv("OTEL_SERVICE_NAME", service)
        meter = OpenTelemetryTurnMeter(Destinations(otlp_endpoint=f"{otlp.url}/"))
        record(meter, TURN)
        meter.close()
        resource = otlp.resource()
        assert resource["service.name"] == (service or "voice-agent")
        names.add(resource["service.instance.id"])
    assert len(names) == 2


async def test_azure_monitor_is_told_too(otlp: Receiver, insights: Receiver, monkeypatch: pytest.MonkeyPatch) -> None:
    """`insights` stands in for Azure: it takes what the exporter sends, it does not check as Azure does."""
    monkeypatch.delenv("APPLICATIONINSIGHTS_AUTHENTICATION_STRING", raising=False)
    meter = OpenTelemetryTurnMeter(Destinations(otlp.url, connection_string(insights.url)))
    record(meter, GREETING, TURN, TURN)
    await meter.flush()
    meter.close()
    assert not [thread for thread in threading.enumerate() if thread.name.startswith("Otel")]  # nobody else is told
    assert "voice_agent.turn.latency" in otlp.metrics()
    items = insights.tracked()
    assert {item["iKey"] for item in items} == {KEY}
    latencies = [
        (metric, item["data"]["baseData"]["properties"])
        for item in items
        for metric in item["data"]["baseData"]["metrics"]
        if metric["name"] == "voice_agent.turn.latency"
    ]
    ((metric, properties),) = [told for told in latencies if told[0]["count"]]
    assert (metric["value"], metric["count"], metric["min"], metric["max"]) == (1086, 2, 543, 543)
    assert properties == {
        "voice_agent.provider": "twilio",
        "voice_agent.tenant.id": "t1",
        "voice_agent.agent.id": "nora",
        "voice_agent.speculation": "True",
    }


@pytest.mark.slow
async def test_a_collector_that_is_gone_holds_nobody_up() -> None:
    meter = OpenTelemetryTurnMeter(Destinations(otlp_endpoint=f"http://127.0.0.1:{free_port()}"))
    began = time.monotonic()
    record(meter, *[TURN] * 100)
    assert time.monotonic() - began < 0.1
    await meter.flush()
    assert time.monotonic() - began < 4.5
    meter.close()
    record(meter, TURN)
    await meter.flush()


async def test_an_address_that_is_none_is_told_once(caplog: pytest.LogCaptureFixture) -> None:
    meter = OpenTelemetryTurnMeter(Destinations(azure_monitor="not a connection string"))
    with caplog.at_level(logging.ERROR, "shared.adapters.opentelemetry"):
        record(meter, TURN, TURN)
        await meter.flush()
    meter.close()
    (line,) = [one.getMessage() for one in caplog.records if one.name.startswith("shared.adapters.opentelemetry")]
    assert "no turn will be" in line


_LOADED = """
import asyncio, sys, threading
from shared.adapters.opentelemetry.destinations import Destinations
from shared.adapters.opentelemetry.turn_meter import OpenTelemetryTurnMeter
from shared.domain.call import Turn, TurnOutcome
meter = OpenTelemetryTurnMeter(Destinations())
meter.record(Turn(1, "a", "b", TurnOutcome.COMPLETED), provider="web", tenant_id="t", agent_id="a")
asyncio.run(meter.flush())
OpenTelemetryTurnMeter(Destinations("http://localhost:1", "InstrumentationKey=x"))
print([name for name in sys.modules if name.startswith(("opentelemetry", "azure"))], threading.active_count())
"""


def test_without_a_destination_nothing_is_loaded_and_nothing_runs() -> None:
    done = subprocess.run(
        [sys.executable, "-c", _LOADED], cwd=CHECKOUT, capture_output=True, text=True, timeout=30, check=True
    )
    assert done.stdout == "[] 1\n"
