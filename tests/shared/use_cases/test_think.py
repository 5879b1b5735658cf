"""Thinking: sentences go out while the model still speaks, a crash loses none, an interruption stops it."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncGenerator
from typing import Any

import pytest

from shared.domain import pipe_names
from shared.domain.conversation import APOLOGY, NOT_UNDERSTOOD
from shared.domain.errors import LanguageModelError, NotFound, StoreError
from shared.ports.language_model import Message
from shared.ports.pipes import Entry
from shared.use_cases.think import Think
from tests.fakes.call import CALL_ID, House, turn_request
from tests.fakes.models import Answer, FakeLanguageModel

TOKENS = ["Let", " me", " look", ".", " It", " is", " on", " its", " way", ".", " Anything", " else", "?"]
SENTENCES = ["Let me look.", "It is on its way.", "Anything else?"]
END = {"event": "end", "outcome": ""}
BROKEN = LanguageModelError("llm_stalled", "no token came in time", retryable=True)


@pytest.fixture
async def house() -> House:
    house = House()
    await house.connect()
    await house.live_calls.note(CALL_ID, 0, {"said": "Hello, this is Nora.", "outcome": "completed"})
    await house.write(0, pipe_names.SPOKEN, {"said": "Hello, this is Nora."}, "1-0")
    return house


def thinking(house: House, model: FakeLanguageModel) -> Think:
    return Think(house.pipes, house.live_calls, house.directory, model, house.clock)


async def heard(house: House, text: str = "Where is my order?", turn: int = 1) -> None:
    await house.write(turn, pipe_names.TRANSCRIPT, {"text": text}, "1-0")


async def sentences(house: House, turn: int = 1) -> list[dict[str, str]]:
    return await house.pipe(turn, pipe_names.SENTENCES)


def said(*texts: str, outcome: str = "") -> list[dict[str, str]]:
    return [*({"text": text} for text in texts), {"event": "end", "outcome": outcome}]


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
    await house.write(1, pipe_names.TRANSCRIPT, {"event": "failed"}, "1-0")
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


async def test_a_noise_is_answered_with_silence(house: House) -> None:
    await heard(house, "")
    await thinking(house, FakeLanguageModel(house.clock))(turn_request(1))
    assert await sentences(house) == [END]


async def test_a_noise_that_cut_the_agent_short_is_asked_about(house: House) -> None:
    await house.live_calls.note(CALL_ID, 0, {"outcome": "interrupted"})
    await heard(house, "")
    await thinking(house, FakeLanguageModel(house.clock))(turn_request(1))
    assert await sentences(house) == said(NOT_UNDERSTOOD)


async def test_a_call_that_ends_needs_no_answer(house: House) -> None:
    await house.write(1, pipe_names.TRANSCRIPT, {"event": "end"}, "1-0")
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
    await house.write(1, pipe_names.CONTROL, {"event": "stop", "at_ms": repr(house.clock.now_ms())}, "1-0")
    stopped_ms = house.clock.now_ms()
    await task
    assert house.clock.now_ms() - stopped_ms < 5
    assert model.cancelled == 1
    assert (await sentences(house))[-1] == END
    assert len(await sentences(house)) == (1 if answer.stall_ms else 2)


async def test_history_is_what_was_heard_of_the_answer_before(house: House) -> None:
    """The turn before is still being ended when this one begins to think."""
    await house.live_calls.note(CALL_ID, 1, {"heard": "Tell me a story."})
    await heard(house, "Stop!", turn=2)
    model = FakeLanguageModel(house.clock, Answer(["Sorry."]))
    task = asyncio.create_task(thinking(house, model)(turn_request(2)))
    await house.clock.sleep_ms(500)
    assert model.asked == []
    await house.live_calls.note(CALL_ID, 1, {"said": "Once upon", "outcome": "interrupted"})
    await house.write(1, pipe_names.SPOKEN, {"said": "Once upon"}, "1-0")
    await task
    assert [message.text for message in model.asked[0][2:]] == ["Tell me a story.", "Once upon", "Stop!"]


async def test_who_pauses_and_goes_on_is_understood_as_a_whole(house: House) -> None:
    """Both halves are transcribed side by side, and the second may be ready first."""
    await house.write(1, pipe_names.SPOKEN, {"said": ""}, "1-0")
    await house.live_calls.note(CALL_ID, 1, {"said": "", "outcome": "unheard"})
    await heard(house, "with number seven.", turn=2)
    model = FakeLanguageModel(house.clock, Answer(["Yes."]))
    task = asyncio.create_task(thinking(house, model)(turn_request(2)))
    await house.clock.sleep_ms(1_000)
    assert model.asked == []
    await heard(house, "I want to ask about my order", turn=1)
    await task
    words = [message.text for message in model.asked[0] if message.role == "user"]
    assert words == ["I want to ask about my order", "with number seven."]


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

    async def append(self, pipe: str, fields: object, *, position: str | None = None) -> None:
        self._passes -= 1
        if self._passes < 0 and not self._after:
            raise SystemError("the worker died")
        await self._append(pipe, fields, position=position)  # type: ignore[arg-type]
        if self._passes < 0:
            raise SystemError("the worker died")


@pytest.mark.parametrize("after", [True, False])
@pytest.mark.parametrize("passes", range(4))
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
    done = before[-1:] == [END]
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
    written = [entry["text"] for entry in (await sentences(house))[:-1]]
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
