"""Connect's doors over HTTP: signed and fresh, with an answer for every question, however often it is asked."""

from __future__ import annotations

import json
from collections.abc import Mapping
from types import SimpleNamespace
from typing import Any

import azure.functions as func
import pytest

from functions.webhooks import connect
from shared.adapters.connect.desk import ConnectDesk
from shared.adapters.connect.signature import NONCE, SIGNATURE, TIMESTAMP, signature
from shared.adapters.connect.webhooks import ConnectWebhooks
from shared.domain.call import Agent
from shared.domain.errors import Conflict, NotFound, StoreError, VoiceAgentError
from shared.domain.telephony.commands import Transfer
from shared.domain.telephony.events import CallProgressed, TransferEnded
from shared.domain.telephony.handed import Handed
from shared.domain.telephony.lines import Line, Provider
from shared.domain.telephony.text_turns import Next, TextReply
from shared.use_cases.calls.answer_call import Answered, CallOffered, call_id_of
from tests.fakes.clock import FakeClock
from tests.fakes.memory import FakeOnce
from tests.functions.conftest import Installer, assert_problem, request, user_function
from tests.shared.adapters.connect.events import CONTACT, INSTANCE, STREAM, contact_event, flow_event, lex_event

CALL_ID = call_id_of(Provider.CONNECT, CONTACT)
NORA = Agent(
    agent_id="nora", tenant_id="acme", name="Nora", persona="You are Nora.", greeting="Hello?", interruptible=False
)
GREETING = TextReply(0, ("Hello?",), 1, Next.LISTEN, "en", "default")


class House:
    """What the doors ask of the app, with what it says to it."""

    def __init__(self) -> None:
        self.clock = FakeClock()
        self.line = Line.CONNECT
        self.reply: TextReply | VoiceAgentError = GREETING
        self.refusal: VoiceAgentError | None = None
        self.offers: list[Any] = []
        self.turns: list[tuple[Any, ...]] = []
        self.news: list[Any] = []
        self.followed: list[Any] = []
        self.expected: list[Any] = []
        self.nonces = 0

    async def by_number(self, offer: CallOffered, orchestrations: Any) -> Answered:
        if self.refusal is not None:
            raise self.refusal
        self.offers.append(offer)
        return Answered(CALL_ID, NORA, self.line, "ticket")

    async def by_call(self, provider: Provider, call_id: str, provider_call_id: str, orchestrations: Any) -> Answered:
        self.offers.append((call_id, provider_call_id))
        return Answered(call_id, NORA, self.line, "ticket")

    async def require(self, call_id: str, provider: Provider, provider_call_id: str) -> None:
        if (call_id, provider, provider_call_id) != ("call-1", Provider.CONNECT, CONTACT):
            raise NotFound("call_unknown", "another call")

    async def take_text_turn(
        self, call_id: str, turn: int, words: str | None, *, after: int, within_s: float, language: str
    ) -> TextReply:
        self.turns.append((call_id, turn, words, after, within_s, language))
        if isinstance(self.reply, VoiceAgentError):
            raise self.reply
        return self.reply

    async def note(self, news: Any) -> None:
        self.news.append(news)

    async def expect(self, number: str, *, caller: str, system: str, handed: Handed) -> None:
        if self.refusal is not None:
            raise self.refusal
        self.expected.append((number, caller, system, handed))

    async def foretell(self, contact_id: str, number: str, context: Mapping[str, str]) -> None:
        self.expected.append((contact_id, number, dict(context)))

    async def post(self, door: str, event: Any, **changes: str) -> func.HttpResponse:
        path = f"/api/webhooks/connect/{door}"
        body = json.dumps({"request_id": "r", "remaining_ms": 4900, "event": event}).encode()
        self.nonces += 1
        parts = {"timestamp": f"{self.clock.now_ms() / 1000:.0f}", "nonce": f"{self.nonces:032d}"} | changes
        made = signature("secret", **parts, method="POST", path=path, body=body)
        headers = {TIMESTAMP: parts["timestamp"], NONCE: parts["nonce"], SIGNATURE: made}
        sent = request("POST", f"http://10.0.0.4:8080{path}", headers=headers, body=body)
        function = user_function(getattr(connect, f"connect_{door.replace('-', '_')}"))
        answered: func.HttpResponse = await (function(sent, Client(self)) if door == "turn" else function(sent))
        return answered


