"""One turn's ear: decodes frames, asks the detectors, moves the turn-taking machine, and keeps the sound."""

from __future__ import annotations

from collections.abc import Awaitable, Callable

from shared.domain.audio import BYTES_PER_MS
from shared.domain.backchannels import is_backchannel
from shared.domain.errors import MediaError
from shared.domain.hum import is_hum
from shared.domain.kept_speech import PCM_PER_MULAW
from shared.domain.loudness import Loudness
from shared.domain.turn_events import (
    CHUNK_MS,
    Backchannel,
    Chunk,
    Event,
    FalseInterruption,
    NothingSaid,
    PauseBegan,
    SpeechStarted,
    TurnEnded,
)
from shared.domain.turn_taking import Hearing, TurnTaking
from shared.domain.turn_tuning import Tuning
from shared.ports.media_codec import FrameDecoder
from shared.ports.pipes import Entry
from shared.ports.speech_to_text import Transcription
from shared.ports.voice_activity import VoiceActivity

_CHUNK_BYTES = CHUNK_MS * BYTES_PER_MS
_PRE_ROLL_MS = 320
_AUDIBLE = 0.2
"""Below this probability a chunk is silence whatever it resembles."""
_OPEN = (Hearing.QUIET, Hearing.RISING, Hearing.HOLDING, Hearing.DOUBTING)
"""Who has the turn is not known yet."""
_MAX_IDENTITY_DIGITS = 20

EchoCheck = Callable[[bytes, float], Awaitable[bool]]
"""Whether sound of the caller's side, which came in until a moment (Unix epoch), is the agent's own voice."""


