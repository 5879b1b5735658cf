"""Call control objects (NCCO): what Vonage is to do next, as a JSON array.

Source: https://developer.vonage.com/en/voice/voice-api/ncco-reference
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from shared.adapters.vonage.own_links import OwnLinks
from shared.domain.audio import SAMPLE_RATE_HZ
from shared.domain.telephony.commands import SendKeys, Transfer
from shared.domain.telephony.text_turns import Next, TextReply

Action = dict[str, Any]
Ncco = list[Action]

_NUMBER = re.compile(r"[1-9][0-9]{6,14}")
MEDIA_TYPE = f"audio/l16;rate={SAMPLE_RATE_HZ}"
_LONGEST_TALK = 1500
_LONGEST_WAIT_FOR_WORDS_S = 10
_WAIT_BETWEEN_S = 1
"""For words, before the rest of an answer is asked for; no less is taken."""
_LONGEST_SPEECH_S = 60
_SILENCE_ENDS_S = 0.8
_LONGEST_CONNECT_S = 7200
_KEYS_AT_ONCE = 20
_KEYS_PAUSE_S = 3
_AGAIN_S = 1
_REGIONS: Mapping[str, str] = {
    **{"en": "en-US", "hi": "hi-IN", "ta": "ta-IN", "te": "te-IN", "bn": "bn-IN", "gu": "gu-IN", "kn": "kn-IN"},
    **{"ml": "ml-IN", "mr": "mr-IN", "pa": "pa-IN", "de": "de-DE", "fr": "fr-FR", "es": "es-ES", "it": "it-IT"},
    **{"nl": "nl-NL", "pt": "pt-PT", "pl": "pl-PL", "ja": "ja-JP", "ko": "ko-KR", "tr": "tr-TR", "sv": "sv-SE"},
}
"""Vonage wants a region with the language."""


@dataclass(frozen=True, slots=True)
class MediaSocket:
    """`authorization`: a token of the realtime service, since that takes the header for its own."""

    url: str
    authorization: str
    ticket: str


class NccoWriter:
    """`links`: the addresses at which Vonage asks us what is next."""

    def __init__(self, links: OwnLinks) -> None:
        self._links = links

    def connect_socket(self, socket: MediaSocket, *, leg: str, own_number: str) -> Ncco:
        """The call's audio to our socket. Nothing may stand behind it: it would begin as soon as the socket is up.

        Source: https://developer.vonage.com/en/voice/voice-api/guides/websockets
        """
        endpoint = {
            "type": "websocket",
            "uri": socket.url,
            "content-type": MEDIA_TYPE,
            "headers": {"ticket": socket.ticket, "leg": leg},
            "authorization": {"type": "custom", "value": f"Bearer {socket.authorization}"},
        }
        return [
            {
                "action": "connect",
                **_from(own_number),
                "eventUrl": [self._links.event(leg)],
                "eventMethod": "POST",
                "endpoint": [endpoint],
            }
        ]

    def reply(self, reply: TextReply, *, call_id: str, leg: str, own_number: str, whisper_url: str = "") -> Ncco:
        """The answer of a text line, and what comes after it. `whisper_url`: see `transfer`."""
        match reply.next:
            case Next.LISTEN:
                url = self._links.turn(call_id, leg, reply.turn + 1)
                listen = _listen(reply, url, _LONGEST_WAIT_FOR_WORDS_S)
                return [*_talks(reply, may_be_interrupted=reply.is_interruptible), listen]
            case Next.COME_AGAIN:
                return self._say_so_far(reply, call_id, leg)
            case Next.TRANSFER if reply.transfer is not None:
                connect = self.transfer(reply.transfer, leg=leg, own_number=own_number, whisper_url=whisper_url)
                return [*_talks(reply), *connect]
            case _:
                return _talks(reply)

    def transfer(self, transfer: Transfer, *, leg: str, own_number: str, whisper_url: str = "") -> Ncco:
        """Puts the caller through; how that ends is told to us, and after a failure we may say what is next.

        `whisper_url`: where Vonage asks what the person is to hear first (`Whispers`).
        """
        endpoint: Action = {"type": "phone", "number": _digits(transfer.to)}
        if transfer.keys:
            endpoint["dtmfAnswer"] = keys_of(SendKeys(transfer.keys))
        if whisper_url:
            endpoint["onAnswer"] = {"url": whisper_url}
        limit = {"limit": min(transfer.longest_s, _LONGEST_CONNECT_S)} if transfer.longest_s else {}
        return [
            {
                "action": "connect",
                **_from(own_number),
                "timeout": transfer.ring_s,
                **limit,
                "eventType": "synchronous",
                "eventUrl": [self._links.transfer(leg)],
                "eventMethod": "POST",
                "endpoint": [endpoint],
            }
        ]

    def whisper(self, text: str, language: str) -> Ncco:
        """What the person who was dialled hears before the caller does."""
        return self.leave_message(text, language)

    def leave_message(self, text: str, language: str) -> Ncco:
        """For a machine, after its beep; then the call ends."""
        tag = language_tag(language)
        spoken: Action = {"language": tag} if tag else {}
        return [{"action": "talk", **spoken, "text": part} for part in _parts(_plain(text))]

    def record(self, leg: str) -> Action:
        """Records from here on, both sides on a channel of their own, while the next action runs."""
        return {
            "action": "record",
            "split": "conversation",
            "channels": 2,
            "format": "wav",
            "eventUrl": [self._links.event(leg)],
            "eventMethod": "POST",
        }

    def _say_so_far(self, reply: TextReply, call_id: str, leg: str) -> Ncco:
        """What there is of an answer; who speaks into it, or into the waiting, takes the next turn. Where we do not
        answer, Vonage goes on with what stands behind, and asks once more.
        """
        again = self._come_again(reply, call_id, leg)
        rest = [{"action": "wait", "timeout": _AGAIN_S}, again]
        if not reply.is_interruptible:
            return [*_talks(reply), again, *rest]
        url = self._links.turn_or_rest(call_id, leg, reply.turn + 1, after=reply.told)
        return [*_talks(reply, may_be_interrupted=True), _listen(reply, url, _WAIT_BETWEEN_S), *rest]

    def _come_again(self, reply: TextReply, call_id: str, leg: str) -> Action:
        """Asks us for the rest of this turn, after what stands before it has been said."""
        return {
            "action": "notify",
            "payload": {"turn": str(reply.turn), "told": str(reply.told)},
            "eventUrl": [self._links.turn(call_id, leg, reply.turn, after=reply.told)],
            "eventMethod": "POST",
        }


def _listen(reply: TextReply, url: str, start_s: int) -> Action:
    language = language_tag(reply.language)
    speech: Action = {
        "endOnSilence": _SILENCE_ENDS_S,
        "startTimeout": start_s,
        "maxDuration": _LONGEST_SPEECH_S,
    }
    if language:
        speech["language"] = language
    return {
        "action": "input",
        "type": ["speech", "dtmf"],
        "speech": speech,
        "dtmf": {"maxDigits": _KEYS_AT_ONCE, "timeOut": _KEYS_PAUSE_S, "submitOnHash": True},
        "eventUrl": [url],
        "eventMethod": "POST",
    }


def language_tag(language: str) -> str:
    """As Vonage names it; empty where it is to choose."""
    return language if "-" in language else _REGIONS.get(language.lower(), "")


def keys_of(keys: SendKeys) -> str:
    """Keys as Vonage writes them: a pause is `p`, half a second. A–D it has not, and they are left out."""
    written = keys.keys.replace("W", "pp").replace("w", "p")
    return "".join(key for key in written if key in "0123456789*#p")


def _talks(reply: TextReply, *, may_be_interrupted: bool = False) -> Ncco:
    talk: Action = {"action": "talk", "bargeIn": may_be_interrupted}
    if language := language_tag(reply.language):
        talk["language"] = language
    if reply.voice.isdecimal():
        talk["style"] = int(reply.voice)
    return [{**talk, "text": part} for part in _parts(_plain(reply.text))]


def _plain(text: str) -> str:
    """Without what Vonage would take for SSML."""
    return " ".join(text.replace("<", " ").replace(">", " ").replace("&", " and ").split())


def _parts(text: str) -> list[str]:
    """Cut between words to what one action may say."""
    parts = []
    while len(text) > _LONGEST_TALK:
        cut = text.rfind(" ", 1, _LONGEST_TALK + 1)
        cut = cut if cut > 0 else _LONGEST_TALK
        parts.append(text[:cut].strip())
        text = text[cut:].strip()
    return [*parts, text] if text else parts


def _from(own_number: str) -> Action:
    """Whom the other end sees: one of the two must be there. Where ours is not known, Vonage takes any of ours."""
    digits = _digits(own_number)
    return {"from": digits} if _NUMBER.fullmatch(digits) else {"randomFromNumber": True}


def _digits(number: str) -> str:
    """Vonage writes numbers without their plus sign."""
    return number.removeprefix("+")
