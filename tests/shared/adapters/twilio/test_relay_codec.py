"""ConversationRelay's messages in both directions, and what is none."""

from __future__ import annotations

import json
from collections.abc import Mapping

import pytest
from hypothesis import given
from hypothesis import strategies as st

from shared.adapters.twilio import relay_codec
from shared.adapters.twilio.relay_codec import Fault, Interrupt, Key, Passed, Prompt, RelayMessage, Setup
from shared.adapters.twilio.text_channel import TwilioTextChannel
from shared.domain.errors import InvalidRequest

SETUP = {
    "type": "setup",
    "sessionId": "VX1",
    "accountSid": "AC1",
    "callSid": "CA1",
    "callStatus": "RINGING",
    "customParameters": {"ticket": "t", "number": 5},
}


@pytest.mark.parametrize(
    ("message", "expected"),
    [
        (SETUP, Setup("VX1", "AC1", "CA1", {"ticket": "t"})),
        ({"type": "setup", "customParameters": ["x"]}, Setup("", "", "", {})),
        (
            {"type": "prompt", "voicePrompt": "Hi.", "lang": "en-US", "last": True},
            Prompt("Hi.", "en-US", is_last=True),
        ),
        ({"type": "prompt", "voicePrompt": "H", "last": False}, Prompt("H", "", is_last=False)),
        ({"type": "prompt", "voicePrompt": 5}, Prompt("", "", is_last=True)),
        (
            {"type": "interrupt", "utteranceUntilInterrupt": "Sure", "durationUntilInterruptMs": "820"},
            Interrupt("Sure"),
        ),
        ({"type": "interrupt"}, Interrupt("")),
        ({"type": "dtmf", "digit": "#"}, Key("#")),
        ({"type": "error", "description": "Invalid message"}, Fault("Invalid message")),
        ({"type": "info", "name": "clientSpeaking", "value": "on"}, Passed("info")),
        ({"type": "new"}, Passed("new")),
        ({}, Passed("")),
        ({"type": ["x"]}, Passed("")),
        ({"type": "prompt", "voicePrompt": "\ud800"}, Prompt("?", "", is_last=True)),
    ],
    ids=repr,
)
def test_what_twilio_says(message: dict[str, object], expected: RelayMessage) -> None:
    assert relay_codec.read(json.dumps(message).encode()) == expected


@pytest.mark.parametrize("body", [b"", b"[]", b"5", b"{", b"\xff", b"[" * 60_000])
def test_what_is_no_message(body: bytes) -> None:
    with pytest.raises(InvalidRequest):
        relay_codec.read(body)


@pytest.mark.parametrize("digit", ["", "12", "x", None, 5])
def test_what_is_no_key(digit: object) -> None:
    with pytest.raises(InvalidRequest):
        relay_codec.read(json.dumps({"type": "dtmf", "digit": digit}).encode())


@given(
    st.binary(max_size=200)
    | st.recursive(st.none() | st.text() | st.integers(), st.lists).map(json.dumps).map(str.encode)
)
def test_bytes_of_any_kind(body: bytes) -> None:
    try:
        relay_codec.read(body)
    except InvalidRequest:
        return


@given(
    st.fixed_dictionaries(
        {"type": st.sampled_from(["setup", "prompt", "interrupt", "dtmf", "error", "info"])},
        optional={
            name: st.none() | st.text() | st.integers() | st.lists(st.text())
            for name in ("voicePrompt", "lang", "last", "digit", "utteranceUntilInterrupt", "customParameters")
        },
    )
)
def test_messages_with_fields_of_any_kind(message: dict[str, object]) -> None:
    try:
        relay_codec.read(json.dumps(message).encode())
    except InvalidRequest:
        return


class Line:
    """Keeps what was sent."""

    def __init__(self) -> None:
        self.sent: list[object] = []

    async def send_text(self, text: str) -> None:
        self.sent.append(json.loads(text))

    async def send_json(self, document: Mapping[str, object]) -> None:
        raise AssertionError("a relay's messages are written by its codec")

    async def close(self, reason: str) -> None:
        self.sent.append(reason)


async def test_what_twilio_is_told() -> None:
    line = Line()
    channel = TwilioTextChannel(line)
    await channel.say("Sure,", is_last=False, language="en")
    await channel.say("which day? ", is_last=False)
    await channel.say("नमस्ते", is_last=True, language="hi-IN")
    await channel.say("", is_last=True, language="no such language")
    await channel.play("https://cdn.example.com/hold.mp3", loop=2)
    await channel.send_keys("1ww#")
    await channel.switch_language("hi")
    await channel.switch_language("no such language")
    await channel.end('{"reason":"human"}')
    await channel.end()
    assert line.sent == [
        {"type": "text", "token": "Sure, ", "last": False, "lang": "en-US"},
        {"type": "text", "token": "which day? ", "last": False},
        {"type": "text", "token": "नमस्ते", "last": True, "lang": "hi-IN"},
        {"type": "text", "token": "", "last": True},
        {"type": "play", "source": "https://cdn.example.com/hold.mp3", "loop": 2},
        {"type": "sendDigits", "digits": "1ww#"},
        {"type": "language", "ttsLanguage": "hi-IN", "transcriptionLanguage": "hi-IN"},
        {"type": "end", "handoffData": '{"reason":"human"}'},
        {"type": "end"},
    ]
