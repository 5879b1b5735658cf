"""The webhooks API: an administrator registers, renews, looks at the dead and sends anew; nobody else may."""

from __future__ import annotations

import json
from types import SimpleNamespace
from typing import Any

import azure.functions as func
import pytest

from functions.api import analyses, webhooks
from shared.adapters.aes_gcm.vault import AesGcmVault
from shared.adapters.safe_http.web import check_address
from shared.domain.after_call.records import AnalysisRecord, Questions, raw_purpose
from shared.domain.after_call.webhooks import DeliveryState, Event, EventKind
from shared.use_cases.after_call.edit_endpoints import EditEndpoints
from shared.use_cases.after_call.look_back import LookBack
from tests.fakes.after_calls import FakeAfterCallRecords, FakeWebhooks
from tests.fakes.clock import FakeClock
from tests.functions.conftest import Installer, assert_problem, document_of, request, user_function

URL = "https://hook.example/a"
EVERYTHING = (
    "list_webhook_endpoints",
    "add_webhook_endpoint",
    "get_webhook_endpoint",
    "delete_webhook_endpoint",
    "renew_webhook_secret",
    "enable_webhook_endpoint",
    "list_webhook_deliveries",
    "redeliver_webhook",
)


class FakeClient:
    """What is needed of the durable client: `started` keeps what was."""

    def __init__(self) -> None:
        self.started: list[tuple[str, str, Any]] = []

    async def get_status(self, instance_id: str) -> Any:
        return SimpleNamespace(runtime_status=None)

    async def start_new(self, name: str, instance_id: str, content: Any) -> None:
        self.started.append((name, instance_id, content))


@pytest.fixture
def store() -> FakeWebhooks:
    return FakeWebhooks()


@pytest.fixture
def records() -> FakeAfterCallRecords:
    return FakeAfterCallRecords(("tenant-1", "c1"), ("tenant-2", "c2"))


@pytest.fixture
def vault() -> AesGcmVault:
    return AesGcmVault({"k": b"k" * 32})


@pytest.fixture(autouse=True)
def house(install: Installer, store: FakeWebhooks, records: FakeAfterCallRecords, vault: AesGcmVault) -> None:
    after_call = SimpleNamespace(
        endpoints=EditEndpoints(store, vault, FakeClock(), check_address), look_back=LookBack(records, vault)
    )
    install(webhooks, analyses, after_call=after_call)


async def ask(
    name: str,
    document: Any = None,
    *,
    module: Any = webhooks,
    token: str | None = "admin",
    client: FakeClient | None = None,
    params: dict[str, str] | None = None,
    **route: str,
) -> func.HttpResponse:
    body = b"" if document is None else json.dumps(document).encode()
    asked = request(route={"endpoint_id": "e", "delivery_id": "d", **route}, body=body, token=token, params=params)
    function = user_function(getattr(module, name))
    more = (client or FakeClient(),) if name == "redeliver_webhook" else ()
    response: func.HttpResponse = await function(asked, *more)
    return response


async def test_the_secret_is_shown_once() -> None:
    added = await ask("add_webhook_endpoint", {"url": URL})
    assert added.status_code == 201
    made = document_of(added)
    assert made["secret"].startswith("whsec_")
    assert made["events"] == ["call.started", "call.ended", "call.analysed"]
    seen = document_of(await ask("get_webhook_endpoint", endpoint_id=made["endpoint_id"]))
    assert (seen["url"], seen["state"]) == (URL, "enabled")
    listed = document_of(await ask("list_webhook_endpoints"))
    assert listed == {"endpoints": [seen]}
    assert "whsec_" not in json.dumps([seen, listed])
    renewed = document_of(await ask("renew_webhook_secret", endpoint_id=made["endpoint_id"]))
    assert renewed["secret"] not in (made["secret"], "")
    assert renewed["key_id"] != made["key_id"]


async def test_a_dead_message_is_sent_anew(store: FakeWebhooks) -> None:
    made = document_of(await ask("add_webhook_endpoint", {"url": URL, "events": ["call.ended"]}))
    event = Event("evt", "tenant-1", "c1", EventKind.ENDED, FakeClock().now())
    (delivery_id,) = await store.tell(event, [(made["endpoint_id"], "{}")])
    await store.note("tenant-1", delivery_id, DeliveryState.DEAD, status=500, fault="http_500", most_failures=9)
    listed = document_of(await ask("list_webhook_deliveries", params={"state": "dead"}))["deliveries"]
    assert [(each["delivery_id"], each["event_id"], each["last_fault"]) for each in listed] == [
        (delivery_id, "evt", "http_500")
    ]
    assert document_of(await ask("list_webhook_deliveries", params={"state": "pending"})) == {"deliveries": []}
    client = FakeClient()
    assert (await ask("redeliver_webhook", client=client, delivery_id=delivery_id)).status_code == 202
    ((name, instance, content),) = client.started
    assert (name, instance, content["delivery_id"]) == ("deliver_webhook", f"webhook:{delivery_id}", delivery_id)
    assert document_of(await ask("list_webhook_deliveries", params={"state": "dead"})) == {"deliveries": []}


