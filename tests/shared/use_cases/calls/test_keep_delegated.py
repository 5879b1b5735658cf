"""What a provider's own agent tells of a conversation is kept, beside what our own steps keep."""

from __future__ import annotations

import json
from dataclasses import replace

from shared.domain.call import Provider, Turn, TurnOutcome
from shared.domain.telephony.delegated import Delegated, Speech, turns_of
from shared.domain.telephony.lines import Line
from shared.use_cases.calls.keep_delegated import KeepDelegated
from tests.fakes.call import CALL_ID, CALL_SID, TENANT_ID, House

AGENT, CALLER = False, True
TOLD = Delegated(
    "i-1",
    variables={"time": "9:00"},
    transcript=(Speech(AGENT, "Hello."), Speech(CALLER, "At nine."), Speech(AGENT, "Done."), Speech(AGENT, "Bye.")),
)


def turns(*speeches: tuple[bool, str]) -> list[tuple[int, str | None, str]]:
    made = turns_of(Speech(is_caller, text) for is_caller, text in speeches)
    return [(turn.number, turn.heard, turn.said) for turn in made]


def test_speeches_as_turns() -> None:
    assert turns() == []
    assert turns((AGENT, "Hello.")) == [(0, None, "Hello.")]
    assert turns((CALLER, "Hi."), (AGENT, "Yes?")) == [(1, "Hi.", "Yes?")]
    assert turns((AGENT, "A"), (CALLER, "B"), (CALLER, "C"), (AGENT, "D"), (AGENT, "E"), (CALLER, "F")) == [
        (0, None, "A"),
        (1, "B C", "D E"),
        (2, "F", ""),
    ]


async def ended_call(provider: Provider = Provider.SARVAM) -> tuple[House, KeepDelegated]:
    house = House(provider=provider)
    house.line = Line(provider.value)
    await house.ring()
    await house.live_calls.close(CALL_ID, 0)
    return house, KeepDelegated(house.call_store, house.live_calls, house.files)


async def kept_turns(house: House) -> list[Turn]:
    call = await house.call_store.get(TENANT_ID, CALL_ID)
    assert call is not None
    return list(call.turns)


async def test_a_conversation_that_was_not_ours_becomes_the_calls() -> None:
    house, keep = await ended_call()
    for _ in range(2):
        await keep(Provider.SARVAM, CALL_SID, TOLD)
    assert [(turn.heard, turn.said) for turn in await kept_turns(house)] == [
        (None, "Hello."),
        ("At nine.", "Done. Bye."),
    ]
    document = json.loads(house.files.kept[f"delegated/{TENANT_ID}/{CALL_ID}.json"])
    assert (document["interaction_id"], document["variables"]) == ("i-1", {"time": "9:00"})


async def test_what_our_own_steps_have_kept_stands() -> None:
    house, keep = await ended_call()
    ours = Turn(1, "At nine, please.", "It is done.", TurnOutcome.COMPLETED)
    await house.call_store.save_turn(TENANT_ID, CALL_ID, ours)
    await keep(Provider.SARVAM, CALL_SID, TOLD)
    assert await kept_turns(house) == [ours]


async def test_while_our_steps_keep_records_nothing_comes_between() -> None:
    house = House(provider=Provider.SARVAM)
    house.line = Line.SARVAM
    await house.ring()
    await KeepDelegated(house.call_store, house.live_calls, house.files)(Provider.SARVAM, CALL_SID, TOLD)
    assert await kept_turns(house) == []
    assert house.files.kept


async def test_a_call_that_is_not_known_or_anothers_is_passed_over() -> None:
    house, keep = await ended_call()
    await keep(Provider.SARVAM, "other", TOLD)
    await keep(Provider.CONNECT, "other", TOLD, call_id=CALL_ID)
    assert not house.files.kept
    await keep(Provider.SARVAM, "other", replace(TOLD, transcript=()), call_id=CALL_ID)
    assert house.files.kept
