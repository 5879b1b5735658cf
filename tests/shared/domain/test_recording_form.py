"""A recording in a multipart form is read by others as it was meant."""

from __future__ import annotations

import io
import wave
from email import message_from_bytes

from shared.domain.recording_form import content_type, recording_form


def test_fields_and_sound() -> None:
    pcm = bytes(range(256)) * 10
    body = recording_form("border", {"model": "ear", "language": "hi"}, pcm)
    message = message_from_bytes(f"Content-Type: {content_type('border')}\r\n\r\n".encode() + body)
    *fields, file = message.get_payload()
    named = {part.get_param("name", header="content-disposition"): part.get_payload() for part in fields}
    assert named == {"model": "ear", "language": "hi"}
    assert file.get_param("name", header="content-disposition") == "file"
    begin = body.index(b"RIFF")
    with wave.open(io.BytesIO(body[begin : begin + 44 + len(pcm)])) as wav:
        assert (wav.getframerate(), wav.getnchannels(), wav.getsampwidth()) == (16_000, 1, 2)
        assert wav.readframes(10_000) == pcm
    assert body.endswith(b"\r\n--border--\r\n")