async def test_an_endpoint_is_enabled_again_and_removed(store: FakeWebhooks) -> None:
    made = document_of(await ask("add_webhook_endpoint", {"url": URL}))
    await store.disable("tenant-1", made["endpoint_id"], "gone")
    seen = document_of(await ask("get_webhook_endpoint", endpoint_id=made["endpoint_id"]))
    assert (seen["state"], seen["disabled_reason"]) == ("disabled", "gone")
    enabled = document_of(await ask("enable_webhook_endpoint", endpoint_id=made["endpoint_id"]))
    assert enabled["state"] == "enabled"
    assert (await ask("delete_webhook_endpoint", endpoint_id=made["endpoint_id"])).status_code == 204
    assert_problem(await ask("get_webhook_endpoint", endpoint_id=made["endpoint_id"]), 404, "endpoint_unknown")


@pytest.mark.parametrize(
    ("document", "code"),
    [
        ({}, "url"),
        ({"url": 1}, "url"),
        ({"url": "http://hook.example/"}, "web_address"),
        ({"url": "http://127.0.0.1/"}, "web_address"),
        ({"url": "https://a:b@hook.example/"}, "web_address"),
        ({"url": URL, "events": "call.ended"}, "events"),
        ({"url": URL, "events": []}, "events"),
        ({"url": URL, "events": ["x"]}, "events"),
        ({"url": URL, "secret": "mine"}, "unknown_field"),
    ],
)
async def test_bad_endpoints(document: Any, code: str) -> None:
    assert_problem(await ask("add_webhook_endpoint", document), 400, code)


@pytest.mark.parametrize(
    ("name", "given"),
    [("state", "lost"), ("before", "yesterday"), ("before", "2026-01-01"), ("limit", "0"), ("limit", "201")],
)
async def test_bad_questions(name: str, given: str) -> None:
    assert_problem(await ask("list_webhook_deliveries", params={name: given}), 400, name)


@pytest.mark.parametrize("name", ["get_webhook_endpoint", "delete_webhook_endpoint", "renew_webhook_secret"])
async def test_another_tenants_are_not_there(store: FakeWebhooks, vault: AesGcmVault, name: str) -> None:
    theirs, _ = await EditEndpoints(store, vault, FakeClock(), check_address).add("tenant-2", URL, ["call.ended"])
    assert_problem(await ask(name, endpoint_id=theirs.endpoint_id), 404, "endpoint_unknown")
    assert document_of(await ask("list_webhook_endpoints")) == {"endpoints": []}


@pytest.mark.parametrize("name", EVERYTHING)
@pytest.mark.parametrize(("token", "status"), [(None, 401), ("caller", 403), ("operator", 403)])
async def test_who_may_not(name: str, token: str | None, status: int) -> None:
    assert (await ask(name, {"url": URL}, token=token)).status_code == status


async def test_an_analysis(records: FakeAfterCallRecords) -> None:
    record = AnalysisRecord({"summary": "Fine."}, "", Questions("gpt", 2, 30, 4))
    await records.keep("tenant-1", "c1", analysis=record)
    seen = document_of(await ask("get_analysis", module=analyses, token="operator", call_id="c1"))
    assert (seen["state"], seen["analysis"], seen["fault"]) == ("done", {"summary": "Fine."}, None)
    assert seen["cost"] == {"model": "gpt", "questions": 2, "input_tokens": 30, "output_tokens": 4}


async def test_an_analysis_that_failed(records: FakeAfterCallRecords) -> None:
    await records.keep("tenant-1", "c1", analysis=AnalysisRecord(None, "no answer fitted"))
    seen = document_of(await ask("get_analysis", module=analyses, token="operator", call_id="c1"))
    assert (seen["state"], seen["analysis"], seen["fault"]) == ("failed", None, "no answer fitted")


async def test_what_was_really_said(records: FakeAfterCallRecords, vault: AesGcmVault) -> None:
    for tenant, call in records.calls:
        sealed = await vault.seal(b'{"turns": [{"heard": "Ann"}]}', purpose=raw_purpose(tenant, call))
        await records.keep(tenant, call, raw=sealed)
    seen = document_of(await ask("get_raw_transcript", module=analyses, call_id="c1"))
    assert seen == {"call_id": "c1", "turns": [{"heard": "Ann"}]}
    assert_problem(await ask("get_raw_transcript", module=analyses, call_id="c2"), 404, "raw_transcript_unknown")
    for token, status in ((None, 401), ("caller", 403), ("operator", 403)):
        assert (await ask("get_raw_transcript", module=analyses, token=token, call_id="c1")).status_code == status


async def test_who_may_not_see_analyses() -> None:
    assert (await ask("get_analysis", module=analyses, token="caller", call_id="c1")).status_code == 403
    assert_problem(
        await ask("get_analysis", module=analyses, token="operator", call_id="c1"), 404, "analysis_unknown"
    )