class TextTurns:
    """Stands in for `TakeTextTurn`."""

    def __init__(self, house: House) -> None:
        self._house = house

    async def __call__(self, *arguments: Any, **named: Any) -> TextReply:
        return await self._house.take_text_turn(*arguments, **named)

    async def listen_again(self, call_id: str, *, apologise: bool = False) -> TextReply:
        assert apologise
        return TextReply(2, ("Say that again?",), 0, Next.LISTEN, "en", "default")


class Client:
    """The durable client: remembers what is started."""

    def __init__(self, house: House) -> None:
        self._house = house

    async def get_status(self, instance_id: str) -> Any:
        return SimpleNamespace(runtime_status=None)

    async def start_new(self, name: str, instance_id: str, document: Any) -> None:
        if self._house.refusal is not None:
            raise RuntimeError("the engine is away")
        self._house.followed.append((name, instance_id, document))


@pytest.fixture
def house(install: Installer) -> House:
    house = House()
    webhooks = ConnectWebhooks(
        secrets=("secret",),
        instance_arns=frozenset({INSTANCE}),
        once=FakeOnce(house.clock),
        now_s=lambda: house.clock.now_ms() / 1000,
    )
    install(
        connect,
        carriers=SimpleNamespace(connect=ConnectDesk(webhooks), live_sound=object()),
        answer_call=house,
        take_text_turn=TextTurns(house),
        move_media=house,
        note_progress=house.note,
        note_transfer=house.note,
        gateway=house,
        clock=house.clock,
    )
    return house


def told(response: func.HttpResponse) -> dict[str, Any]:
    assert response.status_code == 200, response.get_body()
    assert response.headers["Cache-Control"] == "no-store"
    answer: dict[str, Any] = json.loads(response.get_body())
    return answer


async def test_half_a_character_is_no_harm(house: House) -> None:
    """JSON can hold it, and neither a store nor an answer can."""
    told(await house.post("turn", flow_event({"op": "turn", "turn": "1", "words": "so \ud83d"})))
    told(await house.post("lex", lex_event("so \ud83d", more="\ud83d")))
    assert [words for _, _, words, *_ in house.turns] == ["so ?", "so ?"]


async def test_a_contact_begins_with_the_greeting(house: House) -> None:
    answer = told(await house.post("turn", flow_event({"op": "begin", "turn": "0"})))
    assert (answer["action"], answer["text"], answer["turn"], answer["mode"]) == (
        "say_and_listen", "Hello?", "1", "turn",
    )  # fmt: skip
    assert answer["interruptible"] == "false"
    assert house.offers == [CallOffered(Provider.CONNECT, CONTACT, "+14155550100", "+15550100016")]
    assert house.turns == [(CALL_ID, 0, None, 0, 4.0, "")]
    assert house.followed == []


async def test_a_number_with_lex_lets_the_bot_ask(house: House) -> None:
    house.line = Line.CONNECT_LEX
    assert told(await house.post("turn", flow_event({"op": "begin"})))["mode"] == "lex"


async def test_a_call_that_we_dialled_is_that_call(house: House) -> None:
    ours = {"Attributes": {"voice_agent_call": "call-1"}}
    told(await house.post("turn", flow_event({"op": "begin"}, **ours)))
    told(await house.post("turn", flow_event({"op": "turn", "turn": "1", "words": "x"}, **ours)))
    assert house.offers == [("call-1", CONTACT)]
    assert [call_id for call_id, *_ in house.turns] == ["call-1", "call-1"]


async def test_an_attribute_that_names_another_call(house: House) -> None:
    theirs = {"Attributes": {"voice_agent_call": "call-of-another"}}
    answer = told(await house.post("turn", flow_event({"op": "turn", "turn": "1", "words": "x"}, **theirs)))
    assert answer["action"] == "hang_up"
    closed = told(await house.post("lex", lex_event(voice_agent_call="call-of-another")))
    assert closed["sessionState"]["sessionAttributes"]["next"] == "hang_up"
    assert house.turns == []


