"""The doors of Sarvam's voice agents over HTTP."""

from __future__ import annotations

import json
import logging
from types import SimpleNamespace
from typing import Any

import azure.functions as func
import pytest

from functions.webhooks import sarvam
from shared.adapters.sarvam.desk import SarvamDesk
from shared.adapters.sarvam.passes import call_pass
from shared.domain.call import EndReason
from shared.domain.errors import Conflict, NotFound, StoreError
from shared.domain.telephony.commands import Transfer
from shared.domain.telephony.lines import Line, Provider
from shared.domain.telephony.progress import CallState
from shared.domain.telephony.text_turns import Next, TextReply
from shared.use_cases.calls.answer_call import Answered, CallOffered, call_id_of
from tests.fakes.call import NORA
from tests.fakes.clock import FakeClock
from tests.functions.conftest import Installer, assert_problem, document_of, request, user_function
from tests.shared.adapters.sarvam.bodies import ATTEMPT, INTERACTION, body, context, internal, result, signed
from tests.shared.adapters.sarvam.test_desk import SECRET, SIGNING, FakeMemory

CALL_ID = call_id_of(Provider.SARVAM, INTERACTION)


class House:
    """All that the doors ask for, and what they asked."""

    def __init__(self) -> None:
        self.offers: list[Any] = []
        self.turns: list[tuple[Any, ...]] = []
        self.ended: list[tuple[str, EndReason]] = []
        self.progress: list[tuple[Any, str, bool]] = []
        self.kept: list[tuple[str, Any, str]] = []
        self.error: Exception | None = None
        self.then = Next.LISTEN

    def _trip(self) -> None:
        if self.error:
            raise self.error

    async def by_number(self, offer: CallOffered, orchestrations: Any) -> Answered:
        self._trip()
        self.offers.append(offer)
        return Answered("the-call", NORA, Line.SARVAM, "ticket")

    async def by_call(self, provider: Provider, call_id: str, provider_call_id: str, orchestrations: Any) -> Answered:
        self._trip()
        self.offers.append((call_id, provider_call_id))
        return Answered(call_id, NORA, Line.SARVAM, "ticket")

    async def take(self, call_id: str, turn: int, words: str | None, **options: Any) -> TextReply:
        self._trip()
        self.turns.append((call_id, turn, words, options.get("after", 0), options.get("language", "")))
        text = NORA.greeting if not turn else f"You said {words}."
        transfer = Transfer("+14155550199") if self.then is Next.TRANSFER else None
        return TextReply(turn, (text,), 1, self.then, "en", "", transfer)

    async def require(self, call_id: str, provider: Provider, provider_call_id: str = "") -> None:
        if call_id == "of-another-provider":
            raise NotFound("call_unknown", "another call")

    async def note(self, call_id: str, reason: EndReason) -> None:
        self._trip()
        self.ended.append((call_id, reason))

    async def keep(self, provider: Provider, provider_call_id: str, told: Any, *, call_id: str = "") -> None:
        self.kept.append((provider_call_id, told, call_id))

    async def take_result(self, progress: Any, told: Any, *, call_id: str, is_bound: bool = False) -> None:
        self._trip()
        self.progress.append((progress, call_id, is_bound))
        self.kept.append((progress.provider_call_id, told, call_id))


@pytest.fixture
def house(install: Installer) -> House:
    house = House()
    install(
        sarvam,
        carriers=SimpleNamespace(sarvam=SarvamDesk((SECRET,), FakeMemory(), FakeClock())),  # type: ignore[arg-type]
        answer_call=SimpleNamespace(by_number=house.by_number, by_call=house.by_call),
        take_text_turn=house.take,
        move_media=house,
        end_call=SimpleNamespace(note=house.note),
        calling=SimpleNamespace(keep_delegated=house.keep, take_result=house.take_result),
    )
    return house


