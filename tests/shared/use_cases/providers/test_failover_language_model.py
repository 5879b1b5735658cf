"""An answer is given as long as one of the models can give it, and never twice."""

from __future__ import annotations

import asyncio
from contextlib import aclosing

import pytest
from hypothesis import given
from hypothesis import strategies as st

from shared.domain.agents.models import ModelChoice, ModelProvider
from shared.domain.errors import ContentRefused, LanguageModelError
from shared.ports.language_model import Message, ToolCall, ToolOffer, Usage, Wish
from shared.use_cases.providers.continuation import Continuation
from shared.use_cases.providers.failover_language_model import FailoverLanguageModel
from shared.use_cases.providers.provider_health import ProviderHealth
from tests.fakes.circuit_breakers import FakeCircuitBreakers
from tests.fakes.clock import FakeClock
from tests.fakes.models import Answer, FakeLanguageModel

MESSAGES = [Message("system", "You are Nora."), Message("user", "Where is my order?")]
TOKENS = ["It", " is", " on", " its", " way."]
BROKEN = LanguageModelError("broken", "it broke", retryable=True)


def models(first: list[Answer], second: list[Answer]) -> tuple[FakeLanguageModel, FakeLanguageModel]:
    return FakeLanguageModel(FakeClock(), *first), FakeLanguageModel(FakeClock(), *second)


async def ask(*both: FakeLanguageModel, late_after_ms: int = 0) -> tuple[str, float]:
    """The answer, and when its first word came, in milliseconds."""
    named = {f"llm:{number}": model for number, model in enumerate(both, 1)}
    model = FailoverLanguageModel(named, ProviderHealth(FakeCircuitBreakers()))
    began, first_ms, text = asyncio.get_running_loop().time(), -1.0, ""
    async with aclosing(model.answer(MESSAGES, call_id="c", wish=Wish(late_after_ms=late_after_ms))) as tokens:
        async for token in tokens:
            assert isinstance(token, str)
            text += token
            if first_ms < 0:
                first_ms = round((asyncio.get_running_loop().time() - began) * 1000)
    for one in both:
        one.assert_complete()
    return text, first_ms


async def test_one_is_enough() -> None:
    first, second = models([Answer(TOKENS)], [])
    assert await ask(first, second, late_after_ms=500) == ("It is on its way.", 10)
    assert first.asked == [MESSAGES]


async def test_a_late_one_is_raced() -> None:
    first, second = models([Answer(TOKENS, stall_ms=60_000)], [Answer(["Soon."])])
    assert await ask(first, second, late_after_ms=500) == ("Soon.", 510)
    assert first.cancelled == 1


@pytest.mark.parametrize("tokens", [[], [""], [" ", "\n"]])
async def test_no_word_is_no_answer(tokens: list[str]) -> None:
    assert (await ask(*models([Answer(tokens)], [Answer(["Soon."])])))[0] == "Soon."
    with pytest.raises(LanguageModelError, match="answer_empty"):
        await ask(*models([Answer(tokens)], [])[:1])


async def test_blank_tokens_stay_between_words() -> None:
    assert (await ask(models([Answer(["", "One", " ", "", "two", "\n"])], [])[0]))[0] == "One two"


@pytest.mark.parametrize("rest", [["is", " on", " its", " way."], [" is", " on its way."], TOKENS])
async def test_another_one_goes_on_where_the_first_broke_off(rest: list[str]) -> None:
    first, second = models([Answer(["It"], error=BROKEN)], [Answer(rest)])
    assert (await ask(first, second))[0] == "It is on its way."
    *before, instruction, last = second.asked[0]
    assert (before, instruction.role) == (MESSAGES, "system")
    assert last == Message("assistant", "It")


async def test_whoever_goes_on_knows_all_that_was_said() -> None:
    first, second = models([Answer(["It", " is", " on"], error=BROKEN)], [Answer(["its way."])])
    assert (await ask(first, second))[0] == "It is on its way."
    assert second.asked[0][-1] == Message("assistant", "It is on")


async def test_another_one_goes_on_where_the_first_stalls() -> None:
    class Stalling(FakeLanguageModel):
        async def answer(self, *args, **kwargs):  # type: ignore[no-untyped-def, override]
            yield "It is"
            await asyncio.sleep(60)

    second = FakeLanguageModel(FakeClock(), Answer([" on its way."]))
    began = asyncio.get_running_loop().time()
    assert (await ask(Stalling(FakeClock()), second))[0] == "It is on its way."
    assert asyncio.get_running_loop().time() - began == pytest.approx(2.01)


async def test_nothing_was_missing_but_the_end() -> None:
    assert (await ask(*models([Answer(TOKENS, error=BROKEN)], [Answer([])])))[0] == "It is on its way."


