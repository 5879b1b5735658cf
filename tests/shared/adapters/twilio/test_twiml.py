"""What Twilio is told: the documents, element by element."""

from __future__ import annotations

from dataclasses import replace
from xml.etree import ElementTree as ET

import pytest
from hypothesis import given
from hypothesis import strategies as st

from shared.adapters.twilio.twiml import Speech, TwilioDocuments
from shared.domain.manner import Manner
from shared.domain.telephony.commands import SendKeys, Transfer, TransferKind
from shared.domain.telephony.text_turns import Next, TextReply
from tests.fakes.call import NORA
from tests.shared.adapters.twilio.requests import ADDRESSES, BASE, MEDIA, RELAY

DOCUMENTS = TwilioDocuments(ADDRESSES)
DOOR = f"{BASE}/api/webhooks/twilio"
CALLER = "CA" + "b" * 32
REPLY = TextReply(
    turn=2, sentences=("Sure.", "Which day?"), told=2, next=Next.LISTEN, language="en", voice="Polly.Joanna"
)


def tree(document: str) -> ET.Element:
    assert document.startswith('<?xml version="1.0" encoding="UTF-8"?>')
    root = ET.fromstring(document)
    assert root.tag == "Response"
    return root


def tags(root: ET.Element) -> list[str]:
    return [element.tag for element in root]


def found(root: ET.Element, path: str) -> ET.Element:
    element = root.find(path)
    assert element is not None, ET.tostring(root)
    return element


def test_a_media_stream() -> None:
    root = tree(DOCUMENTS.stream('a"<&ticket', NORA))
    assert tags(root) == ["Connect"]
    assert found(root, "Connect").attrib == {"action": f"{DOOR}/resume"}
    assert found(root, "Connect/Stream").attrib == {"url": MEDIA, "statusCallback": f"{DOOR}/stream-status"}
    assert found(root, "Connect/Stream/Parameter").attrib == {"name": "ticket", "value": 'a"<&ticket'}


def test_a_relay() -> None:
    root = tree(DOCUMENTS.relay("ticket", replace(NORA, language="hi", voice="Google.hi-IN-Wavenet-A")))
    assert found(root, "Connect").attrib == {"action": f"{DOOR}/resume"}
    assert found(root, "Connect/ConversationRelay").attrib == {
        "url": RELAY,
        "dtmfDetection": "true",
        "interruptible": "any",
        "welcomeGreeting": "",
        "welcomeGreetingInterruptible": "any",
        "language": "hi-IN",
        "ttsProvider": "Google",
        "voice": "hi-IN-Wavenet-A",
    }
    assert found(root, "Connect/ConversationRelay/Parameter").attrib == {"name": "ticket", "value": "ticket"}


@pytest.mark.parametrize(
    ("voice", "provider", "name"),
    [("Polly.Amy-Neural", "Amazon", "Amy-Neural"), ("ElevenLabs.UgBB", "ElevenLabs", "UgBB"), ("alloy", None, None)],
)
def test_the_voice_of_a_relay(voice: str, provider: str | None, name: str | None) -> None:
    relay = found(tree(DOCUMENTS.relay("t", replace(NORA, voice=voice))), "Connect/ConversationRelay")
    assert (relay.get("ttsProvider"), relay.get("voice")) == (provider, name)


def test_an_agent_that_may_not_be_interrupted() -> None:
    relay = found(tree(DOCUMENTS.relay("t", replace(NORA, interruptible=False))), "Connect/ConversationRelay")
    assert (relay.get("interruptible"), relay.get("welcomeGreetingInterruptible")) == ("none", "none")


def test_a_relay_knows_the_languages_to_which_it_may_be_switched() -> None:
    agent = replace(NORA, manner=Manner(languages=("en", "hi", "mr-IN", "hi-IN")))
    relay = found(tree(DOCUMENTS.relay("t", agent)), "Connect/ConversationRelay")
    assert [language.get("code") for language in relay.iter("Language")] == ["hi-IN", "mr-IN"]


