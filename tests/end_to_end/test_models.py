"""Who thinks for an agent, in real calls: the next model where one fails, what it costs, the cap, Azure OpenAI."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from typing import Any

import pytest
import pytest_asyncio

from benchmarks.measuring.ports import free_ports
from local_stack.supervisor.addresses import PORTS
from shared.domain.conversation import APOLOGY
from shared.domain.refusals import farewell_in, refusal_in
from tests.contracts.azure_openai import DEPLOYMENT, VERSION, AzureOpenAI
from tests.end_to_end.outside import ask
from tests.end_to_end.scripted_service import Request, ScriptedService
from tests.end_to_end.stack import Stack
from tests.end_to_end.typed_calls import Line, TypedCall, publish, typed_call

pytestmark = [pytest.mark.slow, pytest.mark.end_to_end, pytest.mark.asyncio(loop_scope="module")]

GLOBEX = "00000000-0000-4000-8000-000000000002"
CHAINS = ("busy", "speechless", "breaking", "handy", "second")
"""What the first model of each agent does; the handy one breaks off where it could have called a tool, the last one
is asked second.
"""
FAULTS = {
    "busy": {"kind": "http_429"},
    "speechless": {"kind": "empty"},
    "breaking": {"kind": "cut", "at": 9},
    "handy": {"kind": "cut", "at": 9},
}
LONG = "I am still here with you. Everything after this sentence comes from somebody else. And that is all."
HEARD = {chain: f"Are you {chain}?" for chain in CHAINS}
REPLIES = {
    "busy": "Not any more.",
    "speechless": "Here are my words.",
    "breaking": LONG,
    "handy": LONG,
    "second": "I am.",
}
NUMBERS = {chain: f"+1555010032{n}" for n, chain in enumerate(CHAINS)}
COSTLY, SPOKEN, CALLER = "+15550100330", "+15550100331", "+14155550501"
VOICE, MS_PER_CHARACTER = "number-not-answering", 25
DEAR, DEARER = "What does it cost?", "And now?"
MOST_TRIES = 30
MANNER = {"filler_after_ms": 0, "race_after_ms": 0, "reply_limit_ms": 20_000}


@dataclass
class Story:
    calls: dict[str, TypedCall]
    requests: list[Request]
    costly: TypedCall
    afterwards: tuple[dict[str, Any], dict[str, Any]]
    """A call by voice, once all was spent: what was heard on the line, and the app's record."""
    spent: dict[str, Any]
    """What Globex's administrator sees of the day, and Acme's."""
    used: dict[str, Any]

    def models_asked(self, chain: str) -> list[tuple[str, str, int]]:
        """Of a chain, in the order in which they were asked: provider, model, status."""
        return [
            (each["provider"], each["details"]["model"], each["status"])
            for each in self.requests
            if each["kind"] == "llm" and each["details"].get("model", "").startswith(chain)
        ]


def agent(*models: dict[str, str]) -> dict[str, Any]:
    persona = {"name": "Mona", "persona": "You are Mona.", "greeting": "This is Mona.", "patience_ms": 500}
    return {**persona, "manner": MANNER, "models": list(models)}


def chain_of(chain: str) -> dict[str, Any]:
    tools = {"tools": {"built_in": [{"name": "take_message"}]}} if chain == "handy" else {}
    first = {"provider": "openai", "model": f"{chain}-first"}
    second = {"provider": "compatible", "model": f"{chain}-second"}
    return (agent(second, first) if chain == "second" else agent(first, second)) | tools