async def test_both_break_off() -> None:
    first, second = models([Answer(["It"], error=BROKEN)], [Answer([" is"], error=BROKEN)])
    given: list[str] = []
    model = FailoverLanguageModel({"a": first, "b": second}, ProviderHealth(FakeCircuitBreakers()))
    with pytest.raises(LanguageModelError, match="broken"):
        async with aclosing(model.answer(MESSAGES, call_id="c")) as tokens:
            async for token in tokens:
                given.append(str(token))
    assert given == ["It", " is"]


async def test_closing_the_answer_cancels_the_model() -> None:
    first, second = models([Answer(TOKENS, token_ms=100)], [])
    model = FailoverLanguageModel({"a": first, "b": second}, ProviderHealth(FakeCircuitBreakers()))
    async with aclosing(model.answer(MESSAGES, call_id="c")) as tokens:
        assert await anext(tokens) == "It"
    assert (first.cancelled, first.given) == (1, [1])


@pytest.mark.parametrize(
    ("said", "tokens", "new"),
    [
        ("I", ["It", " is"], " It is"),
        ("I", ["I", " think"], " think"),
        ("Of course, I ha", ["Of course,", " I have it."], "ve it."),
        ("Of course,", ["Of", " late"], " Of late"),
        ("Hello ", ["there"], "there"),
        ("Hello", [", you"], ", you"),
        ("Hello", ["  there"], "  there"),
        ("Hello there", ["Hello"], " Hello"),
        ("Hello there", ["Hello there"], ""),
        ("नमस्ते", ["जी"], " जी"),
    ],
)
def test_what_is_new_in_a_continuation(said: str, tokens: list[str], new: str) -> None:
    continuation = Continuation(said)
    assert "".join([continuation.push(token) for token in tokens]) + continuation.flush() == new


SPOKEN = "Your order left on Monday. It will be"


@pytest.mark.parametrize(
    ("said", "answer", "whole"),
    [
        (SPOKEN, " there tomorrow.", f"{SPOKEN} there tomorrow."),
        (SPOKEN, f"{SPOKEN} there tomorrow.", f"{SPOKEN} there tomorrow."),
        (SPOKEN, "your order left on Monday, it will be there.", f"{SPOKEN} there."),
        (SPOKEN, "It will be there tomorrow.", f"{SPOKEN} there tomorrow."),
        (SPOKEN, "… will be there tomorrow.", f"{SPOKEN} there tomorrow."),
        (SPOKEN, '"It will be, I think, tomorrow."', f'{SPOKEN}, I think, tomorrow."'),
        (SPOKEN, "Your order left on Monday. It arrives soon.", f"{SPOKEN} – It arrives soon."),
        (SPOKEN, "It will arrive tomorrow.", f"{SPOKEN} – It will arrive tomorrow."),
        (SPOKEN, "Your order left on Monday.", SPOKEN),
        (SPOKEN, SPOKEN, SPOKEN),
        (SPOKEN, "be there soon.", f"{SPOKEN} be there soon."),
        ("It comes on Mon", "It comes on Monday at nine.", "It comes on Monday at nine."),
        ("It comes on Mon", "It comes on Tuesday at nine.", "It comes on Mon – Tuesday at nine."),
        ("It is blue.", "It is blue. It is big.", "It is blue. It is big."),
        ("It is blue.", "It is big.", "It is blue. It is big."),
        ("It is blue. It is big.", "It is blue. It is also heavy.", "It is blue. It is big. It is also heavy."),
        ("The number is 5 5", "5 5 2.", "The number is 5 5 5 5 2."),
        ("Press 1, then", "then wait.", "Press 1, then then wait."),
        ("Ihre Bestellung ist am", "ist am Montag los.", "Ihre Bestellung ist am Montag los."),
        ("आपका ऑर्डर सोमवार को", "आपका ऑर्डर सोमवार को निकला।", "आपका ऑर्डर सोमवार को निकला।"),
        ("您的订单星期一", "您的订单星期一已经发货。", "您的订单星期一已经发货。"),
        ("您的订单星期一", "已经发货。", "您的订单星期一已经发货。"),
        ("", "Hello.", "Hello."),
    ],
)
@pytest.mark.parametrize("size", [1, 3, 7, 1000])
def test_what_was_said_is_not_said_again(said: str, answer: str, whole: str, size: int) -> None:
    continuation = Continuation(said)
    tokens = [answer[start : start + size] for start in range(0, len(answer), size)]
    given = said + "".join([continuation.push(token) for token in tokens]) + continuation.flush()
    assert " ".join(given.split()) == whole


def test_what_goes_on_is_not_held_up() -> None:
    for token in (" there", "there", "delivered", ", so"):
        assert Continuation(SPOKEN).push(token).strip() == token.strip()


@given(st.text("ab .é订1"), st.text("ab .é订1"), st.integers(1, 5))
def test_however_it_is_cut_it_gives_the_same_and_only_what_came(said: str, answer: str, size: int) -> None:
    def given_by(tokens: list[str]) -> str:
        continuation = Continuation(said)
        return "".join([continuation.push(token) for token in tokens]) + continuation.flush()

    pieces = given_by([answer[start : start + size] for start in range(0, len(answer), size)])
    fresh = pieces.removeprefix(" – ").strip()
    assert answer.strip().endswith(fresh)