async def knock(door: str, content: bytes, secret: str = SECRET) -> func.HttpResponse:
    handler = user_function(getattr(sarvam, f"sarvam_{door}"))
    headers = {"Authorization": f"Bearer {secret}"}
    req = request("POST", f"http://x/api/webhooks/sarvam/{door}", headers=headers, body=content)
    response: func.HttpResponse = await (handler(req, object()) if door == "start" else handler(req))
    return response


async def knock_for(call_id: str, given: str, content: bytes) -> func.HttpResponse:
    """At the door of the result of one call."""
    handler, route = user_function(sarvam.sarvam_call_result), {"call_id": call_id, "call_pass": given}
    url = f"http://x/api/webhooks/sarvam/result/{call_id}/{given}"
    response: func.HttpResponse = await handler(request("POST", url, route=route, body=content))
    return response


@pytest.mark.parametrize("door", ["start", "turn", "end", "result"])
async def test_whoever_does_not_know_the_secret_is_sent_away(house: House, door: str) -> None:
    for secret in ("", "x" * 33, SECRET[:-1], SECRET + "x"):
        assert_problem(await knock(door, body("Hello."), secret), 401, "sarvam_secret")
    assert not any((house.offers, house.turns, house.ended, house.progress, house.kept))


async def test_a_call_comes_in(house: House) -> None:
    answer = document_of(await knock("start", body()))
    assert house.offers == [CallOffered(Provider.SARVAM, INTERACTION, "+14155550100", "+15550100018")]
    assert house.turns == [("the-call", 0, None, 0, "")]
    assert answer["initial_bot_message"] == NORA.greeting
    assert answer["internal_variables"]["voice_agent_call"] == "the-call"


async def test_a_call_that_we_placed_is_answered(house: House) -> None:
    metadata = context()["engagement_metadata"] | {"attempt_id": ATTEMPT}
    await knock("start", body(engagement_metadata=metadata, agent_variables={"voice_agent_call": "call-7"}))
    assert house.offers == [("call-7", ATTEMPT)]


@pytest.mark.parametrize(("error", "status"), [(NotFound("number_unknown", "x"), 404), (Conflict("ended", "x"), 409)])
async def test_a_call_that_nobody_answers(house: House, error: Exception, status: int) -> None:
    house.error = error
    assert (await knock("start", body())).status_code == status


async def test_the_result_of_a_call_of_ours_is_told_of_this_call_only(house: House) -> None:
    content = json.dumps(result()).encode()
    assert (await knock_for("call-7", call_pass(SECRET, "call-7"), content)).status_code == 200
    assert [(call_id, is_bound) for _, call_id, is_bound in house.progress] == [("call-7", True)]
    for given in (call_pass(SECRET, "call-1"), SECRET, ""):
        assert_problem(await knock_for("call-7", given, content), 401, "sarvam_secret")
    assert len(house.progress) == 1
    house.error = NotFound("call_unknown", "another call")
    assert (await knock_for("call-7", call_pass(SECRET, "call-7"), content)).status_code == 200


async def test_a_saved_webhook_signs(house: House, install: Installer) -> None:
    clock, content = FakeClock(), json.dumps(result()).encode()
    desk = SarvamDesk((SECRET,), FakeMemory(), clock, (SIGNING,))  # type: ignore[arg-type]
    install(
        sarvam,
        carriers=SimpleNamespace(sarvam=desk),
        calling=SimpleNamespace(keep_delegated=house.keep, take_result=house.take_result),
    )
    assert_problem(await knock("result", content), 401, "sarvam_timestamp")
    handler, headers = user_function(sarvam.sarvam_result), signed(content, SIGNING, clock.now_ms())
    url = "http://x/api/webhooks/sarvam/result"
    assert (await handler(request("POST", url, headers=headers, body=content))).status_code == 200
    assert (await handler(request("POST", url, headers=headers, body=content + b" "))).status_code == 401
    assert len(house.progress) == 1


async def test_the_caller_is_put_through(house: House) -> None:
    house.then = Next.TRANSFER
    answer = document_of(await knock("turn", body("Hello.", agent_variables={"transfer_number": ""})))
    assert answer["context"]["agent_variables"] == {"transfer_number": "+14155550199"}
    assert "call_transfer" in answer["message_to_llm"]


