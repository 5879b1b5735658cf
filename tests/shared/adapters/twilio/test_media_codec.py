"""A call's own time, over the streams that follow one another in it."""

from __future__ import annotations

import base64

from shared.adapters.twilio.media_codec import TwilioFrameDecoder

SOUND = base64.b64encode(b"\xff" * 160).decode()


def frame(timestamp_ms: int) -> bytes:
    return (
        f'{{"event":"media","sequenceNumber":"3","media":{{"track":"inbound","chunk":"1",'
        f'"timestamp":"{timestamp_ms}","payload":"{SOUND}"}}}}'
    ).encode()


def times(decoder: TwilioFrameDecoder, *timestamps_ms: int) -> list[int]:
    return [decoder.decode(frame(timestamp_ms)).at_ms for timestamp_ms in timestamps_ms]


def test_one_stream_keeps_its_time() -> None:
    assert times(TwilioFrameDecoder(), 20, 40, 60, 40, 5000, 4100) == [20, 40, 60, 40, 5000, 4100]


def test_the_next_stream_goes_on_where_the_call_had_come() -> None:
    assert times(TwilioFrameDecoder(), 20, 8000, 20, 40, 9000, 0, 20) == [20, 8000, 8000, 8020, 16980, 16980, 17000]


def test_a_turn_that_begins_in_the_next_stream() -> None:
    assert times(TwilioFrameDecoder(8000), 20, 40) == [8000, 8020]
    assert times(TwilioFrameDecoder(8000), 8000, 8020) == [8000, 8020]