async def test_a_model_that_starts_anew_is_cut_where_the_first_one_stalled() -> None:
    class Stalling(FakeLanguageModel):
        async def answer(self, *args, **kwargs):  # type: ignore[no-untyped-def, override]
            yield "It left on Monday. It will"
            await asyncio.sleep(60)

    anew = ["It", " left on", " Monday.", " It", " will", " be", " there", " soon."]
    second = FakeLanguageModel(FakeClock(), Answer(anew))
    assert (await ask(Stalling(FakeClock()), second))[0] == "It left on Monday. It will be there soon."


CALL, COST = ToolCall("c1", "look_up", '{"order": 7}'), Usage("a", "m", 10, 3)
TOOLS = Wish(tools=(ToolOffer("look_up", "Looks an order up.", {"type": "object"}),))


async def items_of(*both: FakeLanguageModel, wish: Wish = TOOLS) -> list[str | ToolCall | Usage]:
    named = {f"llm:{number}": model for number, model in enumerate(both, 1)}
    model = FailoverLanguageModel(named, ProviderHealth(FakeCircuitBreakers()))
    async with aclosing(model.answer(MESSAGES, call_id="c", wish=wish)) as items:
        found = [item async for item in items]
    for one in both:
        one.assert_complete()
    return found


@pytest.mark.parametrize("items", [[CALL], [CALL, COST], ["One moment.", CALL, COST], ["Hello.", COST]])
async def test_a_tool_call_is_an_answer(items: list[str | ToolCall | Usage]) -> None:
    first, second = models([Answer(items)], [])
    assert await items_of(first, second) == items
    assert first.wishes == [TOOLS]


async def test_what_it_cost_is_no_answer() -> None:
    assert await items_of(*models([Answer([" ", COST])], [Answer([CALL])])) == [CALL]


async def test_a_call_that_is_whole_needs_nobody_else() -> None:
    assert await items_of(*models([Answer(["Soon.", CALL], error=BROKEN)], [])) == ["Soon.", CALL]


@pytest.mark.parametrize("anew", [[CALL, COST], ["It is", " on", CALL], ["It", " is on", CALL, COST]])
async def test_an_answer_that_could_have_called_a_tool_is_asked_anew(anew: list[str | ToolCall | Usage]) -> None:
    first, second = models([Answer(["It is", " on"], error=BROKEN)], [Answer(anew)])
    found = await items_of(first, second)
    assert "".join(item for item in found if isinstance(item, str)) == "It is on"
    assert CALL in found
    assert second.wishes[0].tools == TOOLS.tools
    *before, instruction = second.asked[0]
    assert (before, instruction.role) == (MESSAGES, "system")
    assert instruction.text.endswith("It is on")


async def test_what_has_a_form_begins_anew() -> None:
    first, second = models([Answer(['{"a"', ": 1"], error=BROKEN)], [Answer(['{"a"', ": 2}", COST])])
    assert await items_of(first, second, wish=Wish(schema={"type": "object"})) == ['{"a"', ": 2}", COST]
    assert second.asked == [MESSAGES]


async def test_what_has_a_form_fails_as_a_whole() -> None:
    first, second = models([Answer(["{"], error=BROKEN)], [Answer(["{"], error=BROKEN)])
    with pytest.raises(LanguageModelError, match="broken"):
        await items_of(first, second, wish=Wish(schema={"type": "object"}))


@pytest.mark.parametrize("tokens", [[], ["That", " is"]])
async def test_what_a_filter_refuses_nobody_else_is_asked(tokens: list[str]) -> None:
    first, second = models([Answer(tokens, error=ContentRefused("content_refused", "no"))], [])
    breakers = FakeCircuitBreakers()
    model = FailoverLanguageModel({"llm:1": first, "llm:2": second}, ProviderHealth(breakers))
    with pytest.raises(ContentRefused):
        async with aclosing(model.answer(MESSAGES, call_id="c", wish=Wish(late_after_ms=500))) as items:
            assert [item async for item in items] == tokens
    await asyncio.sleep(0)
    assert ("llm:1", False) not in breakers.noted


async def test_an_agent_has_models_of_its_own() -> None:
    settings, own = models([Answer(["Yes."])], [Answer(["Mine."])])
    azure, sarvam = ModelChoice(provider=ModelProvider.AZURE_OPENAI), ModelChoice(provider=ModelProvider.SARVAM)
    model = FailoverLanguageModel(
        {"llm:openai": settings},
        ProviderHealth(FakeCircuitBreakers()),
        chosen=lambda choices: {"llm:own": own} if azure in choices else {},
    )
    for wish, expected in ((Wish(models=(azure,)), "Mine."), (Wish(models=(sarvam,)), "Yes.")):
        async with aclosing(model.answer(MESSAGES, call_id="c", wish=wish)) as items:
            assert [item async for item in items] == [expected]
