"""The REST APIs of AWS as the app's own adapters use them, over HTTP, signed and checked."""

from __future__ import annotations

import asyncio
import itertools
import time
from collections.abc import AsyncIterator
from contextlib import aclosing, asynccontextmanager, suppress
from dataclasses import dataclass, replace
from datetime import UTC, datetime, timedelta
from typing import Any

import httpx
import pytest
from aiohttp import web
from aiohttp.test_utils import TestServer

from local_stack.phones.connect import rest
from local_stack.phones.connect.book import ContactBook
from local_stack.phones.conversation import Plan
from local_stack.phones.exchange import Setup
from local_stack.phones.people import CalledPerson, Callee
from shared.adapters.connect.aws_api import AwsApi, AwsRefused
from shared.adapters.connect.call_control import ConnectCallControl
from shared.adapters.connect.live_sound import ConnectLiveSound
from shared.adapters.connect.sigv4 import AwsKeys
from shared.domain.errors import Conflict, MediaError, TelephonyError
from shared.domain.telephony.commands import Dial
from shared.domain.telephony.progress import CallState
from shared.ports.live_sound import Side, SoundPiece, SoundSource
from tests.local_stack.phones.connect.connecting import ACCOUNT, PLAN, ScriptedFunctions, heard, say
from tests.local_stack.phones.spoken_words import ToneSpeech
from tests.local_stack.phones.twilio.voice_app import spoken

DIAL = Dial("attempt-1", "call-1", "+14155550177", "+15550100016")
LISTENER = Plan(speaks=False)


@dataclass
class House:
    book: ContactBook
    url: str
    functions: ScriptedFunctions

    def api(self, **changes: Any) -> AwsApi:
        keys = AwsKeys(ACCOUNT.access_key_id, ACCOUNT.secret_access_key)
        given: dict[str, Any] = {"keys": keys, "region": "us-east-1", "now": lambda: datetime.now(UTC)}
        return AwsApi(**{**given, "base_url": self.url, **changes})

    @property
    def control(self) -> ConnectCallControl:
        return ConnectCallControl(self.api(), instance_id=ACCOUNT.instance_id, flow_id=ACCOUNT.flow_id)

    def sound(self, silence_s: float = 20.0) -> ConnectLiveSound:
        return ConnectLiveSound(self.api(), instance_id=ACCOUNT.instance_id, silence_s=silence_s)

    async def until_answered(self, contact_id: str) -> None:
        async with asyncio.timeout(5):
            while (entry := self.book.find(contact_id)) is None or not entry.call.contact.external:
                await asyncio.sleep(0.01)


@pytest.fixture
async def house() -> AsyncIterator[House]:
    people = {DIAL.to: CalledPerson(ring_ms=20, plan=LISTENER)}
    book = ContactBook(ACCOUNT, Setup({}, "http://localhost:1", None, ToneSpeech(), people))
    functions = ScriptedFunctions(answers=[say("Hello there, " * 20)], hooks=[heard])
    book._functions["http://localhost:1"] = functions
    async with served(book) as url:
        yield House(book, url, functions)


@asynccontextmanager
async def served(book: ContactBook) -> AsyncIterator[str]:
    app = web.Application()
    rest.add_routes(app, book)
    server = TestServer(app)
    await server.start_server()
    try:
        yield f"http://127.0.0.1:{server.port}"
    finally:
        await book.close()
        await server.close()


async def test_a_call_from_dialling_to_its_end(house: House) -> None:
    control = house.control
    contact_id = await control.dial(DIAL)
    assert await control.dial(DIAL) == contact_id, "one attempt makes one call"
    assert await control.find_dialled(DIAL) == contact_id
    assert len(house.book.entries) == 1
    await house.until_answered(contact_id)
    data = house.functions.flow[0]["Details"]["ContactData"]
    assert data["Attributes"] == {"voice_agent_call": "call-1"}
    assert await control.state_of(contact_id) is CallState.IN_PROGRESS
    await control.record(contact_id, on=True)
    assert house.book.entries[0].call.contact.ivr_recording == "AVAILABLE"
    await control.record(contact_id, on=False)
    await control.record(contact_id, on=False)
    assert house.book.entries[0].call.contact.ivr_recording == "SUSPENDED"
    await control.record(contact_id, on=True)
    assert house.book.entries[0].call.contact.ivr_recording == "AVAILABLE"
    await control.hang_up(contact_id)
    await house.book.entries[0].task
    await control.hang_up(contact_id)
    assert await control.state_of(contact_id) is CallState.COMPLETED
    with pytest.raises(Conflict):
        await control.record(contact_id, on=True)


