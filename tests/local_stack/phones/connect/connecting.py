"""An app for the simulator as our function brings things to it, and contacts that call it."""

from __future__ import annotations

import dataclasses
from collections.abc import AsyncIterator, Mapping
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from local_stack.phones.connect.account import Account
from local_stack.phones.connect.call import ConnectCall
from local_stack.phones.connect.flow import read_flow
from local_stack.phones.connect.functions import FunctionError, Functions
from local_stack.phones.connect.options import ContactOptions
from local_stack.phones.connect.video_streams import VideoStreams
from local_stack.phones.conversation import Plan
from local_stack.phones.people import CalledPerson
from tests.local_stack.phones.clocks import FastClock
from tests.local_stack.phones.spoken_words import ToneSpeech
from tests.local_stack.phones.twilio.voice_app import spoken

ACCOUNT = Account(
    "arn:aws:connect:us-east-1:000000000000:instance/00000000-0000-4000-8000-00000000c0de",
    "flow-1", "AKIALOCAL", "key", "secret",
)  # fmt: skip
PLAN = Plan(quiet_ms=400, greeting_timeout_ms=4_000, reply_timeout_ms=15_000)
BLANK = {
    "op": "turn", "told": "0", "words": "", "keys": "", "tries": "0", "dest": "", "ring_s": "", "dtmf": "",
    "interruptible": "true", "answered": "", "polly_voice": "Joanna", "polly_engine": "neural",
    "polly_language": "en-US",
}  # fmt: skip


@dataclass
class ScriptedFunctions(Functions):
    """Stands in for the function: `answers` in turn to the flow, `hooks` in turn to the bot, the last again."""

    folder: Path = Path()
    environment: Mapping[str, str] = field(default_factory=dict)
    answers: list[Any] = field(default_factory=list)
    hooks: list[Any] = field(default_factory=list)
    flow: list[dict[str, Any]] = field(default_factory=list)
    lex: list[dict[str, Any]] = field(default_factory=list)
    events: list[dict[str, Any]] = field(default_factory=list)

    async def invoke(self, event: Mapping[str, Any], limit_s: float, request_id: str = "") -> Any:
        given = dict(event)
        if given.get("source") == "aws.connect":
            self.events.append(given["detail"])
            return {}
        asked, script = (self.lex, self.hooks) if "sessionState" in given else (self.flow, self.answers)
        asked.append(given)
        answer = script[min(len(asked), len(script)) - 1]
        if callable(answer):
            answer = answer(given)
        if isinstance(answer, FunctionError):
            raise answer
        return answer

    @property
    def parameters(self) -> list[dict[str, str]]:
        return [event["Details"]["Parameters"] for event in self.flow]

    @property
    def kinds(self) -> list[str]:
        return [detail["eventType"] for detail in self.events]


def say(text: str, action: str = "say_and_listen", **more: str) -> dict[str, str]:
    ssml = f"<speak>{text}</speak>" if text else '<speak><break time="200ms"/></speak>'
    return {**BLANK, "action": action, "mode": "turn", "turn": "1", "text": text, "ssml": ssml, **more}


def heard(event: dict[str, Any]) -> dict[str, Any]:
    """The hook of a bot that only listens."""
    words, is_keys = event["inputTranscript"], event["inputMode"] == "DTMF"
    given = {"words": "" if is_keys else words, "keys": words if is_keys else "", "next": "turn"}
    return hook("", "Close", event, **given)


def hook(text: str, kind: str, event: dict[str, Any], **attributes: str) -> dict[str, Any]:
    state = event["sessionState"]
    content = text or '<speak><break time="20ms"/></speak>'
    return {
        "sessionState": {
            "sessionAttributes": state["sessionAttributes"] | attributes,
            "dialogAction": {"type": kind},
            "intent": {**state["intent"], "state": "Fulfilled"},
        },
        "messages": [{"contentType": "PlainText" if text else "SSML", "content": content}],
    }


def contact(
    functions: ScriptedFunctions,
    *,
    speech: ToneSpeech | None = None,
    people: dict[str, CalledPerson] | None = None,
    account: Account = ACCOUNT,
    streams: VideoStreams | None = None,
    speed: float = 5.0,
    state_dir: Path | None = None,
    **changes: Any,
) -> ConnectCall:
    options = ContactOptions(
        customer="+14155550100",
        system="+15550100016",
        app_url="http://localhost:1",
        utterances=(spoken(0.5), spoken(0.6)),
        plan=PLAN,
    )
    options = dataclasses.replace(options, **changes)
    flow = read_flow(account.flow_file)
    if options.gateway_number:
        flow = read_flow(account.gateway_flow_file, GATEWAY_NUMBER=options.gateway_number)
    return ConnectCall(
        account,
        options,
        flow=flow,
        functions=functions,
        streams=streams or VideoStreams(account),
        speech=speech or ToneSpeech(),
        people=people or {},
        state_dir=state_dir,
        clock=FastClock(speed),
    )


@asynccontextmanager
async def warm(functions: Functions) -> AsyncIterator[Functions]:
    try:
        yield functions
    finally:
        await functions.close()