def test_consent_comes_before_everything_and_only_once() -> None:
    agent = replace(NORA, manner=Manner(recording_consent="This call is recorded."))
    for document in (DOCUMENTS.stream("t", agent), DOCUMENTS.relay("t", agent)):
        root = tree(document)
        assert tags(root) == ["Say", "Start", "Connect"]
        assert found(root, "Say").text == "This call is recorded."
        assert found(root, "Start/Recording").attrib == {
            "recordingStatusCallback": f"{DOOR}/recording",
            "channels": "dual",
            "recordingStatusCallbackEvent": "completed absent",
        }
    assert tags(tree(DOCUMENTS.stream("t", agent, is_first=False))) == ["Connect"]
    greeting = replace(REPLY, turn=0)
    assert tags(tree(DOCUMENTS.turn("call-1", greeting, consent="Recorded."))) == ["Say", "Start", "Gather"]


def test_a_turn_that_listens() -> None:
    root = tree(DOCUMENTS.turn("call-1", REPLY))
    assert found(root, "Gather").attrib == {
        "input": "speech dtmf",
        "action": f"{DOOR}/turn?call=call-1&turn=3",
        "method": "POST",
        "timeout": "8",
        "speechTimeout": "auto",
        "actionOnEmptyResult": "true",
        "language": "en-US",
    }
    say = found(root, "Gather/Say")
    assert (say.text, say.attrib) == ("Sure. Which day?", {"voice": "Polly.Joanna", "language": "en-US"})


def test_an_answer_that_may_not_be_interrupted_is_said_before_listening() -> None:
    root = tree(DOCUMENTS.turn("call-1", replace(REPLY, is_interruptible=False)))
    assert tags(root) == ["Say", "Gather"]
    assert tags(found(root, "Gather")) == []


def test_a_turn_that_is_not_whole_may_be_spoken_into() -> None:
    """What the caller says then is the next turn; silence leads on to the rest."""
    root = tree(DOCUMENTS.turn("call-1", replace(REPLY, next=Next.COME_AGAIN)))
    assert tags(root) == ["Gather", "Redirect"]
    assert found(root, "Gather/Say").text == "Sure. Which day?"
    gather = found(root, "Gather")
    assert gather.get("action") == f"{DOOR}/turn?call=call-1&turn=3"
    assert (gather.get("input"), gather.get("timeout")) == ("speech dtmf", "1")
    assert gather.get("actionOnEmptyResult") is None
    assert found(root, "Redirect").text == f"{DOOR}/turn?call=call-1&turn=2&again=1&after=2"


def test_a_turn_that_is_not_whole_and_may_not_be_interrupted() -> None:
    root = tree(DOCUMENTS.turn("call-1", replace(REPLY, next=Next.COME_AGAIN, is_interruptible=False)))
    assert tags(root) == ["Say", "Redirect"]
    redirect = found(root, "Redirect")
    assert redirect.attrib == {"method": "POST"}
    assert redirect.text == f"{DOOR}/turn?call=call-1&turn=2&again=1&after=2"


def test_a_turn_with_nothing_to_say_yet() -> None:
    root = tree(DOCUMENTS.turn("call-1", replace(REPLY, sentences=(), next=Next.COME_AGAIN)))
    assert tags(root) == ["Gather", "Redirect"]
    assert tags(found(root, "Gather")) == []


def test_the_last_turn() -> None:
    assert tags(tree(DOCUMENTS.turn("call-1", replace(REPLY, next=Next.HANG_UP)))) == ["Say", "Hangup"]


def test_a_turn_that_puts_the_caller_through() -> None:
    transfer = Transfer("+14155550199", keys="12#", ring_s=20)
    root = tree(DOCUMENTS.turn("call-1", replace(REPLY, next=Next.TRANSFER, transfer=transfer)))
    assert tags(root) == ["Say", "Dial"]
    action = f"{DOOR}/transfer?language=en"
    assert found(root, "Dial").attrib == {"action": action, "timeout": "20", "answerOnBridge": "true"}
    number = found(root, "Dial/Number")
    assert (number.text, number.attrib) == ("+14155550199", {"sendDigits": "12#"})
    limited = tree(DOCUMENTS.cold_transfer(replace(transfer, longest_s=600)))
    assert found(limited, "Dial").get("timeLimit") == "600"


