"""TwiML: the documents with which Twilio is told what to do with a call. Pure; nothing here asks anybody.

Source: https://www.twilio.com/docs/voice/twiml
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from xml.etree import ElementTree as ET

from shared.adapters.twilio.addresses import JOIN, TwilioAddresses
from shared.adapters.twilio.tongues import nobody_there, relay_voice, say_voice, twilio_language
from shared.domain.call import Agent
from shared.domain.telephony.commands import SendKeys, Transfer, TransferKind
from shared.domain.telephony.text_turns import Next, TextReply

_NOT_XML = re.compile("[^\t\n\r\u0020-\ud7ff\ue000-\ufffd\U00010000-\U0010ffff]")
_LONGEST_SAY = 3_000
"""Of one `<Say>`, in characters; Twilio's own limit is 4096."""
_LONGEST_ORDERED = 4_000
"""Of a document that is not fetched, but given along with an order, in characters."""
_LISTEN_S = 8
"""After which a caller who says nothing is asked again."""
_LISTEN_BETWEEN_S = 1
"""The same before the rest of an answer is asked for; Twilio counts whole seconds."""


@dataclass(frozen=True, slots=True)
class Speech:
    """How Twilio's own voice sounds; `consent`: what it says first of all where Twilio is to record the call."""

    language: str = ""
    voice: str = ""
    consent: str = ""


