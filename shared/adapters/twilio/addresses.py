"""Where Twilio finds us: the addresses of our doors and sockets, with what they are to tell us when they are asked.

Twilio signs the whole address, so what we write into a query comes back unchanged or not at all.
"""

from __future__ import annotations

from dataclasses import dataclass
from urllib.parse import urlencode


@dataclass(frozen=True, slots=True)
class TwilioAddresses:
    """`media_socket`, `relay_socket`: `wss://…` of the hubs; Twilio drops the query of a media stream's address."""

    public_base_url: str
    media_socket: str
    relay_socket: str

    def dialled(self, call_id: str) -> str:
        """Where Twilio asks what to do with a call that we dialled."""
        return self._door("voice", call=call_id)

    def status(self, call_id: str) -> str:
        return self._door("status", call=call_id)

    def stream_status(self) -> str:
        return self._door("stream-status")

    def resume(self) -> str:
        """Where Twilio asks what comes next once a socket has closed, or an errand is done."""
        return self._door("resume")

    def turn(self, call_id: str, number: int) -> str:
        """Where the words of a turn go."""
        return self._door("turn", call=call_id, turn=str(number))

    def rest_of_turn(self, call_id: str, number: int, after: int) -> str:
        """Where the rest of a turn's answer is; `after`: how many of its sentences the caller has been given."""
        return self._door("turn", call=call_id, turn=str(number), again="1", after=str(after))

    def machine(self, call_id: str) -> str:
        """Where Twilio says who has answered."""
        return self._door("amd", call=call_id)

    def recording(self) -> str:
        return self._door("recording")

    def transferred(self, language: str = "") -> str:
        """Where Twilio says what became of the other end of a transfer; `language`: the caller's."""
        return self._door("transfer", **({"language": language} if language else {}))

    def person(self, caller_sid: str, deed: str) -> str:
        """Where Twilio asks and tells of the person to whom this caller is to be put through (`PERSON_DEEDS`)."""
        return self._door(f"person/{deed}", caller=caller_sid)

    def _door(self, name: str, **query: str) -> str:
        address = f"{self.public_base_url.rstrip('/')}/api/webhooks/twilio/{name}"
        return f"{address}?{urlencode(query)}" if query else address


JOIN, TOLD, MACHINE = "join", "told", "machine"
PERSON_DEEDS = (JOIN, TOLD, MACHINE)
"""The person has heard the whisper and takes the call; the person's line has ended; who answered there."""