class Listening:
    """Feed it the entries of the frames pipe that come after `after`. Times `*_at_ms` are Unix epoch, `*_ms` are of
    this turn's audio, in which a time without a socket is not contained.
    """

    def __init__(
        self,
        *,
        ear: VoiceActivity,
        decoder: FrameDecoder,
        tuning: Tuning,
        open_transcription: Callable[[], Transcription],
        is_echo: EchoCheck,
        broken_limit: int,
        after: str = "0-0",
        takes_mulaw: bool = False,
    ) -> None:
        self.pcm = bytearray()
        self._mulaw = bytearray() if takes_mulaw else None
        """The same as it came, for who hears telephone sound as it is."""
        self.keys = ""
        self.position = "0-0"
        self.began_ms = 0
        self.speech_started_at_ms = 0.0
        self.speech_ended_at_ms = 0.0
        self.turn_ended_at_ms = 0.0
        self.broken_frames = 0
        self.transcription: Transcription | None = None
        self._ear = ear
        self._decoder = decoder
        self._tuning = tuning
        self._machine = TurnTaking(tuning)
        self._loudness = Loudness()
        self._open_transcription = open_transcription
        self._is_echo = is_echo
        self._fed_bytes = 0
        self._listened_bytes = 0
        self._quiet_since_ms = 0
        self._seen: tuple[bytes, int] = (b"", -1)
        self._broken_limit = broken_limit
        self._put_off: list[Entry] = []
        self._arrived_at_ms = 0.0
        self._framed_at_ms = int(after.partition("-")[0])
        self._has_moved = False
        self._gaps: list[tuple[int, int]] = []
        """Where in this turn's sound a socket took another one's place (bytes), and for how long there was none."""

    @property
    def heard_ms(self) -> int:
        """How much sound has come in."""
        return len(self.pcm) // BYTES_PER_MS

    @property
    def stream_ms(self) -> int:
        """How far the call has come, by its own audio and by the clock while there was none."""
        return self.began_ms + self.heard_ms + sum(gap_ms for _, gap_ms in self._gaps)

    def sounds(self) -> list[tuple[int, bytes]]:
        """The turn's sound in pieces without a gap, with the millisecond of the call at which each begins."""
        pieces: list[tuple[int, bytes]] = []
        begin, at_ms = 0, self.began_ms
        for end, gap_ms in [*self._gaps, (len(self.pcm), 0)]:
            if end > begin:
                pieces.append((at_ms, bytes(self.pcm[begin:end])))
            at_ms += (end - begin) // BYTES_PER_MS + gap_ms
            begin = end
        return pieces

    @property
    def quiet_ms(self) -> int:
        """How long nobody has spoken."""
        return 0 if self._machine.state is not Hearing.QUIET else self.heard_ms - self._quiet_since_ms

    @property
    def is_quiet(self) -> bool:
        """Whether nobody has the turn, nor may have taken it."""
        return self._machine.state in (Hearing.QUIET, Hearing.RISING)

    @property
    def is_paused(self) -> bool:
        """Whether the turn is the caller's, who is silent for now."""
        return self._machine.state in (Hearing.PAUSING, Hearing.CLOSING)

    def end(self) -> None:
        """The turn is over, whatever the machine thinks."""
        self.turn_ended_at_ms = self._arrived_at_ms

    def is_backchannel(self, text: str) -> bool:
        """Whether such words take no turn while the agent speaks."""
        return is_backchannel(text, self._tuning.backchannels)

    def begin_quiet(self) -> None:
        """Count the silence from now on."""
        self._quiet_since_ms = self.heard_ms

    def moment(self, at_ms: int) -> float:
        """When the sound at this place of the turn came in."""
        return self._arrived_at_ms - (self._listened_bytes // BYTES_PER_MS - at_ms)

    async def take(self, entry: Entry, *, overlaps: bool) -> list[Event]:
        """The events in one frame, or one key. Raises: MediaError when too many frames hold no audio.

        What comes while only the words of the turn are awaited is put off: it is the next turn's, if there are any.
        """
        events: list[Event] = []
        coming, self._put_off = [*self._put_off, entry], []
        for number, each in enumerate(coming):
            if self._machine.state in (Hearing.CLOSING, Hearing.ENDED):
                self._put_off = coming[number:]
                break
            events += await self._take(each, overlaps)
        return events

    async def _take(self, entry: Entry, overlaps: bool) -> list[Event]:
        if entry.fields.get(b"event") == b"started":
            self._has_moved = self._framed_at_ms > 0
            return []
        self.position = entry.position
        if b"k" in entry.fields:
            self._arrived_at_ms = entry.at_ms
            key = entry.fields[b"k"].decode()
            self.keys += key
            return self._noted(self._machine.press(key, overlaps=overlaps))
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
        self._bridge(frame.pcm, entry.at_ms)
        self.pcm += frame.pcm
        if self._mulaw is not None:
            self._mulaw += frame.mulaw
        self._arrived_at_ms = entry.at_ms
        events = await self._listen(overlaps)
        self._feed()
        return events

    def _bridge(self, pcm: bytes, at_ms: int) -> None:
        """The first frame of another socket stands where the clock says; the streams' own times know nothing of the
        time between them.
        """
        gap_ms = int(at_ms - self._framed_at_ms - len(pcm) / BYTES_PER_MS)
        if self._has_moved and gap_ms > 0:
            self._gaps.append((len(self.pcm), gap_ms))
        self._has_moved, self._framed_at_ms = False, at_ms

    def read(self, pause: int, text: str | None, finished: float) -> list[Event]:
        """The events that the words of a pause bring; see `TurnTaking.read`."""
        return self._noted(self._machine.read(pause, text, finished))

    def forget_words(self) -> Transcription | None:
        """What was said so far is no part of the turn; gives the transcription that is to be closed."""
        gone, self.transcription = self.transcription, None
        self.keys = ""
        return gone

    def _feed(self) -> None:
        if self.transcription is not None:
            pcm = bytes(self.pcm[self._fed_bytes :])
            if self._mulaw is None or len(self.pcm) != PCM_PER_MULAW * len(self._mulaw):
                self.transcription.feed(pcm)
            else:
                self.transcription.feed(pcm, bytes(self._mulaw[self._fed_bytes // PCM_PER_MULAW :]))
            self._fed_bytes = len(self.pcm)

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

    async def _listen(self, overlaps: bool) -> list[Event]:
        events: list[Event] = []
        while len(self.pcm) - self._listened_bytes >= _CHUNK_BYTES:
            chunk = bytes(self.pcm[self._listened_bytes : self._listened_bytes + _CHUNK_BYTES])
            self._listened_bytes += _CHUNK_BYTES
            events += self._noted(self._machine.hear(await self._sense(chunk, overlaps), overlaps=overlaps))
            if self._machine.state is Hearing.ENDED:
                break
        return events

    async def _sense(self, pcm: bytes, overlaps: bool) -> Chunk:
        probability = await self._ear.probability(pcm)
        is_suspect = overlaps and probability > _AUDIBLE and self._machine.state in _OPEN
        return Chunk(
            probability,
            quiet_tail_ms=self._loudness.quiet_tail_ms(pcm),
            is_hum=is_suspect and is_hum(self._recent(), self._loudness.noise_db),
            is_echo=is_suspect and await self._is_echo(self._recent(), self._arrived_at_ms),
        )

    def _recent(self) -> bytes:
        """The last 256 ms that were listened to."""
        return bytes(self.pcm[max(0, self._listened_bytes - 8 * _CHUNK_BYTES) : self._listened_bytes])

    def _noted(self, events: list[Event]) -> list[Event]:
        for event in events:
            match event:
                case SpeechStarted(at_ms):
                    self.speech_started_at_ms = self.moment(at_ms)
                    if self.transcription is None:
                        self.transcription = self._open_transcription()
                        self._fed_bytes = max(0, at_ms - _PRE_ROLL_MS) * BYTES_PER_MS
                case PauseBegan(_, at_ms):
                    self.speech_ended_at_ms = self.moment(at_ms)
                case FalseInterruption() | Backchannel() | NothingSaid():
                    self.begin_quiet()
                case TurnEnded():
                    self.turn_ended_at_ms = self._arrived_at_ms
                    if event.cut:
                        self.speech_ended_at_ms = self._arrived_at_ms
                case _:
                    pass
        return events