class TwilioDocuments:
    """Renders what an answer to a webhook, or a redirected call, is told."""

    def __init__(self, addresses: TwilioAddresses) -> None:
        self._addresses = addresses

    def stream(self, ticket: str, agent: Agent, *, is_first: bool = True) -> str:
        """Hand the call's audio to our socket; the ticket travels as a parameter, since Twilio drops query strings.

        Source: https://www.twilio.com/docs/voice/twiml/stream
        """
        response = self._begin(_speech(agent, is_first=is_first))
        connect = ET.SubElement(response, "Connect", {"action": self._addresses.resume()})
        url, status = self._addresses.media_socket, self._addresses.stream_status()
        stream = ET.SubElement(connect, "Stream", {"url": url, "statusCallback": status})
        ET.SubElement(stream, "Parameter", {"name": "ticket", "value": ticket})
        return _document(response)

    def relay(self, ticket: str, agent: Agent, *, is_first: bool = True) -> str:
        """Hand the call's words to our socket. The greeting comes over it too, so none is given here.

        Source: https://www.twilio.com/docs/voice/twiml/connect/conversationrelay
        """
        speech = _speech(agent, is_first=is_first)
        response = self._begin(speech)
        connect = ET.SubElement(response, "Connect", {"action": self._addresses.resume()})
        manner = "any" if agent.interruptible else "none"
        attributes = {
            "url": self._addresses.relay_socket,
            "dtmfDetection": "true",
            "interruptible": manner,
            "welcomeGreeting": "",
            "welcomeGreetingInterruptible": manner,
        }
        if language := twilio_language(speech.language):
            attributes["language"] = language
        if (voice := relay_voice(speech.voice)) is not None:
            attributes |= {"ttsProvider": voice.provider, "voice": voice.voice}
        relay = ET.SubElement(connect, "ConversationRelay", attributes)
        # Those to which the session may be switched.
        spoken = dict.fromkeys(filter(None, map(twilio_language, agent.manner.languages)))
        for code in spoken:
            if code != language:
                ET.SubElement(relay, "Language", {"code": code})
        ET.SubElement(relay, "Parameter", {"name": "ticket", "value": ticket})
        return _document(response)

    def turn(self, call_id: str, reply: TextReply, *, consent: str = "", caller_id: str = "") -> str:
        """Say a reply, then do what comes next. A caller who is silent is brought back too, with no words. The caller
        of a warm transfer goes on with the agent until the person has taken it.

        Source: https://www.twilio.com/docs/voice/twiml/gather
        """
        speech = Speech(reply.language, reply.voice, consent)
        response = self._begin(speech)
        match reply.next:
            case Next.COME_AGAIN:
                self._say_so_far(response, call_id, reply, speech)
                _redirect(response, self._addresses.rest_of_turn(call_id, reply.turn, reply.told))
            case Next.HANG_UP:
                _say(response, reply.text, speech)
                ET.SubElement(response, "Hangup")
            case Next.TRANSFER if reply.transfer is not None and reply.transfer.kind is TransferKind.COLD:
                _say(response, reply.text, speech)
                self._dial(response, reply.transfer, reply.language, caller_id)
            case _:
                following = self._addresses.turn(call_id, reply.turn + 1)
                if not reply.is_interruptible:
                    _say(response, reply.text, speech)
                gather = ET.SubElement(response, "Gather", _gathering(following, speech))
                if reply.is_interruptible:
                    _say(gather, reply.text, speech)
        return _document(response)

    def _say_so_far(self, response: ET.Element, call_id: str, reply: TextReply, speech: Speech) -> None:
        """What there is of an answer; who speaks into it, or into the waiting, takes the next turn."""
        if not reply.is_interruptible:
            _say(response, reply.text, speech)
            return
        following = self._addresses.turn(call_id, reply.turn + 1)
        gathering = _gathering(following, speech) | {"timeout": str(_LISTEN_BETWEEN_S)}
        del gathering["actionOnEmptyResult"]  # so that silence leads on to what stands behind
        _say(ET.SubElement(response, "Gather", gathering), reply.text, speech)

    def cold_transfer(self, transfer: Transfer, *, caller_id: str = "") -> str:
        """Put the caller through; the agent has left. `caller_id`: shown instead of the caller's number.

        Source: https://www.twilio.com/docs/voice/twiml/dial
        """
        response = ET.Element("Response")
        self._dial(response, transfer, transfer.language, caller_id)
        return _document(response)

    def nobody_there(self, language: str) -> str:
        """The end of a transfer that nobody took, and to which there is no way back."""
        text, tongue = nobody_there(language)
        return self.hang_up(text, Speech(tongue))

    def _dial(self, response: ET.Element, transfer: Transfer, language: str, caller_id: str) -> None:
        action, timeout = self._addresses.transferred(language), str(transfer.ring_s)
        limit = {"timeLimit": str(transfer.longest_s)} if transfer.longest_s else {}
        attributes = {"action": action, "timeout": timeout, "answerOnBridge": "true", **limit}
        if caller_id:
            attributes["callerId"] = caller_id
        dial = ET.SubElement(response, "Dial", attributes)
        number = ET.SubElement(dial, "Number", {"sendDigits": transfer.keys} if transfer.keys else {})
        number.text = transfer.to

    def whisper(self, caller_sid: str, text: str, speech: Speech) -> str:
        """What the person hears who is to take the caller, and where the line goes on if that person stays."""
        response = ET.Element("Response")
        _say(response, text, speech)
        _redirect(response, self._addresses.person(caller_sid, JOIN))
        return _document(response)

    def room(self, caller_sid: str, *, is_caller: bool) -> str:
        """Where caller and person meet; it closes as soon as one of them leaves.

        Source: https://www.twilio.com/docs/voice/twiml/conference
        """
        response = ET.Element("Response")
        dial = ET.SubElement(response, "Dial", {"action": self._addresses.transferred()} if is_caller else {})
        attributes = {"beep": "false", "startConferenceOnEnter": "true", "endConferenceOnExit": "true"}
        ET.SubElement(dial, "Conference", attributes).text = f"transfer-{caller_sid}"
        return _document(response)

    def keys(self, keys: SendKeys) -> str:
        """Play tones towards the other end, then take the conversation up again."""
        response = ET.Element("Response")
        ET.SubElement(response, "Play", {"digits": keys.keys})
        _redirect(response, self._addresses.resume())
        return _document(response)

    def message(self, text: str, speech: Speech) -> str:
        """Speak to the machine that answered, then hang up. What is too long as XML is left out at the end."""
        response = ET.Element("Response")
        ET.SubElement(response, "Pause", {"length": "1"})
        _say(response, text, speech)
        ET.SubElement(response, "Hangup")
        document = _document(response)
        if (excess := len(document) - _LONGEST_ORDERED) <= 0:
            return document
        shorter = text[: len(text) - max(1, excess // len("&amp;"))]
        return self.message(shorter.rpartition(" ")[0] or shorter, speech)

    def hang_up(self, text: str = "", speech: Speech | None = None) -> str:
        response = ET.Element("Response")
        _say(response, text, speech or Speech())
        ET.SubElement(response, "Hangup")
        return _document(response)

    def reject(self, reason: str = "rejected") -> str:
        """Decline the call before it costs anything; `reason` is `rejected` or `busy`."""
        response = ET.Element("Response")
        ET.SubElement(response, "Reject", {"reason": reason})
        return _document(response)

    def _begin(self, speech: Speech) -> ET.Element:
        """A document that first of all says that the call is recorded, and has it recorded, where that is wanted."""
        response = ET.Element("Response")
        if speech.consent:
            _say(response, speech.consent, speech)
            start = ET.SubElement(response, "Start")
            told = {"recordingStatusCallback": self._addresses.recording(), "channels": "dual"}
            ET.SubElement(start, "Recording", told | {"recordingStatusCallbackEvent": "completed absent"})
        return response


def _speech(agent: Agent, *, is_first: bool) -> Speech:
    return Speech(agent.language, agent.voice, agent.manner.recording_consent if is_first else "")


def _gathering(action: str, speech: Speech) -> dict[str, str]:
    attributes = {
        "input": "speech dtmf",
        "action": action,
        "method": "POST",
        "timeout": str(_LISTEN_S),
        "speechTimeout": "auto",
        "actionOnEmptyResult": "true",
    }
    language = twilio_language(speech.language)
    return attributes | ({"language": language} if language else {})


def _say(parent: ET.Element, text: str, speech: Speech) -> None:
    """Text without words is not said; a long one in several pieces, cut between words where that is possible."""
    attributes = {"voice": say_voice(speech.voice), "language": twilio_language(speech.language)}
    rest = _NOT_XML.sub("", text).strip()
    while rest:
        cut = rest.rfind(" ", 1, _LONGEST_SAY) if len(rest) > _LONGEST_SAY else len(rest)
        piece, rest = rest[: cut if cut > 0 else _LONGEST_SAY], rest[cut if cut > 0 else _LONGEST_SAY :].strip()
        ET.SubElement(parent, "Say", {name: value for name, value in attributes.items() if value}).text = piece


def _redirect(response: ET.Element, url: str) -> None:
    ET.SubElement(response, "Redirect", {"method": "POST"}).text = url


def _document(response: ET.Element) -> str:
    return '<?xml version="1.0" encoding="UTF-8"?>' + ET.tostring(response, encoding="unicode")
