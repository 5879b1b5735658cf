"""Labelled pieces of telephone calls: callers' turns with pauses inside, and what is heard while the agent speaks."""

from __future__ import annotations

import hashlib
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np

from benchmarks.conversations import recordings
from benchmarks.conversations.recordings import RATE_HZ, Track, at_level, rms, trimmed
from local_stack.speech.audio import Pcm
from local_stack.speech.local.hibari_voice import HibariVoice

CALLER_DBFS = -22.0
NOISES_DB = (30.0, 15.0)
"""Speech over line noise."""
BEFORE_MS, AFTER_MS = 640, 2800
LONGEST_AGENT_MS = 4500
PAUSES_MS = (150, 900)
PAUSE_MEDIAN_MS, PAUSE_SPREAD = 400, 0.5
"""Silent pauses within turns are log-normal. Sources: Campione and Véronis 2002 (medians of 250 to 600 ms by kind of
speech); Heldner and Edlund 2010. Cut to the range above, where plain patience is wrong or slow.
"""


@dataclass(frozen=True, slots=True)
class Scene:
    """Some seconds of a call at `RATE_HZ`.

    `label` is its class; `is_turn` whether it ends with a caller's turn. `loud_ms`: the first loud 20 ms of the
    caller; `end_ms`: the end of the caller's last sound. `agent`: what the agent plays, from the beginning;
    `echo`: what of it comes back, after `echo_delay_ms`.
    """

    label: str
    caller: Track
    is_turn: bool
    loud_ms: int
    end_ms: int
    noise_db: float
    held_out: bool
    seed: int
    agent: Track | None = None
    echo: Track | None = None
    echo_delay_ms: int = 0

    @property
    def over(self) -> bool:
        return self.agent is not None


def ms_of(track: Track) -> int:
    return len(track) * 1000 // RATE_HZ


def silence(ms: float) -> Track:
    return np.zeros(int(ms * RATE_HZ / 1000))


def seed_of(name: str) -> int:
    return int.from_bytes(hashlib.sha256(name.encode()).digest()[:4], "big")


def is_held_out(name: str) -> bool:
    """Whether what comes from this source is kept out of tuning: half of all."""
    return bool(seed_of("part " + name) % 2)


def in_band(track: Track) -> Track:
    """What a telephone lets through, 300 to 3400 Hz with soft edges. Source: ITU-T G.712"""
    spectrum = np.fft.rfft(track)
    hz = np.fft.rfftfreq(len(track), 1 / RATE_HZ)
    low = 1 / (1 + (250.0 / np.maximum(hz, 1.0)) ** 6)
    high = 1 / (1 + (hz / 3500.0) ** 24)
    return np.asarray(np.fft.irfft(spectrum * low * high, len(track)), np.float64)


