"""A call that goes on in another language because an operator has said so, or because its caller speaks it."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import replace
from typing import Any

import pytest

from shared.domain.call import Agent, EndReason
from shared.domain.errors import Conflict, InvalidRequest, NotFound, TranslationError
from shared.domain.fillers import apology_of, fillers_of
from shared.domain.manner import Manner
from shared.domain.telephony.commands import Transfer
from shared.domain.telephony.lines import Line, Provider
from shared.domain.telephony.text_turns import Next
from shared.ports.live_calls import LiveCall
from shared.ports.translation import Identified, Translated
from shared.use_cases.languages import call_language, hearing_language, spoken_agent
from shared.use_cases.switch_language import SwitchLanguage
from tests.fakes.call import CALL_ID, CALL_SID, TENANT_ID, House, silence, voice
from tests.fakes.memory import FakeShortMemory
from tests.fakes.models import FakeSpeechToText
from tests.fakes.stores import FakeDirectory
from tests.fakes.text_channel import FakeTextChannel
from tests.shared.use_cases.hearing.caller import Caller, hear_while, hearing, over
from tests.shared.use_cases.texting.text_call import Answer, Mortal, TextCall, text_call

MANNER = Manner(languages=("hi-IN", "gu-IN", "es-ES"), fillers=("One moment, please.", "Let me look."))


class FakeTranslation:
    """Fills the port `Translation`: puts the language before the text. `fails`: texts that it cannot do."""

    def __init__(self) -> None:
        self.asked: list[tuple[str, str, str]] = []
        self.fails: set[str] = set()
        self.hangs = False
        self.languages: list[str] = []

    async def translate(self, text: str, *, target: str, source: str = "") -> Translated:
        self.asked.append((text, target, source))
        if self.hangs:
            await asyncio.sleep(3600)
        if text in self.fails:
            raise TranslationError("sarvam_failed", "no", retryable=True)
        return Translated(f"[{target}] {text}", source)

    async def transliterate(self, text: str, *, target: str, source: str = "") -> str:
        return text

    async def identify(self, text: str) -> Identified:
        await asyncio.sleep(0.3)
        if not self.languages:
            raise TranslationError("sarvam_failed", "no", retryable=True)
        return Identified(self.languages.pop(0), "Latn")


class FakeSounds:
    def __init__(self) -> None:
        self.prepared: list[Agent] = []

    def prepare(self, agent: Agent) -> None:
        self.prepared.append(agent)


class Desk:
    """Switches languages in a house, by one worker after another."""

    def __init__(self, house: House, channel: FakeTextChannel | None = None) -> None:
        self.house = house
        self.channel = channel or FakeTextChannel()
        self.memory = FakeShortMemory()
        self.translation = FakeTranslation()
        self.sounds = FakeSounds()

    def worker(self, **changes: Any) -> SwitchLanguage:
        return replace(
            SwitchLanguage(
                live_calls=self.house.live_calls,
                call_store=self.house.call_store,
                directory=self.house.directory,
                channels=self.channel,
                memory=self.memory,
                translation=self.translation,
                sounds=lambda: self.sounds,
                clock=self.house.clock,
            ),
            _preparing={},
            **changes,
        )

    async def order(self, language: str, **changes: Any) -> str:
        ordered = await self.worker(**changes).order(TENANT_ID, CALL_ID, language)
        await asyncio.sleep(10)
        return ordered

    async def heard_as(self, turn: int = 1) -> Agent:
        return await spoken_agent(self.house.live_calls, CALL_ID, turn, self.house.agent)

    async def noted(self) -> str:
        call = await self.house.call_store.get(TENANT_ID, CALL_ID)
        assert call is not None
        return call.language


@pytest.fixture
async def desk() -> AsyncIterator[Desk]:
    house = House()
    house.change_agent(manner=MANNER)
    await house.connect()
    yield Desk(house)
    await house.channel.finish()


@asynccontextmanager
async def desk_of(line: Line) -> AsyncIterator[tuple[TextCall, Desk]]:
    async with text_call(line, manner=MANNER) as call:
        desk = Desk(call.house, call.channel)
        call.hear = replace(call.hear, switch_language=desk.worker())
        if line is Line.TWILIO_RELAY:
            await call.connect()
            await call.words(1)
        yield call, desk


async def test_an_order_is_for_the_turns_that_follow_and_stands_with_the_call(desk: Desk) -> None:
    assert await desk.order("HI") == "hi-IN"
    assert await desk.noted() == "hi-IN"
    live_calls, agent = desk.house.live_calls, desk.house.agent
    assert await call_language(live_calls, CALL_ID, 1, agent) == "hi-IN"
    assert await hearing_language(live_calls, CALL_ID, 1, agent) == ("hi-IN", "hi-IN")
    assert (await desk.heard_as()).voice == agent.voice


@pytest.mark.parametrize("wanted", ["fr", "", "auto", "hi IN", "हिन्दी", "x" * 500])
async def test_a_language_that_the_agent_does_not_speak_is_refused(desk: Desk, wanted: str) -> None:
    with pytest.raises(InvalidRequest, match="this agent speaks en, hi-IN, gu-IN, es-ES") as refused:
        await desk.order(wanted)
    assert refused.value.code == "language_unknown"
    assert (await desk.heard_as()).language == "en"


async def test_only_a_running_call_of_the_tenant_is_ordered(desk: Desk) -> None:
    with pytest.raises(NotFound):
        await desk.worker().order("tenant-2", CALL_ID, "hi")
    with pytest.raises(NotFound):
        await desk.worker().order(TENANT_ID, "unknown", "hi")
    await desk.house.end_call.note(CALL_ID, EndReason.CALLER_HUNG_UP)
    with pytest.raises(Conflict):
        await desk.order("hi")


async def test_what_is_said_besides_answers_is_translated_once(desk: Desk) -> None:
    await desk.order("gu-IN")
    agent = await desk.heard_as()
    own = desk.house.agent
    assert fillers_of(agent) == ("[gu-IN] One moment, please.", "[gu-IN] Let me look.")
    assert apology_of(agent) == f"[gu-IN] {apology_of(own)}"
    assert {source for _, _, source in desk.translation.asked} == {"en"}
    assert [fillers_of(prepared) for prepared in desk.sounds.prepared] == [fillers_of(agent)]
    assert desk.sounds.prepared[0].greeting == ""
    known = len(desk.translation.asked)
    await desk.order("en")
    assert fillers_of(await desk.heard_as()) == fillers_of(own)
    await desk.order("gu-IN")
    assert fillers_of(await desk.heard_as()) == fillers_of(agent)
    assert len(desk.translation.asked) == known


async def test_what_is_written_in_the_language_is_not_translated(desk: Desk) -> None:
    await desk.order("hi-IN")
    assert [text for text, _, _ in desk.translation.asked] == list(MANNER.fillers)
    assert apology_of(await desk.heard_as()).startswith("माफ़")


@pytest.mark.parametrize(("language", "filler"), [("gu-IN", "One moment, please."), ("es-ES", "Un momento.")])
async def test_without_a_translation_something_is_said_all_the_same(desk: Desk, language: str, filler: str) -> None:
    desk.translation.fails = {MANNER.fillers[1]}
    await desk.order(language)
    assert fillers_of(await desk.heard_as())[0] == filler
    await desk.order(language, translation=None)
    assert fillers_of(await desk.heard_as())[0] == filler
    assert await desk.noted() == language


async def test_a_translation_that_does_not_come_is_not_waited_for(desk: Desk) -> None:
    desk.translation.hangs = True
    began_ms = desk.house.clock.now_ms()
    await desk.worker().order(TENANT_ID, CALL_ID, "gu-IN")
    assert desk.house.clock.now_ms() - began_ms < 100
    assert fillers_of(await desk.heard_as()) == MANNER.fillers
    await asyncio.sleep(10)
    assert await desk.noted() == "gu-IN"


async def test_the_ear_listens_for_an_ordered_language_until_the_call_leaves_it(desk: Desk) -> None:
    house = desk.house
    house.change_agent(manner=Manner(languages=("hi-IN",)))
    await desk.order("hi-IN")
    caller, listened = Caller(house), []
    for turn in (1, 2, 3, 4):
        await over(house, turn - 1)
        ear = FakeSpeechToText("Hello, in English.")
        await hear_while(hearing(house, ear), caller, silence(400), voice(1000), turn=turn)
        listened += ear.languages
    assert listened == ["hi-IN", "hi-IN", "hi-IN", "auto"]
    journals = await house.live_calls.journals(CALL_ID, range(1, 5))
    # The first turn may have been spoken before anybody knew of the order.
    assert [journal["language"] for journal in journals] == ["hi-IN", "hi-IN", "en", "en"]


@pytest.mark.parametrize(
    ("identified", "expected"),
    [
        (["es", "es", "es"], ["en", "es-ES", "es-ES"]),
        (["es", "en", "es"], ["en", "en", "en"]),
        (["fr", "fr", "fr"], ["en", "en", "en"]),
        ([], ["en", "en", "en"]),
    ],
)
async def test_words_whose_letters_do_not_tell_are_identified(
    desk: Desk, identified: list[str], expected: list[str]
) -> None:
    house, worker = desk.house, desk.worker()
    desk.translation.languages = list(identified)
    caller = Caller(house)
    for turn in (1, 2, 3):
        await over(house, turn - 1)
        step = replace(hearing(house, FakeSpeechToText("buenos dias señora")), switch_language=worker)
        await hear_while(step, caller, silence(400), voice(1000), turn=turn)
        await asyncio.sleep(1)
    journals = await house.live_calls.journals(CALL_ID, range(1, 4))
    assert [journal["language"] for journal in journals] == expected


async def test_what_is_identified_does_not_stand_against_an_order(desk: Desk) -> None:
    house, worker, caller = desk.house, desk.worker(), Caller(desk.house)
    desk.translation.languages = ["en"] * 4
    for turn in (1, 2, 3, 4):
        await over(house, turn - 1)
        step = replace(hearing(house, FakeSpeechToText("is this Spanish now")), switch_language=worker)
        hearing_it = asyncio.create_task(hear_while(step, caller, silence(400), voice(1000), turn=turn))
        await asyncio.sleep(0.5)
        if turn == 2:  # amid the caller's words
            await worker.order(TENANT_ID, CALL_ID, "es-ES")
        await hearing_it
        await asyncio.sleep(1)
    journals = await house.live_calls.journals(CALL_ID, range(1, 5))
    assert [journal["language"] for journal in journals] == ["en", "es-ES", "es-ES", "es-ES"]
    assert len(desk.translation.languages) == 2, "what is heard in an ordered language is not identified"


async def test_a_line_of_requests_is_told_with_its_next_reply() -> None:
    async with desk_of(Line.TWILIO_GATHER) as (call, desk):
        assert (await call.ask(0, None)).language == "en"
        await desk.order("hi-IN")
        # It was still listening for English, which is no reason to go back.
        reply = await call.take(CALL_ID, 1, "one", within_s=6.0, language="en-US")
        assert (reply.language, reply.voice) == ("hi-IN", "")
        assert "hi-IN: answer in it" in call.model.asked[-1][0]
        reply = await call.take(CALL_ID, 2, "two", within_s=6.0, language="hi-IN")
        assert reply.language == "hi-IN"
        silent = await call.take(CALL_ID, 3, "", within_s=6.0, language="hi-IN")
        assert (silent.turn, silent.next, silent.language) == (2, Next.LISTEN, "hi-IN")
        await desk.order("en")
        assert (await call.take(CALL_ID, 3, "", within_s=6.0, language="hi-IN")).language == "en"
        reply = await call.take(CALL_ID, 3, "three", within_s=6.0, language="hi-IN")
        assert (reply.language, reply.voice) == ("en", call.house.agent.voice)


async def test_a_late_answer_is_filled_in_the_language_of_the_call() -> None:
    async with desk_of(Line.TWILIO_GATHER) as (call, desk):
        await call.ask(0, None)
        await desk.order("gu-IN")
        call.model.answers["slow"] = Answer(("At last.",), sentence_ms=5000)
        reply = await call.take(CALL_ID, 1, "slow", within_s=2.0)
        assert reply.next is Next.COME_AGAIN
        assert reply.text.startswith("[gu-IN] ")


async def test_a_relay_is_told_at_once_when_it_is_ordered() -> None:
    async with desk_of(Line.TWILIO_RELAY) as (call, desk):
        await desk.order("hi-IN")
        assert call.channel.told == [("language", "hi-IN")]
        await call.streams.heard(CALL_ID, "one", "en-US")
        await call.until_said("You said one.")
        await call.streams.heard(CALL_ID, "two", "hi-IN")
        await call.until_said("You said two.")
        assert call.channel.languages == ["en", "hi-IN", "hi-IN"]
        assert call.channel.told == [("language", "hi-IN")]


async def test_a_relay_is_told_when_its_caller_speaks_another_language() -> None:
    async with desk_of(Line.TWILIO_RELAY) as (call, desk):
        await call.streams.heard(CALL_ID, "नमस्ते", "hi-IN")
        await call.until_said("You said नमस्ते.")
        await asyncio.sleep(5)
        assert call.channel.told == [("language", "hi-IN")]
        assert call.channel.languages == ["en", "hi-IN"]
        assert await desk.noted() == "hi-IN"
        assert fillers_of(await desk.heard_as(2))[0] == "[hi-IN] One moment, please."


async def test_a_caller_whose_letters_are_another_languages_is_believed_at_the_second_time() -> None:
    async with desk_of(Line.TWILIO_RELAY) as (call, _):
        for words in ("नमस्ते", "मेरा फ़ोन"):
            await call.streams.heard(CALL_ID, words, "en-US")
            await call.until_said(f"You said {words}.")
        await asyncio.sleep(5)
        assert call.channel.told == [("language", "hi-IN")]
        assert call.channel.languages == ["en", "en", "hi-IN"]


async def test_a_relays_next_socket_begins_in_the_language_of_the_call() -> None:
    async with desk_of(Line.TWILIO_RELAY) as (call, desk):
        await desk.order("hi-IN")
        answered = await call.move_media.resume(call.house.provider, CALL_SID)
        assert answered.agent.language == "hi-IN"
        assert "en" in answered.agent.manner.languages


async def test_the_transfer_of_a_caller_says_nothing_of_languages() -> None:
    async with desk_of(Line.TWILIO_GATHER) as (call, desk):
        await call.ask(0, None)
        await desk.order("hi-IN")
        await call.orders.order(CALL_ID, Transfer("+14155550188"))
        reply = await call.take(CALL_ID, 1, "one", within_s=6.0, language="en-US")
        assert (reply.next, reply.language) == (Next.TRANSFER, "hi-IN")


@pytest.mark.parametrize("after", [False, True])
@pytest.mark.parametrize("at", range(7))
@pytest.mark.parametrize("is_ordered", [False, True])
async def test_a_call_whose_worker_dies_goes_on_in_its_language(at: int, *, after: bool, is_ordered: bool) -> None:
    async with desk_of(Line.TWILIO_RELAY) as (call, desk):
        if is_ordered:
            await desk.order("hi-IN")
        mortal = Mortal(call, "hear 1", at, after=after)
        await call.streams.heard(CALL_ID, "एक", "en-US" if is_ordered else "hi-IN")
        await call.until_said("You said एक.")
        assert mortal.done > at or call.workers["hear 1"].task.done()
        await call.streams.heard(CALL_ID, "दो", "hi-IN")
        await call.until_said("You said दो.")
        await asyncio.sleep(10)
        assert call.channel.languages[0] == "en"
        assert set(call.channel.languages[1:]) == {"hi-IN"}
        assert set(call.channel.told) == {("language", "hi-IN")}
        assert await desk.noted() == "hi-IN"


class TwoVersions(FakeDirectory):
    """The agent that is published now does not speak what the one did with which the call began."""

    async def agent(self, tenant_id: str, agent_id: str | None, version: int = 0) -> Agent | None:
        agent = await super().agent(tenant_id, agent_id)
        return agent if agent is None or version == 1 else replace(agent, manner=Manner())


async def test_the_languages_are_those_of_the_version_that_the_call_began_with() -> None:
    house = House()
    house.change_agent(manner=MANNER)
    await house.live_calls.open(
        LiveCall(CALL_ID, TENANT_ID, "nora", Provider.TWILIO, CALL_SID, Line.TWILIO, agent_version=1)
    )
    await house.connect()
    desk = Desk(house)
    assert await desk.order("hi", directory=TwoVersions(house.agent)) == "hi-IN"
    await house.channel.finish()