async def test_a_dial_whose_answer_is_lost_is_the_same_contact(house: House) -> None:
    lost = CalledPerson(
        ring_ms=20, plan=LISTENER, misbehaviours=frozenset({"dial-answer-lost", "of-another-provider"})
    )
    house.book.setup.people[DIAL.to] = lost
    impatient = house.api(deadline_s=0.3)
    control = ConnectCallControl(impatient, instance_id=ACCOUNT.instance_id, flow_id=ACCOUNT.flow_id)
    contact_id = await control.dial(DIAL)
    (entry,) = house.book.entries
    assert entry.call.contact.contact_id == contact_id
    asked = [event.facts["answered"] for event in entry.call.log.events if event.name == "dial_asked"]
    assert asked == [False, True]


async def test_a_call_that_nobody_takes(house: House) -> None:
    house.book.setup.people[DIAL.to] = CalledPerson(Callee.NO_ANSWER, ring_ms=20)
    contact_id = await house.control.dial(DIAL)
    await house.book.entries[0].task
    assert await house.control.state_of(contact_id) is CallState.NO_ANSWER


async def test_a_contact_that_is_not_there(house: House) -> None:
    await house.control.hang_up("4a573372-1f28-4e26-b97b-000000000009")
    assert await house.control.state_of("4a573372-1f28-4e26-b97b-000000000009") is None


@pytest.mark.parametrize(
    ("changes", "kind"),
    [
        ({"keys": AwsKeys("AKIALOCAL", "wrong")}, "InvalidSignatureException"),
        ({"keys": AwsKeys("AKIAOTHER", "key")}, "UnrecognizedClientException"),
        ({"now": lambda: datetime.now(UTC) - timedelta(hours=1)}, "InvalidSignatureException"),
    ],
)
async def test_a_request_that_is_wrongly_signed(house: House, changes: dict[str, Any], kind: str) -> None:
    with pytest.raises(AwsRefused) as error:
        await house.api(**changes).ask("StopContact", "POST", "/contact/stop", {"ContactId": "x"})
    assert (error.value.status, error.value.name, error.value.retryable) == (403, kind, False)


async def test_a_request_that_is_not_signed(house: House) -> None:
    async with httpx.AsyncClient() as client:
        answer = await client.post(f"{house.url}/contact/stop", json={})
    assert (answer.status_code, answer.headers["x-amzn-errortype"]) == (403, "MissingAuthenticationTokenException")


@pytest.mark.parametrize(
    "body",
    [
        {"InstanceId": "another"},
        {"ContactFlowId": "another"},
        {"DestinationPhoneNumber": "0800"},
        {"RingTimeoutInSeconds": 5},
        {"Attributes": {"a": 1}},
        {"AnswerMachineDetectionConfig": {"EnableAnswerMachineDetection": True}},
    ],
)
async def test_a_dial_that_connect_refuses(house: House, body: dict[str, Any]) -> None:
    good = {
        "InstanceId": ACCOUNT.instance_id,
        "ContactFlowId": ACCOUNT.flow_id,
        "DestinationPhoneNumber": DIAL.to,
        "SourcePhoneNumber": DIAL.caller_id,
        "RingTimeoutInSeconds": 30,
    }
    with pytest.raises(AwsRefused) as error:
        await house.api().ask("StartOutboundVoiceContact", "PUT", "/contact/outbound-voice", good | body)
    assert not error.value.retryable
    assert house.book.entries == []


# the live sound


async def followed(house: House, contact_id: str, most: int, place: str = "") -> list[SoundPiece]:
    contact = house.book.entries[0].call.contact
    sound = house.sound(3.0)
    source = SoundSource(contact_id, contact.stream_arn, contact.start_fragment)
    pieces: list[SoundPiece] = []
    async with asyncio.timeout(10), aclosing(sound.follow(source, place=place)) as following:
        async for piece in following:
            pieces.append(piece)
            if len(pieces) >= most:
                break
    return pieces


