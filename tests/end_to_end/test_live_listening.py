"""A call that a person handles is listened to: both sides' words, from Connect's video stream to the app's API."""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import pytest

from shared.domain.telephony.lines import Capability, Line
from tests.end_to_end.capabilities import lines_with
from tests.end_to_end.line_calls import PERSON, TALK, number_of
from tests.end_to_end.outside import ask, introduce, least_edits, utterances
from tests.end_to_end.stack import Stack

pytestmark = [pytest.mark.slow, pytest.mark.end_to_end, pytest.mark.real_models]

LINES = lines_with(Capability.LIVE_LISTENING)
MISHEARD_WORDS = 3
"""So many words of a sentence may be wrong: two telephone lines, and a small model."""
WAYS = ["sound-with-gaps", "sound-breaks-off"]
"""Of the stream: fragments are missing, and whoever follows it is cut off again and again."""
WHOLE_WITHIN_S = 90
LOOKS_EVERY_S = 0.5


@pytest.fixture(scope="module")
def listening(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Stack]:
    """A stack whose owner wants that calls are listened to."""
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("CONNECT_LISTENING", "on")
        started = Stack.start(tmp_path_factory.mktemp("listening") / "state")
    try:
        started.seed(Path(__file__).with_name("seed.json"))
        yield started
    finally:
        started.stop()


@dataclass
class Assistant:
    """Reads on what is overheard while the call goes on."""

    stack: Stack
    token: str
    call_id: str
    seen: list[tuple[float, list[dict[str, Any]]]] = field(default_factory=list)

    async def look(self) -> list[dict[str, Any]]:
        status, document = await ask(self.stack, self.token, "GET", f"/api/calls/{self.call_id}/overheard")
        assert status == 200, document
        speeches: list[dict[str, Any]] = document["overheard"]
        return speeches

    async def watch(self) -> None:
        while True:
            self.seen.append((asyncio.get_running_loop().time(), await self.look()))
            await asyncio.sleep(LOOKS_EVERY_S)

    async def until(self, are_there: Callable[[list[dict[str, Any]]], bool]) -> list[dict[str, Any]]:
        until = asyncio.get_running_loop().time() + WHOLE_WITHIN_S
        while not are_there(speeches := await self.look()):
            assert asyncio.get_running_loop().time() < until, speeches
            await asyncio.sleep(LOOKS_EVERY_S)
        return speeches


def words_of(speeches: list[dict[str, Any]], side: str) -> str:
    return " ".join(speech["text"] for speech in speeches if speech["side"] == side)


@pytest.mark.parametrize("line", LINES, ids=str)
async def test_both_sides_are_overheard(listening: Stack, line: Line, proved: Callable[[], None]) -> None:
    """The caller is put through to a person in the third turn; what they say to each other is read all the while."""
    stack, operator = listening, listening.token("operator")
    person = f"+141555570{LINES.index(line):02d}"
    await introduce(
        stack,
        person,
        utterances=utterances(stack, PERSON),
        ring_ms=300,
        greeting_timeout_ms=500,
        reply_timeout_ms=9000,
    )
    wish = {"to": number_of(line), "from": "+14155550142", "utterances": utterances(stack, TALK)}
    patience = {"reply_timeout_ms": 30_000, "quiet_ms": 1800, "misbehaviours": WAYS}
    assistant, watching, ended_at, bridged, call_sid = None, None, 0.0, False, ""
    async for event in stack.place_call(provider=line.value, **wish, **patience):
        call_sid = call_sid or event.get("call_sid", "")
        if event["event"] == "agent_started" and event["turn"] == 1:
            record = await stack.call_record(call_sid, operator)
            assistant = Assistant(stack, operator, record["call_id"])
            status, answer = await ask(
                stack, operator, "POST", f"/api/calls/{record['call_id']}/transfer", document={"to": person}
            )
            assert status == 202, answer
            watching = asyncio.create_task(assistant.watch())
        bridged = bridged or event["event"] == "bridged"
        if event["event"] == "call_ended":
            ended_at = asyncio.get_running_loop().time()
    assert assistant is not None, "the agent has not answered"
    assert watching is not None
    watching.cancel()
    await asyncio.gather(watching, return_exceptions=True)
    assert bridged
    caller_said = [stack.voice(voice)["text"] for voice in TALK]
    person_said = stack.voice(PERSON[0])["text"]
    meanwhile = [speeches for at, speeches in assistant.seen if at < ended_at]
    assert any(words_of(speeches, "caller") and words_of(speeches, "agent") for speeches in meanwhile), "not live"

    def are_there(speeches: list[dict[str, Any]]) -> bool:
        theirs, ours = words_of(speeches, "caller"), words_of(speeches, "agent")
        return (
            all(least_edits(text, theirs) <= MISHEARD_WORDS for text in caller_said)
            and least_edits(person_said, ours) <= MISHEARD_WORDS
        )

    speeches = await assistant.until(are_there)
    assert [speech["began_ms"] for speech in speeches] == sorted(speech["began_ms"] for speech in speeches)
    last = max(speech["ended_ms"] for speech in speeches)
    path = f"/api/calls/{assistant.call_id}/overheard"
    assert (await ask(stack, operator, "GET", f"{path}?after_ms={last}"))[1]["overheard"] == []
    assert (await ask(stack, stack.token("caller"), "GET", path))[0] == 403
    proved()
