"""Language models of Azure OpenAI: how it is asked, how it streams, what it refuses, and who answers then."""

from __future__ import annotations

import time
from collections.abc import AsyncIterator
from contextlib import aclosing

import pytest

from shared.adapters.langchain.language_model import ChatModel, LangChainLanguageModel
from shared.adapters.openai.account import OpenAIAccount
from shared.adapters.openai.language_model import OpenAILanguageModel
from shared.adapters.openai.wire import OpenAIWire
from shared.domain.errors import ContentRefused, LanguageModelError
from shared.ports.language_model import LanguageModel, Message, ToolCall, ToolOffer, Usage, Wish
from shared.use_cases.providers.failover_language_model import FailoverLanguageModel
from shared.use_cases.providers.provider_health import ProviderHealth
from tests.contracts.azure_openai import DEPLOYMENT, TOKEN, VERSION, AzureOpenAI
from tests.fakes.circuit_breakers import FakeCircuitBreakers

MESSAGES = [Message("system", "You are Nora."), Message("user", "Hello?")]
PLAIN = Wish()
LOOK_UP = ToolOffer("look_up", "Looks an order up.", {"type": "object", "properties": {}})


@pytest.fixture(autouse=True)
def _entra(monkeypatch: pytest.MonkeyPatch) -> None:
    """The managed identity's tokens."""
    import azure.identity.aio as identity

    class Credential:
        def __init__(self, managed_identity_client_id: str | None) -> None:
            assert managed_identity_client_id == "app"

    def provider_of(credential: object, scope: str) -> object:
        assert scope == "https://cognitiveservices.azure.com/.default"

        async def token() -> str:
            return TOKEN

        return token

    monkeypatch.setattr(identity, "DefaultAzureCredential", Credential)
    monkeypatch.setattr(identity, "get_bearer_token_provider", provider_of)


@pytest.fixture
async def azure() -> AsyncIterator[AzureOpenAI]:
    async with AzureOpenAI().serving() as azure:
        yield azure


def model_at(
    azure: AzureOpenAI, kind: str, retries: int = 0, model: str = DEPLOYMENT, version: str = VERSION
) -> LanguageModel:
    if kind == "langchain":
        spec = ChatModel(model, azure_endpoint=azure.url, azure_api_version=version, client_id="app", retries=retries)
        return LangChainLanguageModel(spec)
    account = OpenAIAccount(azure_endpoint=azure.url, azure_api_version=version, client_id="app", retries=retries)
    return OpenAILanguageModel(OpenAIWire(account), model=model, provider="azure_openai")


@pytest.fixture(params=["openai", "langchain"])
def kind(request: pytest.FixtureRequest) -> str:
    return str(request.param)


async def items_of(model: LanguageModel, wish: Wish = PLAIN) -> list[str | ToolCall | Usage]:
    async with aclosing(model.answer(MESSAGES, call_id="call-1", wish=wish)) as items:
        return [item async for item in items]


@pytest.mark.parametrize("annotates", [False, True])
async def test_the_official_client_understands_the_stand_in(annotates: bool) -> None:
    from openai import AsyncAzureOpenAI

    async with AzureOpenAI(annotates=annotates).serving() as azure:
        client = AsyncAzureOpenAI(azure_endpoint=azure.url, api_version=VERSION, azure_ad_token=TOKEN)
        stream = await client.chat.completions.create(
            model=DEPLOYMENT,
            messages=[{"role": "user", "content": "Hello?"}],
            stream=True,
            stream_options={"include_usage": True},
        )
        chunks = [chunk async for chunk in stream]
        await client.close()
    assert chunks[0].choices == []
    deltas = [chunk.choices[0].delta for chunk in chunks if chunk.choices]
    assert "".join(delta.content or "" for delta in deltas if delta) == "Hello there."
    assert [chunk.usage.total_tokens for chunk in chunks if chunk.usage] == [26]


async def test_the_official_client_is_let_in_at_the_newer_address(azure: AzureOpenAI) -> None:
    from openai import AsyncOpenAI, AuthenticationError

    for token, is_known in ((TOKEN, True), ("another", False)):
        client = AsyncOpenAI(base_url=f"{azure.url}/openai/v1", api_key=token, max_retries=0)
        try:
            stream = await client.chat.completions.create(
                model=DEPLOYMENT, messages=[{"role": "user", "content": "Hello?"}], stream=True
            )
            chunks = [chunk async for chunk in stream]
            assert is_known
            assert len(chunks) > 3
        except AuthenticationError:
            assert not is_known
        await client.close()