@pytest.mark.slow
async def test_both_sides_are_followed_as_they_speak(house: House) -> None:
    house.book.setup.people[DIAL.to] = CalledPerson(
        utterances=(spoken(3.0),), plan=replace(PLAN, greeting_timeout_ms=1)
    )
    house.functions.answers = [say("Hello there.")]
    contact_id = await house.control.dial(DIAL)
    await house.until_answered(contact_id)
    pieces = await followed(house, contact_id, 100)
    for side in Side:
        sound = [piece for piece in pieces if piece.side is side]
        assert any(max(piece.pcm[::2]) > 0 for piece in sound), side
        assert [piece.at_ms for piece in sound] == sorted(piece.at_ms for piece in sound)
        assert sum(len(piece.pcm) for piece in sound) == pytest.approx(len(sound) * 60 * 32, rel=0.1)
    assert abs(pieces[0].at_ms - time.time() * 1000) < 20_000


@pytest.mark.slow
async def test_it_goes_on_where_it_stopped_and_ends_with_the_contact(house: House) -> None:
    contact_id = await house.control.dial(DIAL)
    await house.until_answered(contact_id)
    first = await followed(house, contact_id, 50)
    ending = asyncio.create_task(followed(house, contact_id, 10_000, first[-1].place))
    await asyncio.sleep(0.1)
    await house.control.hang_up(contact_id)
    await house.book.entries[0].task
    stream = next(iter(house.book.streams.streams.values()))
    stream.contact_id = "another"  # the stream is used again at once
    stream.end(time.time() * 1000)
    rest_of_it = await ending
    assert all(piece.at_ms > first[0].at_ms for piece in rest_of_it)


@pytest.mark.slow
async def test_a_stream_with_gaps_that_breaks_off_is_followed_from_place_to_place(house: House) -> None:
    house.book.setup.people[DIAL.to] = CalledPerson(
        utterances=(spoken(3.0),),
        plan=replace(PLAN, greeting_timeout_ms=1),
        misbehaviours=frozenset({"sound-with-gaps", "sound-breaks-off"}),
    )
    house.functions.answers = [say("Hello there, " * 20)]
    contact_id = await house.control.dial(DIAL)
    await house.until_answered(contact_id)
    first = await broken_off(house, contact_id)
    again = await broken_off(house, contact_id, first[-1].place)
    assert first[0].at_ms < again[0].at_ms <= first[-1].at_ms < again[-1].at_ms, "what was cut off comes whole"
    numbers = [each.number for each in house.book.streams.streams.popitem()[1].fragments]
    assert numbers == sorted(set(numbers))
    assert any(later - earlier > 1 for earlier, later in itertools.pairwise(numbers))


async def broken_off(house: House, contact_id: str, place: str = "") -> list[SoundPiece]:
    contact = house.book.entries[0].call.contact
    source = SoundSource(contact_id, contact.stream_arn, contact.start_fragment)
    pieces: list[SoundPiece] = []
    with pytest.raises(MediaError) as error:
        async with asyncio.timeout(25), aclosing(house.sound().follow(source, place=place)) as sound:
            async for piece in sound:
                pieces.append(piece)
    assert error.value.retryable
    return pieces


@pytest.mark.slow
async def test_a_stream_that_falls_silent_is_followed_until_the_contact_is_over(house: House) -> None:
    contact_id = await house.control.dial(DIAL)
    await house.until_answered(contact_id)
    stream = next(iter(house.book.streams.streams.values()))
    listeners = house.book.entries[0].call.line.listeners
    listeners.remove(stream.take)
    following = asyncio.create_task(followed(house, contact_id, 10_000))
    await asyncio.sleep(4.5)
    assert not following.done(), "the line is only quiet"
    listeners.append(stream.take)
    await house.control.hang_up(contact_id)
    await following


async def test_a_stream_that_is_not_there(house: House) -> None:
    source = SoundSource("c", "arn:aws:kinesisvideo:us-east-1:000000000000:stream/x/1", "1")
    with pytest.raises(MediaError) as error:
        async with aclosing(house.sound().follow(source)) as following:
            async for _ in following:
                pass
    assert not error.value.retryable


async def moods(house: House, *wanted: str) -> None:
    async with httpx.AsyncClient() as http:
        assert (await http.put(f"{house.url}/_local/connect/moods", json=wanted)).status_code == 204


@pytest.mark.parametrize("mood", ["429", "500", "done_500", "done_drop"])
async def test_a_dial_whose_first_answer_is_bad_dials_once(house: House, mood: str) -> None:
    await moods(house, mood)
    with suppress(TelephonyError):
        await house.control.dial(DIAL)
    dialled = await house.control.dial(DIAL)
    assert [entry.call.contact.contact_id for entry in house.book.entries] == [dialled]
