"""Sounds that are no words. Hums are made of recorded nasals; coughs, throats, bangs and bursts of noise are made by
rule, and real ones differ more from one another than these do.
"""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

from benchmarks.conversations.recordings import RATE_HZ, Track

Random = np.random.Generator


def _samples(ms: float) -> int:
    return max(1, int(ms * RATE_HZ / 1000))


def shaped(track: Track, peaks: Sequence[tuple[float, float, float]], floor_db: float = -40) -> Track:
    """The sound through resonances: (Hz, width in Hz, dB)."""
    spectrum = np.fft.rfft(track)
    hz = np.fft.rfftfreq(len(track), 1 / RATE_HZ)
    gain = np.full(len(hz), 10 ** (floor_db / 20))
    for centre, width, level_db in peaks:
        gain += 10 ** (level_db / 20) / (1 + ((hz - centre) / (width / 2)) ** 2)
    return np.asarray(np.fft.irfft(spectrum * gain, len(track)), np.float64)


def pulses(ms: float, pitch_hz: Track | float, random: Random, jitter: float = 0.01) -> Track:
    """A glottal pulse train with this pitch, falling 6 dB an octave."""
    track = np.zeros(_samples(ms))
    pitch = np.broadcast_to(pitch_hz, track.shape)
    position = 0.0
    while position < len(track):
        track[int(position)] = 1.0
        position += RATE_HZ / pitch[int(position)] * (1 + random.normal(0, jitter))
    smooth = np.exp(-np.arange(24) / 3.0)
    return np.asarray(np.convolve(track, smooth)[: len(track)], np.float64)


def hum(murmur: Track, random: Random) -> Track:
    """ "Mm-hm" or "mmm" out of a recorded nasal: its pitch is bent, a breath stands between."""
    parts = []
    for turn in range(random.integers(1, 3)):
        pitch = random.uniform(0.8, 1.1) * (1 + 0.15 * turn)
        sung = np.interp(np.arange(0, len(murmur) - 1, pitch), np.arange(len(murmur)), murmur)
        repeated = _joined([sung] * int(random.integers(1, 3)))
        voice = repeated / max(repeated.std(), 1.0) * _bump(len(repeated), 0.2)
        parts += [voice, random.normal(0, 0.03, _samples(random.uniform(40, 90)))]
    return np.concatenate(parts)


def _joined(pieces: list[Track], fade_ms: float = 20) -> Track:
    """One after the other, faded into each other."""
    fade = _samples(fade_ms)
    ramp = np.linspace(0, 1, fade)
    whole = pieces[0]
    for piece in pieces[1:]:
        seam = whole[-fade:] * (1 - ramp) + piece[:fade] * ramp
        whole = np.concatenate([whole[:-fade], seam, piece[fade:]])
    return whole


def cough(random: Random) -> Track:
    """One to three coughs: a burst, a noisy phase through the vocal tract, often a short voiced end."""
    parts = []
    for _ in range(random.integers(1, 4)):
        burst = random.normal(0, 1, _samples(random.uniform(20, 45)))
        phase_ms = random.uniform(90, 220)
        noise = random.normal(0, 1, _samples(phase_ms))
        noise *= np.exp(-np.linspace(0, random.uniform(2, 4), len(noise)))
        tract = [(random.uniform(450, 700), 250, 0), (random.uniform(1300, 1800), 350, -3), (2600, 500, -6)]
        breath = shaped(np.concatenate([burst * 1.6, noise]), tract, -22)
        parts.append(breath / breath.std())
        if random.random() < 0.6:
            ms = random.uniform(50, 130)
            voice = shaped(pulses(ms, np.linspace(260, 140, _samples(ms)), random, 0.08), tract, -30)
            parts.append(0.8 * voice / voice.std() * _bump(len(voice), 0.5))
        parts.append(np.zeros(_samples(random.uniform(60, 180))))
    return np.concatenate(parts)


def throat(random: Random) -> Track:
    """Clearing the throat: rough, low voice with much noise."""
    ms = random.uniform(250, 550)
    rough = pulses(ms, random.uniform(55, 90), random, 0.25)
    mixed = rough / rough.std() + random.normal(0, 0.9, len(rough))
    return shaped(mixed, [(500, 300, 0), (1400, 500, -8), (2500, 700, -14)], -30) * _bump(len(rough), 0.3)


def noise_burst(random: Random) -> Track:
    """Wind, a lorry, a tap: 100 to 900 ms of noise with a tilt."""
    noise = random.normal(0, 1, _samples(random.uniform(100, 900)))
    spectrum = np.fft.rfft(noise)
    tilt = (np.arange(len(spectrum)) + 20.0) ** -random.uniform(0, 1)
    return np.asarray(np.fft.irfft(spectrum * tilt, len(noise)), np.float64) * _bump(len(noise), 0.2)


def bang(random: Random) -> Track:
    """A door or a cup on the table: a thump and some rattle."""
    length = _samples(random.uniform(150, 350))
    time = np.arange(length) / RATE_HZ
    thump = np.sin(2 * np.pi * random.uniform(90, 350) * time) * np.exp(-time * random.uniform(15, 40))
    rattle = random.normal(0, 1, length) * np.exp(-time * random.uniform(30, 90))
    return thump + rattle


def _bump(length: int, edge: float) -> Track:
    """An envelope that rises and falls within this share of the length."""
    edge_samples = max(1, int(length * edge))
    envelope = np.ones(length)
    ramp = np.sin(np.linspace(0, np.pi / 2, edge_samples)) ** 2
    envelope[:edge_samples] *= ramp
    envelope[-edge_samples:] *= ramp[::-1]
    return envelope
