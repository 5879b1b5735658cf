"""NCCO are read as strictly as Vonage reads them."""

from __future__ import annotations

import json
from typing import Any

import pytest

from local_stack.phones.vonage import ncco
from local_stack.phones.vonage.faults import VonageFault

TALK = {"action": "talk", "text": "Hello."}
INPUT = {"action": "input", "type": ["speech"], "eventUrl": ["https://a.example/turn"]}
SOCKET = {"type": "websocket", "uri": "wss://a.example/s", "content-type": "audio/l16;rate=16000"}


def connect(**endpoint: Any) -> dict[str, Any]:
    return {"action": "connect", "from": "15550100014", "endpoint": [{**SOCKET, **endpoint}]}


def test_what_is_good_is_read() -> None:
    actions = ncco.parse(json.dumps([{**TALK, "bargeIn": True}, INPUT, connect(), {"action": "wait"}]).encode())
    talk, listen, socket, wait = actions
    assert talk == ncco.Talk("Hello.", barge_in=True, language="en-US")
    assert isinstance(listen, ncco.Input)
    assert (listen.wants_speech, listen.wants_keys, listen.url) == (True, False, "https://a.example/turn")
    assert isinstance(socket, ncco.Connect)
    assert wait == ncco.Wait(10)
    assert ncco.parse(b"[]") == []


@pytest.mark.parametrize(
    "document",
    [
        {},
        [7],
        [{"action": "sing"}],
        [{**TALK, "text": ""}],
        [{**TALK, "text": "x" * 1501}],
        [{**TALK, "colour": "red"}],
        [{**TALK, "bargeIn": True}],
        [{**TALK, "bargeIn": True}, {"action": "wait"}],
        [{**INPUT, "type": []}],
        [{**INPUT, "eventUrl": "https://a.example"}],
        [{**INPUT, "eventMethod": "GET"}],
        [{**INPUT, "speech": {"endOnSilence": 0.1}}],
        [{**INPUT, "dtmf": {"maxDigits": 21}}],
        [{"action": "wait", "timeout": 0}],
        [{"action": "notify", "payload": {}}],
        [connect(uri="https://a.example")],
        [connect(**{"content-type": "audio/l16;rate=44100"})],
        [connect(headers={"x": "y" * 600})],
        [connect(authorization={"type": "basic"})],
        [connect(type="sip")],
        [{"action": "connect", "endpoint": [{"type": "phone", "number": "+15550100014"}]}],
        [{"action": "connect", "from": "15550100014", "endpoint": [SOCKET, SOCKET]}],
    ],
    ids=str,
)
def test_what_is_not_is_refused_before_any_of_it_is_done(document: Any) -> None:
    with pytest.raises(VonageFault) as fault:
        ncco.read(document)
    assert fault.value.code == "ncco"


@pytest.mark.parametrize("body", [b"", b"x", b"[" * 5000, b" " * (ncco.MAX_BYTES + 1)])
def test_what_is_no_json_is_refused(body: bytes) -> None:
    with pytest.raises(VonageFault):
        ncco.parse(body)