async def test_a_turn(house: House) -> None:
    answer = document_of(await knock("turn", body("Hello.", internal_variables=internal(2, call_id="the-call"))))
    assert house.turns == [("the-call", 3, "Hello.", 0, "en")]
    assert answer["message_to_user"] == "You said Hello.."


async def test_a_turn_of_an_agent_that_keeps_nothing_of_ours(house: House) -> None:
    await knock("turn", body("Hello."))
    assert house.turns == [(CALL_ID, 1, "Hello.", 0, "en")]


async def test_the_rest_of_an_answer(house: House) -> None:
    await knock("turn", body("", internal_variables=internal(2, told=3, call_id="the-call")))
    assert house.turns == [("the-call", 2, None, 3, "en")]


@pytest.mark.parametrize("error", [NotFound("call_unknown", "x"), Conflict("turn_unknown", "x")])
async def test_a_turn_of_a_call_that_is_over_ends_it(house: House, error: Exception) -> None:
    house.error = error
    answer = document_of(await knock("turn", body("Hello.")))
    assert answer["context"]["end_conversation"] is True


async def test_a_store_that_is_away_is_worth_another_try(house: House) -> None:
    house.error = StoreError("away", "x", retryable=True)
    for door, content in (("turn", body("Hello.")), ("end", body()), ("result", json.dumps(result()).encode())):
        assert (await knock(door, content)).status_code == 503


async def test_the_end(house: House) -> None:
    transcript = {"interaction_transcript": [{"role": "user", "en_text": "Hi."}]}
    response = await knock("end", body(interaction_transcript=transcript))
    assert response.status_code == 200
    assert house.ended == [(CALL_ID, EndReason.CALLER_HUNG_UP)]
    ((provider_call_id, told, _),) = house.kept
    assert (provider_call_id, told.transcript[0].text, told.variables) == (INTERACTION, "Hi.", {"patient": "Asha"})


async def test_the_result(house: House) -> None:
    for _ in range(2):
        assert (await knock("result", json.dumps(result()).encode())).status_code == 200
    event, call_id, is_bound = house.progress[0]
    assert (event.progress, event.provider_call_id, call_id) == (CallState.COMPLETED, ATTEMPT, "call-1")
    assert not is_bound
    assert house.progress[1] == house.progress[0]
    assert house.kept[0][1].variables["time"] == "9:00"


@pytest.mark.parametrize("door", ["start", "turn", "end", "result", "call_result"])
@pytest.mark.parametrize("content", [b"", b"}{", b"[]", b'{"user_phone_number": "+919800000002"}', b"\xff" * 99])
async def test_what_makes_no_sense_is_taken_and_noted_without_what_was_said(
    house: House, door: str, content: bytes, caplog: pytest.LogCaptureFixture
) -> None:
    with caplog.at_level(logging.WARNING):
        given = call_pass(SECRET, "call-7")
        response = await (knock_for("call-7", given, content) if door == "call_result" else knock(door, content))
    assert response.status_code == 200
    assert not any((house.offers, house.turns, house.ended, house.progress, house.kept))
    assert "not understood" in caplog.text
    assert "9198" not in caplog.text
    assert SECRET not in caplog.text


async def test_a_variable_that_names_another_providers_call(house: House) -> None:
    """An agent's variables are whoever's who has built it."""
    theirs = internal(2, call_id="of-another-provider")
    answer = document_of(await knock("turn", body("Hello.", internal_variables=theirs)))
    assert answer["context"]["end_conversation"] is True
    assert (await knock("end", body("Hello.", internal_variables=theirs))).status_code == 200
    assert not any((house.turns, house.ended))


async def test_half_a_character_is_no_harm(house: House) -> None:
    """JSON can hold it, and neither a store nor an answer can."""
    answer = document_of(await knock("turn", body("so \ud83d", agent_variables={"name": "\udc00"})))
    assert house.turns == [(CALL_ID, 1, "so ?", 0, "en")]
    assert answer["context"]["agent_variables"] == {"name": "?"}