@pytest_asyncio.fixture(scope="module", loop_scope="module")
async def story(scripted_stack: Stack, scripted_operator: str) -> Story:
    stack, operator, admin = scripted_stack, scripted_operator, scripted_stack.token("admin")
    of_globex = stack.token("admin", "gustav")
    for chain in CHAINS:
        on = [(NUMBERS[chain], "twilio-relay")]
        await publish(stack, f"chain-{chain}", chain_of(chain), on=on, admin=admin)
    costly = agent({"provider": "openai", "model": "costly"})
    on = [(COSTLY, "twilio-relay"), (SPOKEN, "twilio")]
    await publish(stack, "costly", costly, on=on, admin=of_globex, tenant_id=GLOBEX)
    assert (await ask(stack, of_globex, "PUT", "/api/spend-cap", document={"daily_cents": 1}))[0] == 200
    service = ScriptedService(stack.speech_url)
    dialogue: list[dict[str, Any]] = [
        {"heard": HEARD[chain], "reply": REPLIES[chain], "faults": {"llm": FAULTS[chain]} if chain in FAULTS else {}}
        for chain in CHAINS
    ]
    dialogue += [{"heard": DEAR, "reply": "Much."}, {"heard": DEARER, "reply": "Much.", "voice": VOICE}]
    await service.give(dialogue, tts_ms_per_char=MS_PER_CHARACTER)
    # A worker that has found money left asks again only after a while.
    lines = [Line(DEAR), *[Line(DEARER, partial(asyncio.sleep, 1))] * MOST_TRIES]
    *calls, spending = await asyncio.gather(
        *(typed_call(stack, NUMBERS[chain], [HEARD[chain]], caller=CALLER, operator=operator) for chain in CHAINS),
        typed_call(stack, COSTLY, lines, caller=CALLER, operator=of_globex),
    )
    said = [{"file": stack.voice(VOICE)["file"], "text": DEARER}]
    result = await stack.call(provider="twilio", to=SPOKEN, utterances=said, quiet_ms=1500)
    afterwards = result, await stack.ended_call(result["call_sid"], of_globex)
    _, spent = await ask(stack, of_globex, "GET", "/api/spend-cap")
    await ask(stack, of_globex, "PUT", "/api/spend-cap", document={"daily_cents": None})
    _, used = await ask(stack, admin, "GET", "/api/spend-cap")
    by_chain = dict(zip(CHAINS, calls, strict=True))
    return Story(by_chain, await service.requests(), spending, afterwards, spent, used)


@pytest.mark.parametrize(
    ("chain", "status"), [("busy", 429), ("speechless", 200), ("breaking", None), ("handy", None)]
)
async def test_where_the_first_model_fails_the_second_answers(story: Story, chain: str, status: int | None) -> None:
    first, second = story.models_asked(chain)
    assert first == ("primary", f"{chain}-first", status)
    assert second == ("fallback", f"{chain}-second", 200)
    turn = story.calls[chain].turns[1]
    assert (turn["said"], turn["outcome"]) == (REPLIES[chain], "completed")
    assert story.calls[chain].said[1] == REPLIES[chain], "the sentence that was spoken stands, and once"


async def test_the_document_says_who_is_asked_first(story: Story) -> None:
    assert story.models_asked("second") == [("fallback", "second-second", 200)]


async def test_what_a_turn_and_a_tenant_used_is_shown(story: Story) -> None:
    costs = story.calls["second"].turns[1]["costs"]
    assert costs["output_tokens"] == len(REPLIES["second"].split())
    assert costs["input_tokens"] > len(HEARD["second"].split())
    used = {each["model"]: each for each in story.used["models"]}
    row = used["second-second"]
    assert (row["provider"], row["answers"]) == ("fallback_openai", 1)
    assert (row["input_tokens"], row["output_tokens"]) == (costs["input_tokens"], costs["output_tokens"])
    assert "busy-second" in used
    assert "costly" not in used, "one tenant's is not the other's"


async def test_a_tenant_whose_money_is_spent_is_taken_leave_of(story: Story) -> None:
    record, said = story.costly.record, [each for each in story.costly.said if each]
    assert said[1] == "Much.", "what was begun with money left is answered"
    assert said[-1] == farewell_in("en", "en")
    assert (record["state"], record["end_reason"]) == ("completed", "spent")
    (row,) = [row for row in story.spent["models"] if row["model"] == "costly"]
    assert (row["provider"], row["model"]) == ("openai", "costly")
    assert story.spent["daily_cents"] == 1
    assert story.spent["spent_cents"] == row["cents"] == row["input_tokens"] + row["output_tokens"]
    answered = sum(each == "Much." for each in said)
    assert row["answers"] == answered, "nobody is asked for the farewell"
    result, record = story.afterwards
    assert (record["turns"][1]["said"], record["end_reason"]) == (farewell_in("en", "en"), "spent")
    assert result["turns"][1]["heard_ms"] >= len(farewell_in("en", "en")) * MS_PER_CHARACTER - 300