async def test_its_sound_is_followed_where_the_flow_streams_it(house: House) -> None:
    media = {"Customer": {"Audio": {"StreamARN": STREAM, "StartFragmentNumber": "91"}}}
    told(await house.post("turn", flow_event({"op": "begin"}, MediaStreams=media)))
    ((name, instance_id, document),) = house.followed
    assert (name, instance_id) == ("follow_call", f"{CALL_ID}:along")
    assert (document["stream"], document["start"], document["provider_call_id"]) == (STREAM, "91", CONTACT)


async def test_a_turn_with_words_and_keys(house: House) -> None:
    parameters = {"op": "turn", "turn": "2", "told": "1", "words": "On Friday.", "keys": "12", "mode": "turn"}
    told(await house.post("turn", flow_event(parameters)))
    assert house.turns == [(CALL_ID, 2, "On Friday. (keys: 1 2)", 1, 4.0, "en-US")]


async def test_a_question_that_comes_twice_is_asked_twice(house: House) -> None:
    event = flow_event({"op": "turn", "turn": "2", "words": "On Friday."})
    assert told(await house.post("turn", event)) == told(await house.post("turn", event))


@pytest.mark.parametrize("error", [NotFound("number_unknown", "nobody"), Conflict("call_ended", "over")])
async def test_a_contact_that_nobody_takes_is_hung_up(house: House, error: VoiceAgentError) -> None:
    house.refusal = error
    assert told(await house.post("turn", flow_event({"op": "begin"})))["action"] == "hang_up"


async def test_a_call_that_is_over_is_hung_up(house: House) -> None:
    house.reply = NotFound("call_unknown", "the call is not running")
    assert told(await house.post("turn", flow_event({"op": "turn", "turn": "1"})))["action"] == "hang_up"
    closed = told(await house.post("lex", lex_event()))
    assert closed["sessionState"]["sessionAttributes"]["next"] == "hang_up"


async def test_a_store_that_is_down_is_a_503_so_that_the_function_tries_again(house: House) -> None:
    house.reply = StoreError("redis_unavailable", "x", retryable=True)
    assert_problem(await house.post("turn", flow_event({"op": "turn", "turn": "1"})), 503, "redis_unavailable")


async def test_back_from_a_transfer_the_agent_listens(house: House) -> None:
    house.reply = TextReply(3, (), 2, Next.LISTEN, "en", "default")
    answer = told(await house.post("turn", flow_event({"op": "back", "turn": "3", "answered": "false"})))
    assert (answer["action"], answer["turn"]) == ("say_and_listen", "4")
    assert isinstance(house.news[0], TransferEnded)
    assert not house.news[0].was_answered
    assert house.turns[0][1:3] == (3, None)
    assert house.turns[0][3] > 100, "nothing of what was said before is said again"


async def test_the_bot_asks(house: House) -> None:
    house.reply = TextReply(1, ("Which day?",), 1, Next.LISTEN, "en", "default")
    answer = told(await house.post("lex", lex_event()))
    assert answer["messages"] == [{"contentType": "PlainText", "content": "Which day?"}]
    assert house.turns == [(CALL_ID, 1, "move my appointment", 0, 4.0, "en-IN")]


async def test_a_line_out_of_step_says_so_and_listens_on(house: House) -> None:
    house.reply = Conflict("turn_unknown", "the next words are those of turn 3")
    answer = told(await house.post("lex", lex_event(turn="9")))
    assert answer["sessionState"]["dialogAction"] == {"type": "ElicitIntent"}
    assert answer["sessionState"]["sessionAttributes"]["turn"] == "3"
    assert answer["messages"] == [{"contentType": "PlainText", "content": "Say that again?"}]
    flow = told(await house.post("turn", flow_event({"op": "turn", "turn": "9", "words": "x"})))
    assert (flow["action"], flow["turn"], flow["text"]) == ("say_and_listen", "3", "Say that again?")


async def test_a_bot_that_cannot_be_served_is_closed(house: House) -> None:
    house.reply = Conflict("not_by_turns", "sarvam does not bring words by requests")
    closed = told(await house.post("lex", lex_event()))
    assert closed["sessionState"]["dialogAction"] == {"type": "Close"}
    assert closed["sessionState"]["sessionAttributes"]["next"] == "hang_up"


