from __future__ import annotations

import json

import pytest

from local_stack.phones.g711 import SILENT_FRAME
from local_stack.phones.twilio.faults import CarrierFault, ErrorCode
from local_stack.phones.twilio.messages import Clear, Mark, Media, StreamWriter, read_app_message


def test_numbers_are_strings_and_count_from_one() -> None:
    writer = StreamWriter("AC1", "CA1", "MZ1")
    texts = [writer.connected(), writer.start({"a": "b"}), writer.media(SILENT_FRAME), writer.dtmf("5")]
    texts += [writer.media(SILENT_FRAME), writer.mark("m"), writer.stop()]
    connected, start, media, dtmf, second, mark, stop = map(json.loads, texts)
    assert connected == {"event": "connected", "protocol": "Call", "version": "1.0.0"}
    assert start == {
        "event": "start",
        "sequenceNumber": "1",
        "streamSid": "MZ1",
        "start": {
            "streamSid": "MZ1",
            "accountSid": "AC1",
            "callSid": "CA1",
            "tracks": ["inbound"],
            "customParameters": {"a": "b"},
            "mediaFormat": {"encoding": "audio/x-mulaw", "sampleRate": 8000, "channels": 1},
        },
    }
    assert {key: media["media"][key] for key in ("track", "chunk", "timestamp")} == {
        "track": "inbound",
        "chunk": "1",
        "timestamp": "20",
    }
    assert len(media["media"]["payload"]) == 216
    assert dtmf["dtmf"] == {"track": "inbound_track", "digit": "5"}
    assert (second["sequenceNumber"], second["media"]["chunk"]) == ("4", "2")
    assert (mark["mark"], mark["sequenceNumber"]) == ({"name": "m"}, "5")
    assert stop["stop"] == {"accountSid": "AC1", "callSid": "CA1"}


def test_reads_the_three_messages_of_an_app() -> None:
    assert read_app_message('{"event":"media","streamSid":"MZ1","media":{"payload":"//8="}}', "MZ1") == Media(
        b"\xff\xff"
    )
    assert read_app_message('{"event":"mark","streamSid":"MZ1","mark":{"name":"a"}}', "MZ1") == Mark("a")
    assert read_app_message('{"event":"clear","streamSid":"MZ1"}', "MZ1") == Clear()


@pytest.mark.parametrize(
    "text",
    [
        "hello",
        "[" * 100_000,
        "[]",
        '"media"',
        '{"event":"start","streamSid":"MZ1"}',
        '{"event":["media"],"streamSid":"MZ1"}',
        '{"event":"media","media":{"payload":"//8="}}',
        '{"event":"media","streamSid":"MZ2","media":{"payload":"//8="}}',
        '{"event":"media","streamSid":"MZ1","media":{"payload":"//8"}}',
        '{"event":"media","streamSid":"MZ1","media":{"payload":"%%%%"}}',
        '{"event":"media","streamSid":"MZ1","media":{"payload":7}}',
        '{"event":"media","streamSid":"MZ1","media":{"payload":"//8=","track":"x"}}',
        '{"event":"media","streamSid":"MZ1","media":{"payload":"//8="},"more":1}',
        '{"event":"mark","streamSid":"MZ1"}',
        '{"event":"mark","streamSid":"MZ1","mark":"a"}',
        '{"event":"clear","streamSid":"MZ1","clear":{}}',
    ],
)
def test_anything_else_is_an_invalid_message(text: str) -> None:
    with pytest.raises(CarrierFault) as caught:
        read_app_message(text, "MZ1")
    assert caught.value.code is ErrorCode.STREAM_INVALID_MESSAGE
