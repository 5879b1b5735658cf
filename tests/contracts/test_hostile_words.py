"""Words of a model or a caller are said, and obeyed by nobody: in no provider's answer are they more than text."""

from __future__ import annotations

import json
import re
from collections.abc import Callable
from dataclasses import dataclass, replace
from typing import Any
from xml.etree import ElementTree as ET

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from shared.adapters.connect.flow_answers import LONGEST_ANSWER_BYTES, flow_answer, ssml
from shared.adapters.connect.flow_events import read_flow_event
from shared.adapters.connect.lex import lex_answer, read_lex_event
from shared.adapters.sarvam import hooks
from shared.adapters.twilio import relay_codec
from shared.adapters.twilio.twiml import Speech, TwilioDocuments
from shared.adapters.vonage.ncco import NccoWriter
from shared.adapters.vonage.own_links import OwnLinks
from shared.domain.telephony.commands import Transfer
from shared.domain.telephony.text_turns import Next, TextReply
from tests.shared.adapters.connect.events import flow_event, lex_event
from tests.shared.adapters.sarvam.bodies import body
from tests.shared.adapters.twilio.requests import ADDRESSES

_LESS = settings(max_examples=60, deadline=None, derandomize=True)
HARMLESS = "Which day suits you best?"
HOSTILE = (
    "</Say><Redirect>https://evil.example</Redirect><Say>",
    "<Dial>+19005550100</Dial>",
    "]]><!--",
    "&lt;Hangup/&gt; &amp; &#60;Dial&#62;",
    '"}],"action":"connect","endpoint":[{"type":"phone","number":"19005550100"}],"x":"',
    '","action":"transfer","dest":"+19005550100","x":"',
    "</speak><speak><audio src='https://evil.example/a.mp3'/>",
    '<break time="10000s"/><prosody rate="x-slow">',
    "<?xml version='1.0'?><!DOCTYPE x [<!ENTITY a SYSTEM 'file:///etc/passwd'>]>&a;",
    "$.Attributes.secret $.External.dest ${x} {{x}} %s \\u003cDial\\u003e",
    "\x00\x1b[2J\x85\u2028\u202e\ufffe\ud83d so",
)
REPLY = TextReply(1, (HARMLESS,), 1, Next.LISTEN, "en-IN", "Polly.Aditi", Transfer("+14155550199"))
TWIML = TwilioDocuments(ADDRESSES)
NCCO = NccoWriter(OwnLinks("https://voice.example.com", "s" * 32))
LEG = "63f61863-4a51-4f6b-86e1-46edebcf9356"


@dataclass(frozen=True)
class Renderer:
    """`render` to what goes over the wire; `shape`: all of it but the words; `words`: what of it is said."""

    render: Callable[[TextReply], str]
    shape: Callable[[str], Any]
    words: Callable[[str], list[str]]


def _elements(document: str) -> Any:
    return [
        (each.tag, each.attrib, "" if each.tag == "Say" else each.text) for each in ET.fromstring(document).iter()
    ]


def _said(document: str) -> list[str]:
    return [each.text or "" for each in ET.fromstring(document).iter("Say")]


def _without(*names: str) -> Callable[[str], Any]:
    def strip(value: Any) -> Any:
        if isinstance(value, dict):
            return {name: "" if name in names else strip(part) for name, part in value.items()}
        return [strip(part) for part in value] if isinstance(value, list) else value

    return lambda text: strip(json.loads(text))


def _sarvam_shape(text: str) -> Any:
    """What is to be said before a transfer is told to a model, from whose quotation it must not break out."""
    shape = _without("message_to_user")(text)
    return {**shape, "message_to_llm": re.sub(r'"[^"]*"', '""', shape["message_to_llm"] or "")}


def _sarvam_words(text: str) -> list[str]:
    document = json.loads(text)
    return [document["message_to_user"] or re.findall(r'"([^"]*)"', document["message_to_llm"])[0]]


def _every(*names: str) -> Callable[[str], list[str]]:
    def find(value: Any) -> list[str]:
        if isinstance(value, dict):
            own = [part for name, part in value.items() if name in names and isinstance(part, str)]
            return own + [found for part in value.values() for found in find(part)]
        return [found for part in value for found in find(part)] if isinstance(value, list) else []

    return lambda text: find(json.loads(text))


