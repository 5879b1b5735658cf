"""An agent's document comes back as it went in; what cannot be is refused, with the name of each wrong field."""

from __future__ import annotations

from typing import Any

import pytest

from shared.adapters.pydantic.agent_documents import PydanticAgentDocuments
from shared.domain.agents.document import AgentDocument
from shared.domain.agents.faults import InvalidDocument
from shared.domain.agents.models import ModelChoice, ModelProvider
from shared.domain.agents.tools import HttpTool, Tools
from shared.domain.manner import Delegate, HandOver, Manner, Platform, Sensitivity
from shared.domain.telephony.commands import TransferKind

DOCUMENTS = PydanticAgentDocuments()
LEAST = {"name": "Nora", "persona": "You are Nora.", "greeting": "Hello."}
TOOL: dict[str, Any] = {"name": "find_order", "description": "Finds an order.", "url": "https://shop.example/orders"}


@pytest.mark.parametrize(
    "manner",
    [
        Manner(),
        Manner(sensitivity=Sensitivity.LOW, fillers=("One moment.",), speculates=False, race_after_ms=0),
        Manner(hand_over=HandOver("#", "+14155550188", TransferKind.WARM)),
        Manner(languages=("en", "hi-IN"), recording_consent="This call is recorded."),
        Manner(delegate=Delegate(Platform.SAMVAAD, "clinic-desk", 7)),
        Manner(delegate=Delegate(Platform.SAMVAAD, "clinic-desk")),
    ],
)
def test_there_and_back(manner: Manner) -> None:
    document = AgentDocument(
        name="Nora",
        persona="You are Nora.",
        greeting="Hello.",
        manner=manner,
        voices={"hi-IN": "asha"},
        models=(ModelChoice(provider=ModelProvider.AZURE_OPENAI, model="gpt"),),
        tools=Tools(http=(HttpTool(**TOOL, parameters={"type": "object", "properties": {"id": {}}}),)),
    )
    written = DOCUMENTS.write(document)
    assert DOCUMENTS.read(written) == document
    assert "knowledge" not in written, "what is as usual is not written"


def test_the_least_that_an_agent_is() -> None:
    assert DOCUMENTS.read(LEAST) == AgentDocument(**LEAST)


@pytest.mark.parametrize(
    ("wrong", "field"),
    [
        ({"name": ""}, "name"),
        ({"greeting": "  "}, "greeting"),
        ({"persona": None}, "persona"),
        ({"patience": 700}, "patience"),
        ({"patience_ms": "700"}, "patience_ms"),
        ({"patience_ms": 99}, "patience_ms"),
        ({"silence_limit_s": True}, "silence_limit_s"),
        ({"language": "english, please"}, "language"),
        ({"manner": {"speculates": 1}}, "manner.speculates"),
        ({"manner": {"sensitivity": "loud"}}, "manner.sensitivity"),
        ({"manner": {"fillers": "Well"}}, "manner.fillers"),
        ({"manner": {"fillers": ["Well", " "]}}, "manner.fillers[1]"),
        ({"manner": {"fillers": ["Well"] * 51}}, "manner.fillers"),
        ({"manner": {"reply_limit_ms": 999}}, "manner.reply_limit_ms"),
        ({"manner": {"race_after_ms": 30_001}}, "manner.race_after_ms"),
        ({"manner": {"hand_over": {"key": "00", "to": "+14155550188"}}}, "manner.hand_over.key"),
        ({"manner": {"hand_over": {"key": "0", "to": "14155550188"}}}, "manner.hand_over.to"),
        ({"manner": {"hand_over": {"key": "0"}}}, "manner.hand_over.to"),
        ({"manner": {"hand_over": {"key": "0", "to": "+14155550188", "kind": "hot"}}}, "manner.hand_over.kind"),
        ({"manner": {"hand_over_numbers": ["4155550100"]}}, "manner.hand_over_numbers[0]"),
        ({"manner": {"apology": "a" * 501}}, "manner.apology"),
        ({"manner": {"languages": ["hi_IN!"]}}, "manner.languages[0]"),
        ({"manner": {"delegate": {"platform": "other", "app_id": "a"}}}, "manner.delegate.platform"),
        ({"manner": {"delegate": {"platform": "samvaad", "app_id": "a b"}}}, "manner.delegate.app_id"),
        ({"manner": {"recording_consent": "a" * 501}}, "manner.recording_consent"),
        ({"tools": {"http": [TOOL, {**TOOL, "url": "ftp://shop.example"}]}}, "tools.http[1].url"),
        ({"tools": {"http": [{**TOOL, "effect": "none"}]}}, "tools.http[0].effect"),
        ({"tools": {"built_in": [{"name": "explode"}]}}, "tools.built_in[0].name"),
        ({"models": [{"provider": "mine"}]}, "models[0].provider"),
        ({"intents": [{"name": "a", "description": "b", "slots": [{"name": "c"}]}]}, "intents[0].slots[0].kind"),
    ],
)
def test_what_is_wrong_is_named(wrong: dict[str, Any], field: str) -> None:
    with pytest.raises(InvalidDocument) as refusal:
        DOCUMENTS.read(LEAST | wrong)
    assert [fault.field for fault in refusal.value.faults] == [field]
    assert f"{field}: " in refusal.value.message


def test_of_many_faults_some_are_told() -> None:
    with pytest.raises(InvalidDocument) as refusal:
        DOCUMENTS.read(LEAST | {f"field_{number}": 1 for number in range(12)})
    assert len(refusal.value.faults) == 12
    assert refusal.value.message.endswith("; and 2 more")


def test_the_schema_tells_what_is_wanted() -> None:
    schema = DOCUMENTS.schema()
    assert schema["required"] == ["name", "persona", "greeting"]
    assert schema["additionalProperties"] is False
    assert schema["$defs"]["HandOver"]["properties"]["key"]["pattern"] == "^(?:[0-9*#])$"
    assert schema["$defs"]["HttpTool"]["properties"]["filler"]["description"].startswith("What is said while")
