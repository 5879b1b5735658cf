"""Agents act through their company's systems in real calls: signed, once, confirmed, never where they must not."""

from __future__ import annotations

import asyncio
import hashlib
import json
import socket
from collections.abc import AsyncIterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import aiohttp
import pytest
import pytest_asyncio
from yarl import URL

from shared.adapters.safe_http.addresses import is_public
from tests.end_to_end import desk
from tests.end_to_end.company import Company
from tests.end_to_end.line_calls import POLICY
from tests.end_to_end.outside import ask, introduce
from tests.end_to_end.scripted_service import ScriptedService
from tests.end_to_end.stack import Stack
from tests.end_to_end.typed_calls import ACME, Line, TypedCall, publish, typed_call

pytestmark = [pytest.mark.slow, pytest.mark.end_to_end, pytest.mark.asyncio(loop_scope="module")]

REGULAR, SUSPICIOUS, REFUNDED, CHARGED = (f"+1415555040{n}" for n in range(1, 5))
MS_PER_CHARACTER = 25
HANGING_UP, PUTTING_THROUGH = ("twilio", *desk.BY_TURNS), ("twilio", "connect")


@dataclass
class Story:
    """All calls of these tests but those of the crash, and where they were seen."""

    stack: Stack
    operator: str
    company: Company
    looked_up: TypedCall
    looked_after: TypedCall
    sent_away: TypedCall
    troubled: tuple[dict[str, Any], dict[str, Any]]
    hung_up: dict[str, tuple[dict[str, Any], dict[str, Any]]]
    """By line, like those who were put through."""
    put_through: dict[str, tuple[dict[str, Any], dict[str, Any]]]
    neighbours: int
    """How often somebody came to an address of this machine that is not for tools."""


@pytest_asyncio.fixture(scope="module", loop_scope="module")
async def company() -> AsyncIterator[Company]:
    async with Company().serving() as company:
        yield company


