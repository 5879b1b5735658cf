"""What the flow asks is read as it is meant, and what nobody could mean is refused."""

from __future__ import annotations

from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from shared.adapters.connect.flow_events import MediaStream, Op, read_flow_event
from shared.domain.errors import InvalidRequest
from shared.domain.telephony.lines import Line, Provider
from tests.shared.adapters.connect.events import CONTACT, INSTANCE, STREAM, flow_event

JSON = st.recursive(
    st.none() | st.booleans() | st.integers() | st.text(max_size=12),
    lambda child: st.lists(child, max_size=4) | st.dictionaries(st.text(max_size=12), child, max_size=4),
    max_leaves=12,
)


def test_a_contact_that_begins() -> None:
    request = read_flow_event(flow_event({"op": "begin"}))
    assert (request.op, request.contact_id, request.instance_arn) == (Op.BEGIN, CONTACT, INSTANCE)
    news = request.incoming()
    assert (news.provider, news.caller, news.callee, news.line) == (
        Provider.CONNECT, "+14155550100", "+15550100016", Line.CONNECT,
    )  # fmt: skip
    assert news.attributes == {"locale": "en-IN"}
    assert request.words is None
    assert request.media is None


def test_a_turn() -> None:
    parameters = {"op": "turn", "turn": "3", "told": "2", "words": " On Friday. ", "keys": "12#", "mode": "turn"}
    request = read_flow_event(flow_event(parameters))
    spoke = request.spoke()
    assert (spoke.turn, spoke.text, spoke.keys, spoke.key, request.told) == (3, "On Friday.", "12#", "turn:3", 2)


def test_silence_is_no_missing_turn() -> None:
    assert read_flow_event(flow_event({"op": "turn", "turn": "1"})).words == ""


def test_a_withheld_number() -> None:
    assert read_flow_event(flow_event({"op": "begin"}, CustomerEndpoint=None)).caller == ""


def test_a_call_that_we_dialled() -> None:
    event = flow_event({"op": "begin"}, Attributes={"voice_agent_call": "call-1"})
    assert read_flow_event(event).our_call_id == "call-1"


def test_the_contact_after_a_transfer_is_the_same_call() -> None:
    assert read_flow_event(flow_event({"op": "turn"}, ContactId="another")).contact_id == CONTACT


def test_where_the_sound_can_be_followed() -> None:
    audio = {"StreamARN": STREAM, "StartFragmentNumber": "9134385", "StartTimestamp": "1763800000123"}
    request = read_flow_event(flow_event({"op": "begin"}, MediaStreams={"Customer": {"Audio": audio}}))
    assert request.media == MediaStream(STREAM, "9134385")


def test_back_from_a_transfer() -> None:
    assert read_flow_event(flow_event({"op": "back", "answered": "true"})).back().was_answered
    assert not read_flow_event(flow_event({"op": "back", "answered": "false"})).back().was_answered


@pytest.mark.parametrize(
    "event",
    [
        {},
        [],
        None,
        "x",
        {"Details": {}},
        {"Details": {"ContactData": {}}},
        flow_event(None),
        flow_event({"op": "dance"}),
        flow_event({"op": "turn", "turn": "-1"}),
        flow_event({"op": "turn", "turn": "9" * 30}),
        flow_event({"op": "turn", "turn": "٣"}),
        flow_event({"op": "begin"}, ContactId="../x", InitialContactId="../x"),
        flow_event({"op": "begin"}, ContactId=None, InitialContactId=None),
    ],
)
def test_what_is_no_question(event: Any) -> None:
    with pytest.raises(InvalidRequest):
        read_flow_event(event)


@given(JSON)
def test_any_json_is_read_or_refused(document: Any) -> None:
    for event in (
        document,
        flow_event(document),
        flow_event({"op": "turn"}, MediaStreams=document, Attributes=document),
    ):
        try:
            read_flow_event(event)
        except InvalidRequest:
            continue