async def test_who_is_put_through_is_foretold(house: House) -> None:
    house.reply = TextReply(1, (), 1, Next.TRANSFER, "en", "x", Transfer("+15550100011"))
    told(await house.post("turn", flow_event({"op": "turn", "turn": "1", "words": "A person."})))
    told(await house.post("lex", lex_event()))
    assert house.expected == [(CONTACT, "+15550100011", {"locale": "en-IN"}), (CONTACT, "+15550100011", {})]


async def test_contact_events_are_noted(house: House) -> None:
    response = await house.post("contact-event", contact_event("DISCONNECTED"))
    assert response.status_code == 204
    assert isinstance(house.news[0], CallProgressed)
    assert (await house.post("contact-event", contact_event("SOMETHING_NEW"))).status_code == 204
    assert len(house.news) == 1


async def test_a_gateway_is_told_who_comes(house: House) -> None:
    event = flow_event({"op": "gateway", "number": "+15550100011"})
    answer = told(await house.post("gateway", event))
    assert (answer["action"], answer["dest"]) == ("transfer", "+15550100011")
    handed = Handed(CONTACT, "+14155550100", {"locale": "en-IN"})
    assert house.expected == [("+15550100011", "+14155550100", "+15550100016", handed)]
    house.refusal = NotFound("gateway_unknown", "nobody")
    assert told(await house.post("gateway", event))["action"] == "hang_up"


@pytest.mark.parametrize("door", ["turn", "lex", "contact-event", "gateway"])
async def test_nothing_without_a_fresh_signature(house: House, door: str) -> None:
    events = {"lex": lex_event(), "contact-event": contact_event("DISCONNECTED")}
    event = events.get(door, flow_event({"op": "begin"}))
    assert_problem(await house.post(door, event, timestamp="1600000000"), 401, "connect_timestamp")
    assert_problem(await house.post(door, event, nonce="x"), 401, "connect_nonce")
    await house.post(door, event, nonce="n" * 32)
    assert_problem(await house.post(door, event, nonce="n" * 32), 401, "connect_replayed")
    assert len(house.turns) + len(house.news) + len(house.expected) == 1


async def test_a_foreign_instance_is_refused(house: House) -> None:
    foreign = INSTANCE.replace("111122223333", "999999999999")
    event = flow_event({"op": "begin"}, InstanceARN=foreign)
    assert_problem(await house.post("turn", event), 401, "connect_instance")
    assert_problem(await house.post("lex", lex_event(instance=foreign)), 401, "connect_instance")
    told_of = contact_event("DISCONNECTED", instanceArn=foreign)
    assert_problem(await house.post("contact-event", told_of), 401, "connect_instance")
    assert (house.offers, house.turns, house.news) == ([], [], [])


async def test_a_transfer_is_the_next_answer(house: House) -> None:
    house.reply = TextReply(1, ("One moment.",), 1, Next.TRANSFER, "en", "x", Transfer("+14155550199", keys="1"))
    answer = told(await house.post("turn", flow_event({"op": "turn", "turn": "1", "words": "A person."})))
    assert (answer["action"], answer["dest"], answer["dtmf"], answer["turn"]) == (
        "transfer", "+14155550199", "1", "1",
    )  # fmt: skip


@pytest.mark.parametrize(
    ("words", "turn"), [("Stop.", (3, "Stop.", 0)), ("", (2, None, 1))], ids=["words", "silence"]
)
async def test_while_an_answer_is_not_whole_the_caller_is_listened_to(
    house: House, words: str, turn: tuple[int, str | None, int]
) -> None:
    """Words are the next turn's; silence asks for the rest of the answer."""
    house.reply = TextReply(2, ("First.",), 1, Next.COME_AGAIN, "en", "default")
    parameters = {"op": "turn", "turn": "3", "told": "1", "rest": "true", "words": words}
    answer = told(await house.post("turn", flow_event(parameters)))
    assert house.turns[-1][1:4] == turn
    assert (answer["action"], answer["listens"], answer["next_turn"], answer["rest"]) == (
        "come_again",
        "true",
        "3",
        "",
    )
