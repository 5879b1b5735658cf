"""Thinking: sentences go out while the model still speaks, a crash loses none, an interruption stops it."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncGenerator
from typing import Any

import pytest

from shared.domain import interruption, pipe_names, takes
from shared.domain.conversation import APOLOGY
from shared.domain.errors import LanguageModelError, NotFound, StoreError
from shared.ports.language_model import Message
from shared.ports.pipes import Entry
from shared.use_cases.thinking.think import Think
from tests.fakes.call import CALL_ID, House, turn_request
from tests.fakes.models import Answer, FakeLanguageModel

TOKENS = ["Let", " me", " look", ".", " It", " is", " on", " its", " way", ".", " Anything", " else", "?"]
SENTENCES = ["Let me look.", "It is on its way.", "Anything else?"]
END = {"event": "end"}
BROKEN = LanguageModelError("llm_stalled", "no token came in time", retryable=True)


@pytest.fixture
async def house() -> House:
    house = House()
    await house.connect()
    await house.live_calls.note(CALL_ID, 0, {"said": "Hello, this is Nora.", "outcome": "completed"})
    await house.write(0, pipe_names.SPOKEN, {"said": "Hello, this is Nora."}, pipe_names.END_POSITION)
    return house


def thinking(house: House, model: FakeLanguageModel) -> Think:
    return Think(house.pipes, house.live_calls, house.directory, model, house.clock)


async def tell(house: House, event: takes.TakeEvent, turn: int = 1) -> None:
    """As listening does."""
    position, fields = takes.written(event)
    await house.write(turn, pipe_names.TRANSCRIPT, fields, position)


async def heard(house: House, text: str = "Where is my order?", turn: int = 1) -> None:
    await tell(house, takes.Final(1, text), turn)


async def sentences(house: House, turn: int = 1) -> list[dict[str, str]]:
    return await house.pipe(turn, pipe_names.SENTENCES)


def said(*texts: str, outcome: str = "") -> list[dict[str, str]]:
    return [*({"text": text} for text in texts), {"event": "answer_end", "outcome": outcome}, END]


async def test_an_answer(house: House) -> None:
    model = FakeLanguageModel(house.clock, Answer(TOKENS))
    await heard(house)
    await thinking(house, model)(turn_request(1))
    assert await sentences(house) == said(*SENTENCES)
    (messages,) = model.asked
    assert messages[0].role == "system"
    assert messages[0].text.startswith("You are Nora.")
    assert messages[1:] == [
        Message("assistant", "Hello, this is Nora."),
        Message("user", "Where is my order?"),
    ]


async def test_it_waits_for_the_words(house: House) -> None:
    model = FakeLanguageModel(house.clock, Answer(["Yes."]))
    task = asyncio.create_task(thinking(house, model)(turn_request(1)))
    await house.clock.sleep_ms(30_000)
    assert model.asked == []
    await heard(house)
    await task
    assert await sentences(house) == said("Yes.")


async def test_each_sentence_goes_out_as_soon_as_it_is_whole(house: House) -> None:
    model = FakeLanguageModel(house.clock, Answer(TOKENS, token_ms=100))
    await heard(house)
    began_ms = house.clock.now_ms()
    task = asyncio.create_task(thinking(house, model)(turn_request(1)))
    await house.clock.sleep_ms(450)
    assert await sentences(house) == [{"text": "Let me look."}]
    await house.clock.sleep_ms(600)
    assert await sentences(house) == [{"text": "Let me look."}, {"text": "It is on its way."}]
    await task
    journal = await house.live_calls.journal(CALL_ID, 1)
    assert float(journal["first_token_ms"]) - began_ms == pytest.approx(100, abs=1)
    assert float(journal["first_sentence_ms"]) - began_ms == pytest.approx(400, abs=1)


async def test_a_transcript_that_failed_is_apologised_for(house: House) -> None:
    model = FakeLanguageModel(house.clock)
    await tell(house, takes.Failed(1))
    await thinking(house, model)(turn_request(1))
    assert await sentences(house) == said(APOLOGY, outcome="failed")


@pytest.mark.parametrize("tokens", [[], [""], ["  ", "\n"], ["!", "?"]])
async def test_a_model_that_says_nothing_is_apologised_for(house: House, tokens: list[str]) -> None:
    await heard(house)
    await thinking(house, FakeLanguageModel(house.clock, Answer(tokens)))(turn_request(1))
    assert await sentences(house) == said(APOLOGY, outcome="failed")


async def test_a_model_that_fails_is_apologised_for(house: House) -> None:
    await heard(house)
    await thinking(house, FakeLanguageModel(house.clock, Answer([], error=BROKEN)))(turn_request(1))
    assert await sentences(house) == said(APOLOGY, outcome="failed")


async def test_a_model_that_breaks_off_is_apologised_for_after_what_it_said(house: House) -> None:
    await heard(house)
    await thinking(house, FakeLanguageModel(house.clock, Answer(TOKENS[:6], error=BROKEN)))(turn_request(1))
    assert await sentences(house) == said("Let me look.", APOLOGY, outcome="failed")


async def test_a_call_that_ends_needs_no_answer(house: House) -> None:
    await tell(house, takes.Ended())
    await thinking(house, FakeLanguageModel(house.clock))(turn_request(1))
    assert await sentences(house) == [END]


async def test_a_call_that_ends_without_a_word_to_thinking(house: House) -> None:
    task = asyncio.create_task(thinking(house, FakeLanguageModel(house.clock))(turn_request(1)))
    await house.clock.sleep_ms(1000)
    await house.live_calls.end(CALL_ID, "error")
    await asyncio.wait_for(task, 11)
    assert await sentences(house) == [END]


@pytest.mark.parametrize("answer", [Answer(TOKENS, token_ms=100), Answer(TOKENS, stall_ms=3_000)])
async def test_an_interruption_cancels_the_model_at_once(house: House, answer: Answer) -> None:
    model = FakeLanguageModel(house.clock, answer)
    await heard(house)
    task = asyncio.create_task(thinking(house, model)(turn_request(1)))
    await house.clock.sleep_ms(650)
    position, fields = interruption.written(interruption.Stop(house.clock.now_ms()))
    await house.write(1, pipe_names.CONTROL, fields, position)
    stopped_ms = house.clock.now_ms()
    await task
    assert house.clock.now_ms() - stopped_ms < 5
    assert model.cancelled == 1
    assert (await sentences(house))[-1] == END
    assert len(await sentences(house)) == (1 if answer.stall_ms else 2)


@pytest.mark.parametrize("position", ["1-0", pipe_names.END_POSITION])
async def test_history_is_what_was_heard_of_the_answer_before(house: House, position: str) -> None:
    """The turn before is still being held or ended when this one begins to think."""
    await house.live_calls.note(CALL_ID, 1, {"heard": "Tell me a story."})
    await heard(house, "Stop!", turn=2)
    model = FakeLanguageModel(house.clock, Answer(["Sorry."]))
    task = asyncio.create_task(thinking(house, model)(turn_request(2)))
    await house.clock.sleep_ms(500)
    assert model.asked == []
    await house.live_calls.note(CALL_ID, 1, {"said": "Once upon", "outcome": "interrupted"})
    await house.write(1, pipe_names.SPOKEN, {"said": "Once upon"}, position)
    await task
    assert [message.text for message in model.asked[0][2:]] == ["Tell me a story.", "Once upon", "Stop!"]


@pytest.mark.parametrize(("interruptible", "patience_ms"), [(True, 2_000), (False, 120_000)])
async def test_it_does_not_wait_for_the_turn_before_for_ever(
    house: House, interruptible: bool, patience_ms: float
) -> None:
    house.change_agent(interruptible=interruptible)
    await house.live_calls.note(CALL_ID, 1, {"heard": "Hello?"})
    await heard(house, turn=2)
    began_ms = house.clock.now_ms()
    await thinking(house, FakeLanguageModel(house.clock, Answer(["Yes."], token_ms=0)))(turn_request(2))
    assert house.clock.now_ms() - began_ms == pytest.approx(patience_ms, abs=10)
    assert await sentences(house, 2) == said("Yes.")


class Crash:
    """Lets a number of sentences pass and then crashes the worker before or after the next is written."""

    def __init__(self, house: House, passes: int, *, after: bool) -> None:
        self._append, self._passes, self._after = house.pipes.append, passes, after

    async def append(self, pipe: str, fields: object, *, position: str | None = None, **options: object) -> None:
        self._passes -= 1
        if self._passes < 0 and not self._after:
            raise SystemError("the worker died")
        await self._append(pipe, fields, position=position, **options)  # type: ignore[arg-type]
        if self._passes < 0:
            raise SystemError("the worker died")


@pytest.mark.parametrize("after", [True, False])
@pytest.mark.parametrize("passes", range(5))
async def test_after_a_crash_what_stands_is_kept_and_what_is_missing_is_added(
    house: House, passes: int, after: bool
) -> None:
    await heard(house)
    honest = house.pipes.append
    house.pipes.append = Crash(house, passes, after=after).append  # type: ignore[method-assign]
    with pytest.raises(SystemError):
        await thinking(house, FakeLanguageModel(house.clock, Answer(TOKENS)))(turn_request(1))
    house.pipes.append = honest  # type: ignore[method-assign]
    before = await sentences(house)
    assert len(before) == passes + after
    done = passes + after >= 4  # the answer is whole
    model = FakeLanguageModel(house.clock, *([] if done else [Answer(TOKENS)]))
    await thinking(house, model)(turn_request(1))
    model.assert_complete()
    assert await sentences(house) == said(*SENTENCES)


@pytest.mark.parametrize("passes", range(4))
async def test_after_a_crash_another_answer_never_says_a_place_twice(house: House, passes: int) -> None:
    """Models do not always repeat themselves."""
    await heard(house)
    honest = house.pipes.append
    house.pipes.append = Crash(house, passes, after=False).append  # type: ignore[method-assign]
    with pytest.raises(SystemError):
        await thinking(house, FakeLanguageModel(house.clock, Answer(TOKENS)))(turn_request(1))
    house.pipes.append = honest  # type: ignore[method-assign]
    other = ["One", ".", " Two", ".", " Three", ".", " Four", "."]
    await thinking(house, FakeLanguageModel(house.clock, Answer(other)))(turn_request(1))
    written = [entry["text"] for entry in (await sentences(house))[:-2]]
    assert written[:passes] == SENTENCES[:passes]
    assert written[passes:] == ["One.", "Two.", "Three.", "Four."][passes:]


async def test_a_crash_while_apologising_apologises_once(house: House) -> None:
    await heard(house)
    honest = house.pipes.append
    house.pipes.append = Crash(house, 1, after=True).append  # type: ignore[method-assign]
    with pytest.raises(SystemError):
        await thinking(house, FakeLanguageModel(house.clock, Answer(TOKENS[:6], error=BROKEN)))(turn_request(1))
    house.pipes.append = honest  # type: ignore[method-assign]
    await thinking(house, FakeLanguageModel(house.clock, Answer(TOKENS[:6], error=BROKEN)))(turn_request(1))
    assert await sentences(house) == said("Let me look.", APOLOGY, outcome="failed")


async def test_an_agent_that_is_gone(house: House) -> None:
    house.directory.agents = []
    await heard(house)
    with pytest.raises(NotFound, match="agent_unknown"):
        await thinking(house, FakeLanguageModel(house.clock))(turn_request(1))


async def test_an_ear_for_interruptions_that_fails_is_told(house: House) -> None:
    """The model goes on well, and yet the step must be run again, for it cannot be stopped any more."""
    honest = house.pipes.follow

    async def follow(pipe: str, *arguments: Any, **options: Any) -> AsyncGenerator[list[Entry], None]:
        if pipe.endswith(pipe_names.CONTROL):
            await house.clock.sleep_ms(30)
            raise StoreError("redis_unavailable", "away", retryable=True)
        async for batch in honest(pipe, *arguments, **options):
            yield batch

    house.pipes.follow = follow  # type: ignore[method-assign]
    await heard(house)
    with pytest.raises(StoreError):
        await thinking(house, FakeLanguageModel(house.clock, Answer(TOKENS)))(turn_request(1))
    assert END not in await sentences(house)


async def test_waiting_for_an_interruption_that_fails_is_no_interruption(house: House) -> None:
    """Otherwise a hiccup of the pipes would cut the answer off and nobody would know."""
    model = FakeLanguageModel(house.clock, Answer(TOKENS, token_ms=1_000))
    await heard(house)
    task = asyncio.create_task(thinking(house, model)(turn_request(1)))
    await house.clock.sleep_ms(500)
    house.pipes.down = True
    await house.clock.sleep_ms(20_000)
    house.pipes.down = False
    with pytest.raises(StoreError):
        await task
    await thinking(house, FakeLanguageModel(house.clock, Answer(TOKENS)))(turn_request(1))
    assert await sentences(house) == said(*SENTENCES)


async def test_thinking_begins_at_a_pause(house: House) -> None:
    """When the turn is over, the answer to its words is there already."""
    model = FakeLanguageModel(house.clock, Answer(TOKENS))
    task = asyncio.create_task(thinking(house, model)(turn_request(1)))
    await tell(house, takes.Tentative(1, "Where is my order?"))
    await house.clock.sleep_ms(400)
    assert await sentences(house) == said(*SENTENCES)[:-1]
    assert "first_token_ms" not in await house.live_calls.journal(CALL_ID, 1), "nobody may ever hear of it"
    began_ms = house.clock.now_ms()
    await heard(house)
    await task
    assert house.clock.now_ms() - began_ms < 1
    assert await sentences(house) == said(*SENTENCES)
    journal = await house.live_calls.journal(CALL_ID, 1)
    assert float(journal["first_token_ms"]) < began_ms
    assert journal["cost.tokens"] == str(len(TOKENS))


@pytest.mark.parametrize("withdrawn", [True, False])
async def test_who_goes_on_is_answered_once(house: House, withdrawn: bool) -> None:
    """A newer take overtakes the older even where the withdrawal was not written."""
    model = FakeLanguageModel(house.clock, Answer(TOKENS, token_ms=100), Answer(["Yes."]))
    task = asyncio.create_task(thinking(house, model)(turn_request(1)))
    await tell(house, takes.Tentative(1, "Where is"))
    await house.clock.sleep_ms(450)
    if withdrawn:
        await tell(house, takes.Withdrawn(1))
        await house.clock.sleep_ms(1)
        assert model.cancelled == 1
    await tell(house, takes.Final(2, "Where is my order?"))
    await task
    assert model.cancelled == 1
    written = await house.pipes.read(pipe_names.turn(CALL_ID, 1, pipe_names.SENTENCES))
    assert [(entry.position, entry.fields.get(b"text")) for entry in written] == [
        ("1-1", b"Let me look."),
        ("2-1", b"Yes."),
        ("2-1000000", None),
        (pipe_names.END_POSITION, None),
    ]
    assert [messages[-1].text for messages in model.asked] == ["Where is", "Where is my order?"]
    journal = await house.live_calls.journal(CALL_ID, 1)
    assert (journal["cost.tokens"], journal["cost.tokens_withdrawn"]) == ("1", "4")


async def test_a_take_that_failed_is_apologised_for_only_if_it_is_heard(house: House) -> None:
    model = FakeLanguageModel(house.clock, Answer([], error=BROKEN), Answer(["Yes."]))
    task = asyncio.create_task(thinking(house, model)(turn_request(1)))
    await tell(house, takes.Tentative(1, "Where is"))
    await house.clock.sleep_ms(100)
    await tell(house, takes.Final(2, "Where is my order?"))
    await task
    assert (await sentences(house))[-3:] == said("Yes.")


async def test_a_call_that_ends_in_a_pause_leaves_no_model_behind(house: House) -> None:
    model = FakeLanguageModel(house.clock, Answer(TOKENS, token_ms=1000))
    task = asyncio.create_task(thinking(house, model)(turn_request(1)))
    await tell(house, takes.Tentative(1, "Where is my order?"))
    await house.clock.sleep_ms(100)
    await tell(house, takes.Ended())
    await task
    assert model.cancelled == 1
    assert await sentences(house) == [END]


async def test_who_speaks_may_give_the_answer_up(house: House) -> None:
    """It does not come in time, so the caller was told so; nobody needs it any more."""
    model = FakeLanguageModel(house.clock, Answer(TOKENS, stall_ms=60_000))
    await heard(house)
    task = asyncio.create_task(thinking(house, model)(turn_request(1)))
    await house.clock.sleep_ms(8_000)
    await house.write(1, pipe_names.SPOKEN, {"event": "end", "said": APOLOGY}, pipe_names.END_POSITION)
    await task
    assert model.cancelled == 1


async def test_history_is_there_before_the_words_are(house: House) -> None:
    """So that thinking waits for nothing but them."""
    model = FakeLanguageModel(house.clock, Answer(["Yes."]))
    task = asyncio.create_task(thinking(house, model)(turn_request(1)))
    await house.clock.sleep_ms(100)
    house.live_calls.journals = None  # type: ignore[method-assign,assignment]
    await heard(house)
    await task
    assert model.asked[0][1] == Message("assistant", "Hello, this is Nora.")


async def test_the_budget_of_the_first_token_goes_with_the_question(house: House) -> None:
    model = FakeLanguageModel(house.clock, Answer(["Yes."]))
    await heard(house)
    await thinking(house, model)(turn_request(1))
    assert model.late_after_ms == [house.agent.manner.race_after_ms]