@pytest_asyncio.fixture(scope="module", loop_scope="module", params=["direct", "langchain"])
async def on_azure(
    request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory
) -> AsyncIterator[tuple[Stack, AzureOpenAI]]:
    """A stack whose app has the settings of Azure OpenAI, and nothing besides to do with models; asked by our own
    client, and by LangChain with the official one.
    """
    ports = dict(zip(PORTS, free_ports(len(PORTS)), strict=True))
    speech_url = f"http://127.0.0.1:{ports['speech']}"
    async with AzureOpenAI(tokens=("I am", " on", " Azure."), speech_url=speech_url).serving() as azure:
        settings = {
            "OPENAI_PROVIDER": "azure_openai",
            "OPENAI_BASE_URL": "",
            "OPENAI_API_KEY": "",
            "FALLBACK_OPENAI_PROVIDER": "none",
            "SARVAM_API_KEY": "",
            "AZURE_OPENAI_ENDPOINT": azure.url,
            "AZURE_OPENAI_API_VERSION": VERSION,
            "AZURE_CLIENT_ID": "identity-of-the-app",
            "IDENTITY_ENDPOINT": f"{azure.url}/msi/token",
            "IDENTITY_HEADER": "local",
            "LLM_CLIENT": request.param,
            "LLM_MODEL": DEPLOYMENT,
            "STT_MODEL": "hearing",
            "TTS_MODEL": "speaking",
        }
        state_dir: Path = tmp_path_factory.mktemp("azure") / "state"
        start = partial(Stack.start, state_dir, scripted=True, settings=settings, ports=ports)
        stack = await asyncio.to_thread(start)
        try:
            yield stack, azure
        finally:
            await asyncio.to_thread(stack.stop)


async def test_azure_openai_is_a_matter_of_settings(on_azure: tuple[Stack, AzureOpenAI]) -> None:
    stack, azure = on_azure
    operator, voice = stack.token("operator"), stack.voice("vm-nobodyavail")
    await ScriptedService(stack.speech_url).give([{"voice": voice["id"], "heard": "Where are you?", "reply": ""}])
    on = {"provider": "twilio", "to": "+15550100011", "utterances": [{"file": voice["file"]}]}
    result = await stack.call(**on, quiet_ms=1500)
    record = await stack.ended_call(result["call_sid"], operator)
    turn = record["turns"][1]
    assert (turn["heard"], turn["said"], turn["outcome"]) == ("Where are you?", "I am on Azure.", "completed")
    assert (turn["costs"]["input_tokens"], turn["costs"]["output_tokens"]) == (21, 5)
    assert result["turns"][1]["heard_ms"] > 400
    paths = {each["path"] for each in azure.asked}
    operations = (f"{DEPLOYMENT}/chat/completions", "hearing/audio/transcriptions", "speaking/audio/speech")
    assert paths == {f"/openai/deployments/{operation}" for operation in operations}
    assert {each["version"] for each in azure.asked} == {VERSION}
    assert {each["call"] for each in azure.asked if "messages" in each} == {record["call_id"]}

    async def filters() -> None:
        azure.filtered = "prompt"

    async def refuses() -> None:
        azure.filtered, azure.refuses = "", [429] * 5

    async def is_well() -> None:
        azure.refuses = []

    lines = [Line("Something vile.", filters), Line("Too much?", refuses), Line("Are you well?", is_well)]
    call = await typed_call(stack, "+15550100012", lines, caller=CALLER, operator=operator)
    assert call.said[1:] == [refusal_in("en", "en"), APOLOGY, "I am on Azure."]
    assert "Traceback" not in stack.log_of("app")
