"""One turn's ear: decodes frames, asks the detector, moves the turn-taking machine, and keeps the sound."""

from __future__ import annotations

from shared.domain.audio import BYTES_PER_MS
from shared.domain.errors import MediaError
from shared.domain.turn_taking import (
    CHUNK_MS,
    Event,
    Hearing,
    Patience,
    PauseBegan,
    SpeechStarted,
    TurnEnded,
    TurnTaking,
)
from shared.ports.media_codec import FrameDecoder
from shared.ports.pipes import Entry
from shared.ports.voice_activity import VoiceActivity

_CHUNK_BYTES = CHUNK_MS * BYTES_PER_MS
_MAX_IDENTITY_DIGITS = 20


class Listening:
    """Feed it the entries of the frames pipe. Times `*_at_ms` are Unix epoch, `*_ms` are of this turn's audio."""

    def __init__(self, *, ear: VoiceActivity, decoder: FrameDecoder, patience: Patience, broken_limit: int) -> None:
        self.pcm = bytearray()
        self.position = "0-0"
        self.began_ms = 0
        self.speech_started_at_ms = 0.0
        self.speech_ended_at_ms = 0.0
        self.turn_ended_at_ms = 0.0
        self.broken_frames = 0
        self._ear = ear
        self._decoder = decoder
        self._machine = TurnTaking(patience)
        self._listened_bytes = 0
        self._quiet_since_ms = 0
        self._span: tuple[int, int] | None = None
        self._seen: tuple[bytes, int] = (b"", -1)
        self._broken_limit = broken_limit

    @property
    def heard_ms(self) -> int:
        """How much sound has come in."""
        return len(self.pcm) // BYTES_PER_MS

    @property
    def stream_ms(self) -> int:
        """How far the call has come, by its own audio."""
        return self.began_ms + self.heard_ms

    @property
    def quiet_ms(self) -> int:
        """How long nobody has spoken."""
        return 0 if self._machine.state is not Hearing.QUIET else self.heard_ms - self._quiet_since_ms

    def begin_quiet(self) -> None:
        """Count the silence from now on."""
        self._quiet_since_ms = self.heard_ms

    async def take(self, entry: Entry) -> list[Event]:
        """The events in one frame. Raises: MediaError when too many frames hold no audio."""
        self.position = entry.position
        if self._is_repeated(entry):
            return []
        try:
            frame = self._decoder.decode(entry.fields[b"d"])
        except MediaError:
            self.broken_frames += 1
            if self.broken_frames >= self._broken_limit:
                raise
            return []
        if not self.pcm:
            self.began_ms = frame.at_ms
        self.pcm += frame.pcm
        return await self._listen(entry.at_ms)

    def speech(self, before_ms: int, after_ms: int) -> bytes:
        """The caller's words as PCM16 16 kHz, with some sound around them; empty if nobody spoke."""
        if self._span is None:
            if self._machine.state in (Hearing.QUIET, Hearing.RISING):
                return b""
            self._span = (self._machine.speech_started_ms, self.heard_ms)
        started_ms, ended_ms = self._span
        return bytes(self.pcm[max(0, started_ms - before_ms) * BYTES_PER_MS : (ended_ms + after_ms) * BYTES_PER_MS])

    def _is_repeated(self, entry: Entry) -> bool:
        """The realtime service repeats an event it got no answer for, with the same id.

        Source: `ce-id` in https://learn.microsoft.com/azure/azure-web-pubsub/reference-cloud-events
        """
        connection, identity = entry.fields.get(b"c", b""), entry.fields.get(b"i", b"")
        if not identity.isdigit() or len(identity) > _MAX_IDENTITY_DIGITS:
            return False
        if connection == self._seen[0] and int(identity) <= self._seen[1]:
            return True
        self._seen = (connection, int(identity))
        return False

    async def _listen(self, arrived_at_ms: int) -> list[Event]:
        events: list[Event] = []
        while len(self.pcm) - self._listened_bytes >= _CHUNK_BYTES:
            chunk = bytes(self.pcm[self._listened_bytes : self._listened_bytes + _CHUNK_BYTES])
            self._listened_bytes += _CHUNK_BYTES
            for event in self._machine.hear(await self._ear.probability(chunk)):
                self._note(event, arrived_at_ms)
                events.append(event)
                if isinstance(event, TurnEnded):
                    return events
        return events

    def _note(self, event: Event, arrived_at_ms: int) -> None:
        now_ms = self._listened_bytes // BYTES_PER_MS
        match event:
            case SpeechStarted(at_ms):
                self.speech_started_at_ms = arrived_at_ms - (now_ms - at_ms)
            case PauseBegan(at_ms):
                self.speech_ended_at_ms = arrived_at_ms - (now_ms - at_ms)
            case TurnEnded(started_ms, ended_ms, cut):
                self._span = (started_ms, ended_ms)
                self.turn_ended_at_ms = arrived_at_ms
                if cut:
                    self.speech_ended_at_ms = arrived_at_ms
            case _:
                pass