@pytest_asyncio.fixture(scope="module", loop_scope="module")
async def story(scripted_stack: Stack, scripted_operator: str, company: Company) -> Story:
    stack, operator, admin = scripted_stack, scripted_operator, scripted_stack.token("admin")
    came: list[asyncio.StreamWriter] = []
    neighbour = await asyncio.start_server(lambda _, writer: came.append(writer), own_address(), 0)
    place = "{}:{}/".format(*neighbour.sockets[0].getsockname()[:2])
    company.slow, company.fails, company.elsewhere = {"archive": 2.5, "bell": 5.0}, {"meter": 500}, f"http://{place}"
    document = desk.document(company, f"https://{place}")
    numbers = {"twilio-relay": desk.TYPED, "twilio": desk.SPOKEN, **desk.BY_TURNS}
    await publish(stack, "desk", document, on=[(numbers[line], line) for line in numbers], admin=admin)
    assert (await ask(stack, admin, "PUT", "/api/outbound-policy", document=POLICY))[0] == 200
    await introduce(stack, desk.PERSON, speaks=False, ring_ms=300)
    await ScriptedService(stack.speech_url).give(desk.DIALOGUE, tts_ms_per_char=MS_PER_CHARACTER)

    async def typed(lines: tuple[str, ...], caller: str) -> TypedCall:
        return await typed_call(stack, desk.TYPED, lines, caller=caller, operator=operator)

    async def regular() -> tuple[TypedCall, TypedCall]:
        return await typed(desk.LOOKS_UP, REGULAR), await typed(desk.LOOKS_AFTER, REGULAR)

    async def spoken(lines: tuple[str, ...], line: str = "twilio") -> tuple[dict[str, Any], dict[str, Any]]:
        said = [{"file": stack.voice(desk.VOICES[words])["file"], "text": words} for words in lines]
        # A caller who says one thing waits at the end for what the agent does.
        wish = {"provider": line, "to": numbers[line], "utterances": said, "quiet_ms": 8000 // len(said)}
        result = await stack.call(**wish, reply_timeout_ms=15_000, max_call_ms=90_000)
        return result, await stack.ended_call(result["call_sid"], operator)

    (looked_up, looked_after), sent_away, troubled, *ended = await asyncio.gather(
        regular(),
        typed(desk.GOES_ASTRAY, SUSPICIOUS),
        spoken(desk.TROUBLE),
        *(spoken(desk.PUTS_THROUGH, line) for line in PUTTING_THROUGH),
        *(spoken(desk.HANGS_UP, line) for line in HANGING_UP),
    )
    neighbour.close()
    return Story(
        stack,
        operator,
        company,
        looked_up,
        looked_after,
        sent_away,
        troubled,
        dict(zip(HANGING_UP, ended[len(PUTTING_THROUGH) :], strict=True)),
        dict(zip(PUTTING_THROUGH, ended, strict=False)),
        len(came),
    )


def own_address() -> str:
    """One of this machine's that is private and no loopback, where it has one."""
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as probe:
        try:
            probe.connect(("203.0.113.1", 9))
        except OSError:
            return "127.0.0.1"
        own = str(probe.getsockname()[0])
        return "127.0.0.1" if is_public(own) else own


async def at_the_carrier(stack: Stack, path: str) -> dict[str, Any]:
    """What its REST API has of the account."""
    account, token = stack.secrets["twilio_account_sid"], stack.secrets["twilio_auth_token"]
    headers = {"Authorization": aiohttp.encode_basic_auth(account, token)}
    url = f"http://localhost:{stack.ports['phones']}/2010-04-01/Accounts/{account}/{path}"
    async with aiohttp.ClientSession() as session, session.get(URL(url, encoded=True), headers=headers) as response:
        assert response.status == 200, await response.text()
        document: dict[str, Any] = await response.json()
        return document


async def test_a_signed_tool_is_called_and_its_answer_is_said(story: Story) -> None:
    assert story.looked_up.said[1] == "It is order with A1234."
    (asked,) = story.company.of("order")
    assert (asked.arguments, asked.is_signed) == ({"number": "A1234"}, True)
    record, claims = story.looked_up.record, asked.claims
    assert claims is not None
    assert claims["url"] == f"{story.company.url}/order"
    assert claims["body_sha256"] == hashlib.sha256(asked.body).hexdigest()
    seen = tuple(claims[name] for name in ("caller", "call_id", "tenant_id", "tool", "jti"))
    assert seen == (REGULAR, record["call_id"], ACME, "look_up_order", asked.key)
    assert story.looked_up.turns[1]["costs"]["tool_calls"] == 1


async def test_an_operation_of_an_api_document_is_called(story: Story) -> None:
    assert story.looked_up.said[2] == "They are open: opening with friday, 7."
    (asked,) = story.company.of("opening")
    assert (asked.arguments, asked.is_signed) == ({"day": "friday", "number": "7"}, True)


async def test_a_tool_of_an_mcp_server_is_called(story: Story) -> None:
    assert story.looked_up.said[3] == "There is half past nine."
    assert [asked.arguments for asked in story.company.of("free_slots")] == [{"day": "2027-05-04"}]


async def test_a_filler_is_heard_while_a_slow_tool_runs(story: Story) -> None:
    result, record = story.troubled
    turn, line = record["turns"][1], result["turns"][1]
    assert turn["said"] == f"{desk.FILLER} I have found archive with nothing."
    assert line["first_heard_ms"] < story.company.answered_ms["archive"] - 500
    assert line["heard_ms"] >= len(turn["said"]) * MS_PER_CHARACTER - 300


async def test_of_a_tool_that_fails_the_caller_is_told_and_the_call_goes_on(story: Story) -> None:
    said = [turn["said"] for turn in story.troubled[1]["turns"]]
    assert "I cannot read it: it did not answer" in said[2]
    assert "The bell: nobody knows whether this was done." in said[3]
    assert said[4] == "It is noon."
    assert len(story.company.of("bell")) == 1, "what may have been done is not done again"
    assert {turn["outcome"] for turn in story.troubled[1]["turns"]} == {"completed"}


@pytest.mark.parametrize("line", HANGING_UP)
async def test_who_hangs_up_is_heard_before(story: Story, line: str) -> None:
    result, record = story.hung_up[line]
    assert record["end_reason"] == "agent_hung_up"
    assert (record["turns"][1]["said"], record["turns"][1]["outcome"]) == (desk.GOODBYE, "completed")
    assert result["turns"][1]["heard_ms"] >= len(desk.GOODBYE) * MS_PER_CHARACTER - 200


async def test_a_caller_is_put_through(story: Story) -> None:
    result, record = story.put_through["twilio"]
    assert record["end_reason"] == "transferred"
    assert result["turns"][1]["heard_ms"] >= len(desk.PUTTING_THROUGH) * MS_PER_CHARACTER - 200
    legs = (await at_the_carrier(story.stack, f"Calls.json?To={desk.PERSON.replace('+', '%2B')}"))["calls"]
    assert [leg["parent_call_sid"] for leg in legs] == [result["call_sid"]]


async def test_a_line_that_is_told_with_the_answer_puts_through_after_its_words(story: Story) -> None:
    result, record = story.put_through["connect"]
    assert record["end_reason"] == "transferred"
    events = json.loads(Path(result["files"]["events"]).read_text())["events"]
    at_ms = {event["event"]: event["at_ms"] for event in events}
    assert 0 < at_ms["dialled"] - result["turns"][1]["first_heard_ms"] < 5_000, "before the caller says a word"


async def test_a_text_message_goes_to_the_caller_alone(story: Story) -> None:
    (message,) = (await at_the_carrier(story.stack, f"Messages.json?To={REGULAR.replace('+', '%2B')}"))["messages"]
    assert (message["to"], message["from"], message["body"]) == (REGULAR, desk.TYPED, "Elm Road 3")


async def test_what_is_promised_is_kept(story: Story) -> None:
    call_id = story.looked_after.record["call_id"]
    _, found = await ask(story.stack, story.operator, "GET", "/api/callbacks?state=planned")
    (planned,) = [each for each in found["callbacks"] if each["promised_in"] == call_id]
    assert (planned["to"], planned["from"], planned["reason"]) == (REGULAR, desk.TYPED, "the bill")
    path = f"/api/callbacks/{planned['callback_id']}"
    assert (await ask(story.stack, story.operator, "DELETE", path))[0] == 204
    _, taken = await ask(story.stack, story.operator, "GET", "/api/messages?state=open")
    (message,) = [each for each in taken["messages"] if each["call_id"] == call_id]
    assert (message["from"], message["text"], message["is_urgent"]) == (REGULAR, "The lamp is broken.", True)
    assert story.looked_after.said[4] == "Yes: caller_hung_up."


async def test_where_no_tool_may_go_none_goes(story: Story) -> None:
    assert story.company.of("elsewhere"), "it was asked, and its answer not followed"
    for answer in story.sent_away.said[1:]:
        assert answer.startswith("I cannot: "), story.sent_away.said
        assert "nothing" not in answer
    assert story.neighbours == 0


async def test_what_cannot_be_undone_is_done_once_after_a_yes_and_through_a_crash(story: Story) -> None:
    stack, company = story.stack, story.company
    company.slow = {"refund": 8.0, "charge": 8.0}

    async def nothing_is_done() -> None:
        assert not company.of("refund") + company.of("charge")

    async def crash() -> None:
        await company.until_asked("refund")
        await company.until_asked("charge")
        await asyncio.to_thread(stack.command, "kill", "app")
        company.slow = {}
        await asyncio.to_thread(stack.command, "start", "app")

    refund = (desk.REFUND, Line(desk.YES, nothing_is_done, crash), desk.ANOTHER, desk.NO)
    charge = (desk.CHARGE, Line(desk.YES_CHARGE, nothing_is_done))
    refunded, charged = await asyncio.gather(
        typed_call(stack, desk.TYPED, refund, caller=REFUNDED, operator=story.operator, listens=False),
        typed_call(stack, desk.TYPED, charge, caller=CHARGED, operator=story.operator, listens=False),
    )
    asked = company.of("refund")
    assert len({each.key for each in asked}) == 1
    assert len(asked) == 2, "the one that was broken off, and again with the same key"
    assert all(each.is_signed and each.arguments == {"number": "A1234"} for each in asked)
    assert refunded.said[2:] == ["Done: refund with A1234.", "Shall I? false", "It is not done: false"]
    assert len(company.of("charge")) == 1, "what must not be sent again is not"
    assert charged.said[2].startswith("Well: nobody knows whether this was done.")
    assert sorted(company.done.values()).count("refund") == sorted(company.done.values()).count("charge") == 1
    assert "Traceback" not in stack.log_of("app")