def test_the_caller_of_a_warm_transfer_goes_on_with_the_agent() -> None:
    transfer = Transfer("+14155550199", TransferKind.WARM)
    assert tags(tree(DOCUMENTS.turn("call-1", replace(REPLY, next=Next.TRANSFER, transfer=transfer)))) == ["Gather"]


def test_a_cold_transfer() -> None:
    root = tree(DOCUMENTS.cold_transfer(Transfer("+14155550199")))
    assert found(root, "Dial").get("action") == f"{DOOR}/transfer"
    assert found(root, "Dial/Number").attrib == {}


def test_a_whisper_and_the_room() -> None:
    root = tree(DOCUMENTS.whisper(CALLER, "A caller for you.", Speech("de")))
    assert (found(root, "Say").text, found(root, "Say").attrib) == ("A caller for you.", {"language": "de-DE"})
    assert found(root, "Redirect").text == f"{DOOR}/person/join?caller={CALLER}"
    caller, person = (tree(DOCUMENTS.room(CALLER, is_caller=is_caller)) for is_caller in (True, False))
    assert found(caller, "Dial").attrib == {"action": f"{DOOR}/transfer"}
    assert found(person, "Dial").attrib == {}
    for root in (caller, person):
        conference = found(root, "Dial/Conference")
        assert conference.text == f"transfer-{CALLER}"
        assert conference.get("endConferenceOnExit") == "true"


def test_keys_and_then_the_conversation_again() -> None:
    root = tree(DOCUMENTS.keys(SendKeys("ww1#")))
    assert found(root, "Play").attrib == {"digits": "ww1#"}
    assert found(root, "Redirect").text == f"{DOOR}/resume"


def test_a_message_to_a_machine() -> None:
    assert tags(tree(DOCUMENTS.message("Please call back.", Speech("en")))) == ["Pause", "Say", "Hangup"]


@pytest.mark.parametrize(
    ("language", "spoken"), [("de-AT", "de-AT"), ("de", "de-DE"), ("xx", "en-US"), ("", "en-US"), ("<&>", "en-US")]
)
def test_nobody_is_there(language: str, spoken: str) -> None:
    root = tree(DOCUMENTS.nobody_there(language))
    assert tags(root) == ["Say", "Hangup"]
    assert found(root, "Say").get("language") == spoken


@pytest.mark.parametrize("reason", ["rejected", "busy"])
def test_a_call_is_declined(reason: str) -> None:
    assert DOCUMENTS.reject(reason).endswith(f'<Response><Reject reason="{reason}" /></Response>')


def test_a_long_text_is_said_in_pieces() -> None:
    text = "word " * 3_000
    pieces = [say.text or "" for say in tree(DOCUMENTS.hang_up(text)).iter("Say")]
    assert all(len(piece) <= 3_000 for piece in pieces)
    assert " ".join(pieces).split() == text.split()
    assert len(list(tree(DOCUMENTS.hang_up("x" * 7_000)).iter("Say"))) == 3


@given(st.text(max_size=300), st.text(max_size=30), st.text(max_size=30))
def test_whatever_is_said_is_xml(text: str, language: str, voice: str) -> None:
    reply = replace(REPLY, sentences=(text,), language=language, voice=voice)
    for following in Next:
        tree(DOCUMENTS.turn("call-1", replace(reply, next=following)))
    tree(DOCUMENTS.whisper(CALLER, text, Speech(language, voice)))


@pytest.mark.parametrize(
    "text", ["Please call back. " * 55, "R&D <b> " * 125, "&" * 1000, "<&>" * 333, "नमस्ते " * 142]
)
def test_a_message_is_as_long_as_twilio_takes_it_with_an_order(text: str) -> None:
    """Source: `Twiml` of https://www.twilio.com/docs/voice/api/call-resource: at most 4000 characters."""
    document = DOCUMENTS.message(text, Speech("hi-IN", "Polly.Aditi"))
    said = found(tree(document), "Say").text or ""
    assert len(document) <= 4_000
    assert text.startswith(said)
    assert len(said) > 700 or len(said) == len(text.strip())