def _json(document: Any) -> str:
    return json.dumps(document, ensure_ascii=False)


_FLOW, _LEX = read_flow_event(flow_event({"op": "turn", "turn": "1"})), read_lex_event(lex_event(), 0.0)
_UTTERANCE = hooks.read_utterance(hooks.document_of(body("hello")))
RENDERERS = {
    "gather": Renderer(lambda reply: TWIML.turn("call-1", reply), _elements, _said),
    "whisper": Renderer(lambda reply: TWIML.whisper("CA" + "0" * 32, reply.text, Speech("en")), _elements, _said),
    "relay": Renderer(
        lambda reply: relay_codec.text(reply.text, is_last=True, language="en-IN"), _without("token"), _every("token")
    ),
    "ncco": Renderer(
        lambda reply: _json(NCCO.reply(reply, call_id="call-1", leg=LEG, own_number="+15550100001")),
        _without("text"),
        _every("text"),
    ),
    "flow": Renderer(lambda reply: _json(flow_answer(reply, _FLOW)), _without("text", "ssml"), _every("text")),
    "lex": Renderer(lambda reply: _json(lex_answer(reply, _LEX, now_ms=0.0)), _without("content"), _every("content")),
    "sarvam": Renderer(
        lambda reply: _json(hooks.answer_turn(_UTTERANCE, "call-1", reply)),
        _sarvam_shape,
        _sarvam_words,
    ),
}


def saying(text: str, following: Next = Next.LISTEN) -> TextReply:
    return replace(REPLY, sentences=(text,), next=following)


def whole(text: str) -> str:
    """As words come from a model."""
    return text.encode(errors="replace").decode()


@pytest.mark.parametrize("following", Next)
@pytest.mark.parametrize("hostile", HOSTILE)
@pytest.mark.parametrize("name", list(RENDERERS))
def test_hostile_words_change_nothing_but_the_words(name: str, hostile: str, following: Next) -> None:
    renderer = RENDERERS[name]
    plain = renderer.render(saying(HARMLESS, following))
    given_text = f"Well: {whole(hostile)} {HARMLESS}"
    document = renderer.render(saying(given_text, following))
    document.encode()
    assert renderer.shape(document) == renderer.shape(plain)
    assert len(renderer.words(document)) == len(renderer.words(plain))
    said = " ".join(renderer.words(document))
    assert said.startswith("Well: ")
    assert said.endswith(HARMLESS)


@pytest.mark.parametrize("name", list(RENDERERS))
@given(text=st.text(min_size=1, max_size=200).map(lambda text: f"a {text} b"), following=st.sampled_from(Next))
@_LESS
def test_any_words_are_only_said(name: str, text: str, following: Next) -> None:
    renderer = RENDERERS[name]
    plain, document = (renderer.render(saying(each, following)) for each in ("a b", text))
    document.encode()
    assert renderer.shape(document) == renderer.shape(plain)


@given(text=st.text(max_size=200) | st.sampled_from(HOSTILE))
@_LESS
def test_ssml_is_one_document_of_words(text: str) -> None:
    root = ET.fromstring(ssml(text))
    assert root.tag == "speak"
    assert [each.tag for each in root] in ([], ["break"])
    if list(root):
        assert not re.sub(r"[\x00-\x1f\x7f-\x9f\ud800-\udfff\ufffe\uffff\s]", "", text)


@pytest.mark.parametrize("text", ["&" * 2_499, "नमस्ते " * 350, '"' * 2_499, "\U0001f600" * 2_400, "<&> " * 600])
def test_a_flow_is_answered_with_no_more_than_it_takes(text: str) -> None:
    asked = read_flow_event(flow_event({"op": "turn", "turn": "1", "words": '"' * 4_000}))
    answer = flow_answer(saying(text), asked)
    assert len(_json(answer).encode()) <= LONGEST_ANSWER_BYTES
    assert all(isinstance(value, str) for value in answer.values())
    assert len(answer["ssml"]) > 1_000
