"""Plays a scene to the machine of turn-taking as a telephone line would, and notes what it decides and when."""

from __future__ import annotations

import asyncio
import hashlib
import json
from collections.abc import Callable
from dataclasses import dataclass, field
from pathlib import Path

import numpy as np

from benchmarks.conversations.recordings import RATE_HZ, Track
from benchmarks.conversations.scenes import CALLER_DBFS, Scene
from local_stack.speech.audio import Pcm
from local_stack.speech.local.moonshine import Moonshine
from shared.adapters.silero.voice_activity import SileroVoiceActivityDetector
from shared.domain.audio import BYTES_PER_MS, bytes_of, decode_mulaw, encode_mulaw, samples_of
from shared.domain.completeness import finished
from shared.domain.echo import EchoDetector
from shared.domain.hum import is_hum
from shared.domain.loudness import Loudness
from shared.domain.resampling import Resampler
from shared.domain.turn_taking import (
    CHUNK_MS,
    Backchannel,
    Chunk,
    Event,
    FalseInterruption,
    Hearing,
    Interrupted,
    PauseBegan,
    Tuning,
    TurnEnded,
    TurnTaken,
    TurnTaking,
)

CHUNK_SAMPLES = CHUNK_MS * RATE_HZ // 1000
CHUNK_BYTES = CHUNK_MS * BYTES_PER_MS
HOLD_REACTION_CHUNKS = 2
"""From the decision to the silence of the agent, in chunks."""
BEFORE_SPEECH_MS = 256
ECHO_FROM = 0.3
"""The least speech probability of a chunk that is asked about."""

EndOfTurn = Callable[[str, bytes], float]
"""How likely the turn is over, from its words and from the sound up to the pause (PCM16 16 kHz)."""


def _by_words(text: str, _pcm: bytes) -> float:
    return finished(text, "en")


BY_WORDS: EndOfTurn = _by_words


class Line:
    """A telephone line: noise, µ-law at 8 kHz, and the resampling to 16 kHz behind it."""

    def __init__(self, scene: Scene) -> None:
        self._random = np.random.default_rng(scene.seed)
        self._noise = 32768 * 10 ** ((CALLER_DBFS - scene.noise_db) / 20)
        self._last = 0.0
        self._resampler = Resampler(RATE_HZ, 2 * RATE_HZ)
        self._ready = b""

    def carry(self, sound: Track) -> bytes:
        """The next chunk as PCM16 16 kHz."""
        white = self._random.normal(0, self._noise, len(sound) + 1)
        white[0] = self._last
        self._last = white[-1]
        noisy = sound + (white[1:] + 0.6 * white[:-1]) / 1.17
        line = decode_mulaw(encode_mulaw(np.clip(np.rint(noisy), -32768, 32767).astype(np.int16)))
        self._ready += bytes_of(self._resampler.push(line))
        chunk = self._ready[:CHUNK_BYTES].ljust(CHUNK_BYTES, b"\0")
        self._ready = self._ready[CHUNK_BYTES:]
        return chunk


class Words:
    """The transcripts of the local model, kept in a file: the same sound is transcribed once."""

    def __init__(self, state_dir: Path) -> None:
        self._path = state_dir / "evaluation" / "words.json"
        self._model = Moonshine(state_dir / "models" / "moonshine-tiny-en", 1)
        self._known: dict[str, str] = json.loads(self._path.read_text("utf-8")) if self._path.exists() else {}
        self._new = 0

    def of(self, pcm: bytes) -> str:
        key = hashlib.sha256(pcm).hexdigest()[:24]
        if key not in self._known:
            self._known[key] = self._model.transcribe(
                Pcm(np.divide(samples_of(pcm), 32768, dtype=np.float32), 16_000)
            )
            self._new += 1
            if self._new % 100 == 0:
                self.keep()
        return self._known[key]

    def keep(self) -> None:
        self._path.write_text(json.dumps(self._known), encoding="utf-8")


@dataclass(frozen=True, slots=True)
class Ears:
    """What of the sound is listened to besides the detector's probability."""

    loudness: bool = True
    hum: bool = True
    echo: bool = True

    def of(self, chunk: Chunk) -> Chunk:
        """Without what is not listened to."""
        return Chunk(
            chunk.probability,
            chunk.quiet_tail_ms if self.loudness else 0,
            chunk.is_hum and self.hum,
            chunk.is_echo and self.echo,
        )


@dataclass(slots=True)
class Outcome:
    """What the machine decided: every event with the audio time at which it came."""

    scene: Scene
    told: list[tuple[int, Event]] = field(default_factory=list)

    def first_ms(self, kind: type[Event]) -> int | None:
        return next((now_ms for now_ms, event in self.told if isinstance(event, kind)), None)

    def count(self, kind: type[Event]) -> int:
        return sum(isinstance(event, kind) for _, event in self.told)

    @property
    def held_ms(self) -> int:
        """How long the agent was held for nothing."""
        total, since = 0, 0
        for now_ms, event in self.told:
            if isinstance(event, Interrupted):
                since = now_ms
            elif isinstance(event, FalseInterruption | Backchannel):
                total += now_ms - since
        return total


