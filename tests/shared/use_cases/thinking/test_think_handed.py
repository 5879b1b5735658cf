"""Thinking of a caller whom another system has put through: what it knows is known, and obeyed in nothing."""

from __future__ import annotations

from collections.abc import Awaitable, Callable

import pytest

from shared.domain import pipe_names, takes
from shared.domain.errors import StoreError
from shared.domain.telephony.handed import NOTE_RULES, Handed, Line, note_of
from shared.use_cases.thinking.briefing import Sources
from shared.use_cases.thinking.think import Think
from tests.fakes.call import CALL_ID, House, turn_request
from tests.fakes.models import Answer, FakeLanguageModel

HANDED = Handed("contact-1", "+14155550100", {"account": "42"}, "a fault", (Line("caller", "My line is dead."),))


def thinking(house: House, model: FakeLanguageModel, handed: Callable[[str, str], Awaitable[Handed | None]]) -> Think:
    return Think(house.pipes, house.live_calls, house.directory, model, house.clock, Sources(handed=handed))


@pytest.fixture
async def house() -> House:
    house = House()
    await house.connect()
    await house.live_calls.note(CALL_ID, 0, {"said": "Hello, this is Nora.", "outcome": "completed"})
    await house.write(0, pipe_names.SPOKEN, {"said": "Hello, this is Nora."}, pipe_names.END_POSITION)
    position, fields = takes.written(takes.Final(1, "Where is my order?"))
    await house.write(1, pipe_names.TRANSCRIPT, fields, position)
    return house


async def test_who_was_put_through_is_known_and_obeyed_in_nothing(house: House) -> None:
    async def handed(tenant_id: str, call_id: str) -> Handed | None:
        return HANDED if (tenant_id, call_id) == (turn_request(1).tenant_id, CALL_ID) else None

    model = FakeLanguageModel(house.clock, Answer(["Yes."]))
    await thinking(house, model, handed)(turn_request(1))
    (messages,) = model.asked
    assert [message.role for message in messages] == ["system", "user", "assistant", "user"]
    assert messages[0].text.endswith(NOTE_RULES)
    assert messages[1].text == note_of(HANDED)
    assert all(known in messages[1].text for known in ("42", "a fault", "My line is dead.", "+14155550100"))
    assert "42" not in messages[0].text, "what strangers wrote is no part of the rules"


async def test_who_came_by_himself_has_no_note(house: House) -> None:
    async def handed(tenant_id: str, call_id: str) -> Handed | None:
        return None

    model = FakeLanguageModel(house.clock, Answer(["Yes."]))
    await thinking(house, model, handed)(turn_request(1))
    (messages,) = model.asked
    assert [message.role for message in messages] == ["system", "assistant", "user"]
    assert NOTE_RULES not in messages[0].text


async def test_an_answer_does_not_fail_with_the_note(house: House) -> None:
    async def handed(tenant_id: str, call_id: str) -> Handed | None:
        raise StoreError("redis_unavailable", "x", retryable=True)

    model = FakeLanguageModel(house.clock, Answer(["Yes."]))
    await thinking(house, model, handed)(turn_request(1))
    sentences = await house.pipe(1, pipe_names.SENTENCES)
    assert sentences[0] == {"text": "Yes."}