@pytest.mark.parametrize("annotates", [False, True])
async def test_an_answer(azure: AzureOpenAI, kind: str, annotates: bool) -> None:
    azure.annotates = annotates
    items = await items_of(model_at(azure, kind))
    assert [item for item in items if isinstance(item, str)] == ["Hello", " there."]
    (cost,) = [item for item in items if isinstance(item, Usage)]
    assert (cost.model, cost.input_tokens, cost.output_tokens) == (DEPLOYMENT, 21, 5)
    (asked,) = azure.asked
    assert (asked["path"], asked["version"]) == (f"/openai/deployments/{DEPLOYMENT}/chat/completions", VERSION)
    assert (asked["call"], asked["stream_options"]) == ("call-1", {"include_usage": True})


async def test_a_tool_call(azure: AzureOpenAI, kind: str) -> None:
    azure.tokens, azure.call = (), ("look_up", ('{"order"', ": 7}"))
    items = await items_of(model_at(azure, kind), Wish(tools=(LOOK_UP,)))
    assert items[0] == ToolCall("call_1", "look_up", '{"order": 7}')
    assert isinstance(items[1], Usage)


@pytest.mark.parametrize("filtered", ["prompt", "answer", "stream"])
async def test_what_is_filtered_is_told_apart_from_what_fails(azure: AzureOpenAI, kind: str, filtered: str) -> None:
    azure.filtered = filtered
    with pytest.raises(ContentRefused) as refusal:
        await items_of(model_at(azure, kind, retries=1))
    assert not refusal.value.retryable
    assert len(azure.asked) == 1, "asking again gives the same"


@pytest.mark.parametrize("filtered", ["prompt", "answer", "stream"])
async def test_what_is_filtered_nobody_else_is_asked(azure: AzureOpenAI, kind: str, filtered: str) -> None:
    azure.filtered = filtered
    breakers = FakeCircuitBreakers()
    async with AzureOpenAI().serving() as second:
        models = {"llm:1": model_at(azure, kind), "llm:2": model_at(second, kind)}
        with pytest.raises(ContentRefused):
            await items_of(FailoverLanguageModel(models, ProviderHealth(breakers)), Wish(late_after_ms=1_500))
        assert second.asked == []
    assert ("llm:1", False) not in breakers.noted


@pytest.mark.parametrize("status", [429, 500, 503])
async def test_who_is_busy_is_replaced_at_once(azure: AzureOpenAI, kind: str, status: int) -> None:
    """Azure says to come back in 26 seconds; no caller waits so long."""
    azure.refuses = [status]
    breakers = FakeCircuitBreakers()
    async with AzureOpenAI().serving() as second:
        models = {"llm:1": model_at(azure, kind), "llm:2": model_at(second, kind)}
        for model in models.values():
            if isinstance(model, LangChainLanguageModel):
                model.warm_up()
        began_s = time.monotonic()
        items = await items_of(FailoverLanguageModel(models, ProviderHealth(breakers)))
        assert time.monotonic() - began_s < 2
    assert items[:2] == ["Hello", " there."]
    assert (len(azure.asked), len(second.asked)) == (1, 1)
    assert ("llm:1", False) in breakers.noted


async def test_a_deployment_that_is_not_there(azure: AzureOpenAI, kind: str) -> None:
    with pytest.raises(LanguageModelError) as error:
        await items_of(model_at(azure, kind, model="nowhere"))
    assert not error.value.retryable
    assert not isinstance(error.value, ContentRefused)


async def test_a_version_that_is_not_there(azure: AzureOpenAI, kind: str) -> None:
    with pytest.raises(LanguageModelError) as error:
        await items_of(model_at(azure, kind, version="1999-01-01"))
    assert not error.value.retryable


async def test_who_asks_to_be_asked_again_at_once_is(azure: AzureOpenAI, kind: str) -> None:
    azure.refuses, azure.retry_after_s = [429], "1"
    items = await items_of(model_at(azure, kind, retries=1))
    assert items[:2] == ["Hello", " there."]
    assert len(azure.asked) == 2


async def test_who_alone_is_busy_for_long_is_not_waited_for(azure: AzureOpenAI, kind: str) -> None:
    azure.refuses = [429]
    model = model_at(azure, kind, retries=1)
    if isinstance(model, LangChainLanguageModel):
        model.warm_up()
    began_s = time.monotonic()
    with pytest.raises(LanguageModelError) as error:
        await items_of(model)
    assert time.monotonic() - began_s < 2
    assert error.value.retryable


async def test_an_answer_of_a_form(azure: AzureOpenAI, kind: str) -> None:
    azure.tokens = ('{"mood":', ' "calm"}')
    form = {
        "type": "object",
        "properties": {"mood": {"type": "string"}},
        "required": ["mood"],
        "additionalProperties": False,
    }
    items = await items_of(model_at(azure, kind), Wish(schema=form))
    assert "".join(item for item in items if isinstance(item, str)) == '{"mood": "calm"}'
    asked = azure.asked[0]["response_format"]
    assert (asked["type"], asked["json_schema"]["schema"]) == ("json_schema", form)