def loud_from_ms(track: Track) -> int:
    """Where the first 20 ms begin that are within 20 dB of the loud parts."""
    block = RATE_HZ // 50
    levels = [rms(track[index : index + block]) for index in range(0, len(track) - block + 1, block)]
    limit = sorted(levels)[-max(1, len(levels) // 10)] / 10
    return next(index for index, level in enumerate(levels) if level >= limit) * 20


def audible_until_ms(track: Track) -> int:
    """Where the last 10 ms end that are within 30 dB of the loud parts."""
    block = RATE_HZ // 100
    levels = [rms(track[index : index + block]) for index in range(0, len(track) - block + 1, block)]
    limit = sorted(levels)[-max(1, len(levels) // 10)] / 31.6
    return max(index for index, level in enumerate(levels) if level >= limit) * 10 + 10


class Studio:
    """Everything that scenes are made of, loaded once."""

    def __init__(self, state_dir: Path) -> None:
        folder = state_dir / "evaluation"
        self.prompts = recordings.unpacked(recordings.PROMPTS, folder)
        self.readings = recordings.unpacked(recordings.READINGS, folder)
        self.keyboard = recordings.unpacked(recordings.KEYBOARD, folder)
        self._voice = HibariVoice(state_dir / "models" / "hibari" / "hibari.onnx", 1)
        self._spoken: dict[tuple[str, float, float], Track] = {}

    def prompt(self, name: str) -> Track:
        return trimmed(recordings.read(self.prompts / f"{name}.wav"))

    def spoken(self, text: str, speed: float = 1.0, pitch: float = 1.0) -> Track:
        """The local voice, faster or slower, higher or lower."""
        key = (text, speed, pitch)
        if key not in self._spoken:
            pieces = [self._voice.synthesize(piece, speed / pitch) for piece in self._voice.pieces(text)]
            samples = np.divide(np.frombuffer(b"".join(pieces), "<i2"), 32768, dtype=np.float32)
            self._spoken[key] = trimmed(recordings.at_rate(Pcm(samples, round(24_000 * pitch))))
        return self._spoken[key]


def pause_ms(random: np.random.Generator) -> float:
    while True:
        drawn = float(random.lognormal(np.log(PAUSE_MEDIAN_MS), PAUSE_SPREAD))
        if PAUSES_MS[0] <= drawn <= PAUSES_MS[1]:
            return drawn


def with_pauses(phrases: Sequence[Track], random: np.random.Generator) -> Track:
    """Phrases at the caller's level, with pauses as people make them."""
    parts = [at_level(phrases[0], CALLER_DBFS)]
    for phrase in phrases[1:]:
        parts += [silence(pause_ms(random)), at_level(phrase, CALLER_DBFS)]
    return np.concatenate(parts)


def split_at_gaps(track: Track, least_ms: int = 90) -> list[Track]:
    """A recording cut at its own silences, which are left out."""
    block = RATE_HZ // 100
    levels = np.array([rms(track[index : index + block]) for index in range(0, len(track), block)])
    quiet = levels < levels.max() / 60
    phrases, begin, run = [], 0, 0
    for index, is_quiet in enumerate(quiet):
        run = run + 1 if is_quiet else 0
        if run == least_ms // 10:
            phrases.append(track[begin : (index - run + 3) * block])
        if run >= least_ms // 10:
            begin = max(0, index - 1) * block
    phrases.append(track[begin:])
    return [phrase for phrase in phrases if ms_of(phrase) > 250]


def turn(label: str, source: str, speech: Track) -> Iterator[Scene]:
    """A caller's turn that overlaps with nothing, on lines with more and less noise."""
    speech = in_band(speech)
    begin, end = BEFORE_MS + loud_from_ms(speech), BEFORE_MS + audible_until_ms(speech)
    speech = np.concatenate([silence(BEFORE_MS), speech, silence(AFTER_MS)])
    for noise_db in NOISES_DB:
        seed = seed_of(f"{label} {source} {noise_db}")
        yield Scene(label, speech, True, begin, end, noise_db, is_held_out(source), seed)


@dataclass(frozen=True, slots=True)
class EchoPath:
    """A way back: attenuation, delay, and the short reverberation of a handset or a room."""

    attenuation_db: float
    delay_ms: int
    seed: int

    def back(self, agent: Track) -> Track:
        """What comes back, not delayed yet."""
        random = np.random.default_rng(self.seed)
        taps = random.normal(0, 1, 64) * np.exp(-np.arange(64) / 10.0)
        taps[0] = 2.5
        taps /= np.sqrt(np.square(taps).sum())
        return np.convolve(agent, taps)[: len(agent)] * 10 ** (-self.attenuation_db / 20)


def over_agent(
    label: str,
    source: str,
    sound: Track | None,
    agent: Track,
    *,
    is_turn: bool = False,
    level_dbfs: float = CALLER_DBFS,
    echo: EchoPath | None = None,
) -> Iterator[Scene]:
    """A sound of the caller while the agent speaks. What follows a "|" in `source` tells its variants apart."""
    if echo is None:
        agent = agent[: LONGEST_AGENT_MS * RATE_HZ // 1000]
    for noise_db in NOISES_DB:
        seed = seed_of(f"{label} {source} {noise_db}")
        random = np.random.default_rng(seed)
        caller = silence(ms_of(agent))
        begin = end = 0
        if sound is not None:
            placed = at_level(in_band(sound), level_dbfs)
            start = int(random.uniform(1.2, 2.0) * RATE_HZ)
            begin = start * 1000 // RATE_HZ + loud_from_ms(placed)
            end = start * 1000 // RATE_HZ + audible_until_ms(placed)
            caller = np.zeros(max(len(agent), start + len(placed)) + AFTER_MS * RATE_HZ // 1000)
            caller[start : start + len(placed)] += placed
        returned = in_band(echo.back(agent)) if echo else None
        delay_ms = echo.delay_ms if echo else 0
        yield Scene(
            label, caller, is_turn, begin, end, noise_db, is_held_out(source), seed, agent, returned, delay_ms
        )