class Stage:
    """The line, the agent at its other end, and the echo between them."""

    def __init__(self, scene: Scene) -> None:
        self.scene = scene
        self.line = Line(scene)
        self.heard = b""
        self.played = b""
        self._position = 0
        self._playing: list[int | None] = []
        self._stops_in = 0
        self.held = False
        self.stopped = False
        agent = scene.agent if scene.agent is not None else np.zeros(0)
        self._agent_pcm = bytes_of(np.repeat(agent, 2)) if scene.echo is not None else b""
        self._agent_chunks = len(agent) // CHUNK_SAMPLES

    @property
    def chunks(self) -> int:
        return len(self.scene.caller) // CHUNK_SAMPLES

    @property
    def overlaps(self) -> bool:
        return not self.stopped and self._position < self._agent_chunks

    def next_chunk(self, index: int) -> bytes:
        """The caller's side of the line for the next 32 ms."""
        scene = self.scene
        silenced = self.stopped or self.held
        self._stops_in = HOLD_REACTION_CHUNKS if not silenced else max(0, self._stops_in - 1)
        playing = self._position < self._agent_chunks and (not silenced or self._stops_in > 0)
        self._playing.append(self._position if playing else None)
        if scene.echo is not None:
            begin = self._position * CHUNK_BYTES
            self.played += self._agent_pcm[begin : begin + CHUNK_BYTES] if playing else bytes(CHUNK_BYTES)
        self._position += playing
        sound = scene.caller[index * CHUNK_SAMPLES : (index + 1) * CHUNK_SAMPLES] + self._echo(index)
        pcm = self.line.carry(sound)
        self.heard += pcm
        return pcm

    def pass_by(self, pcm: bytes) -> None:
        """The next chunk, known before: nothing comes back on this line."""
        self._position += not (self.stopped or self.held)
        self.heard += pcm

    def _echo(self, index: int) -> Track:
        echo, chunks = self.scene.echo, self.scene.echo_delay_ms // CHUNK_MS
        if echo is None or index < chunks or self._playing[index - chunks] is None:
            return np.zeros(CHUNK_SAMPLES)
        position = self._playing[index - chunks] or 0
        rest = self.scene.echo_delay_ms % CHUNK_MS * RATE_HZ // 1000
        begin = position * CHUNK_SAMPLES - rest
        piece = echo[max(0, begin) : begin + CHUNK_SAMPLES]
        return (
            np.concatenate([np.zeros(CHUNK_SAMPLES - len(piece)), piece])
            if begin < 0
            else np.pad(piece, (0, CHUNK_SAMPLES - len(piece)))
        )


class Theatre:
    """Plays scenes, with the detector and the transcriber that all share; scenes without echo are heard once."""

    def __init__(self, state_dir: Path) -> None:
        self.words = Words(state_dir)
        self._detector = SileroVoiceActivityDetector()
        self._heard: dict[int, list[tuple[bytes, Chunk]]] = {}

    def heard(self, scene: Scene) -> list[tuple[bytes, Chunk]]:
        """The sound of a scene without echo, in chunks, and all that the ears make of it."""
        if scene.seed not in self._heard:
            ear, line, loudness = self._detector.open(), Line(scene), Loudness()
            found, before = list[tuple[bytes, Chunk]](), b""
            for index in range(len(scene.caller) // CHUNK_SAMPLES):
                pcm = line.carry(scene.caller[index * CHUNK_SAMPLES : (index + 1) * CHUNK_SAMPLES])
                probability = asyncio.run(ear.probability(pcm))
                tail_ms = loudness.quiet_tail_ms(pcm)
                found.append((pcm, Chunk(probability, tail_ms, is_hum(before + pcm, loudness.noise_db))))
                before = pcm
            self._heard[scene.seed] = found
        return self._heard[scene.seed]

    def probabilities(self, scene: Scene) -> list[float]:
        """What the detector says of the scene if nobody ever stops the agent."""
        if scene.echo is None:
            return [chunk.probability for _, chunk in self.heard(scene)]
        ear, stage = self._detector.open(), Stage(scene)
        return [asyncio.run(ear.probability(stage.next_chunk(index))) for index in range(stage.chunks)]

    def play(self, scene: Scene, tuning: Tuning, ears: Ears, stt_ms: int, end_of_turn: EndOfTurn | None) -> Outcome:
        """Let the machine hear the scene; transcripts come `stt_ms` after they are asked for."""
        stage, machine, outcome = Stage(scene), TurnTaking(tuning), Outcome(scene)
        loudness, echoes, ear = Loudness(), EchoDetector(), self._detector.open()
        known = self.heard(scene) if scene.echo is None else None
        asked: list[tuple[int, int, bytes]] = []
        for index in range(stage.chunks):
            now_ms = (index + 1) * CHUNK_MS
            if known is not None:
                pcm, chunk = known[index]
                stage.pass_by(pcm)
            else:
                pcm = stage.next_chunk(index)
                probability = asyncio.run(ear.probability(pcm))
                is_back = probability >= ECHO_FROM and stage.overlaps and echoes.is_echo(stage.heard, stage.played)
                tail_ms = loudness.quiet_tail_ms(pcm)
                chunk = Chunk(probability, tail_ms, is_hum(stage.heard, loudness.noise_db), is_back)
            chunk = ears.of(chunk)
            events = machine.hear(chunk, overlaps=stage.overlaps)
            for due_ms, pause, sound in [one for one in asked if one[0] <= now_ms]:
                asked.remove((due_ms, pause, sound))
                if machine.state is not Hearing.ENDED:
                    text = self.words.of(sound)
                    events += machine.read(pause, text, end_of_turn(text, sound) if end_of_turn else 0.5)
            for event in events:
                outcome.told.append((now_ms, event))
                if isinstance(event, PauseBegan):
                    begin = max(0, machine.speech_started_ms - BEFORE_SPEECH_MS) * BYTES_PER_MS
                    asked.append((now_ms + stt_ms, event.number, stage.heard[begin:]))
                stage.held = _held_after(event, stage.held)
                stage.stopped = stage.stopped or isinstance(event, TurnTaken)
            if machine.state is Hearing.ENDED:
                break
        return outcome


def _held_after(event: Event, held: bool) -> bool:
    if isinstance(event, Interrupted):
        return True
    return held and not isinstance(event, FalseInterruption | Backchannel | TurnTaken | TurnEnded)
