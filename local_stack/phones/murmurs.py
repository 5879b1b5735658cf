"""Sounds that a listening person makes and that are no turn, made of tones and noise: a "mhm", a cough."""

from __future__ import annotations

import io
import wave
from typing import Final

import numpy as np

from local_stack.phones.g711 import SAMPLE_RATE_HZ

MURMURS: Final = ("mhm", "cough")
_HUMPS: Final = ((0.02, 0.17, 125.0, 0.8), (0.23, 0.24, 150.0, 1.0))
"""Of a "mhm": where each half begins (s), how long it lasts (s), its pitch (Hz), and how loud it is."""
_NASAL_HZ, _NASAL_WIDTH_HZ, _LIPS_HZ = 250.0, 180.0, 900.0
"""A closed mouth resonates at the first and lets nothing out above the last."""
_BURSTS: Final = ((0.05, 0.2, 1.0), (0.32, 0.25, 0.7))
"""Of a cough: where each burst begins (s), how long it lasts (s), and how loud it is beside the loudest."""
_SECONDS: Final = 0.8
_ATTACK_S: Final = 0.008
_FALL: Final = 2.5
"""How far a burst has died away when it is over, in powers of e."""
_LEVEL: Final = 12_000.0


def cough() -> bytes:
    """A synthetic cough as a WAV: two bursts of noise that rise at once and die away; always the same."""
    noise = np.random.default_rng(7).standard_normal(round(_SECONDS * SAMPLE_RATE_HZ))
    moments = np.arange(len(noise)) / SAMPLE_RATE_HZ
    loudness = np.zeros(len(noise))
    for begins_s, lasts_s, level in _BURSTS:
        since = moments - begins_s
        rising = np.clip(since / _ATTACK_S, 0.0, 1.0)
        loudness += np.where(since >= 0, level * rising * np.exp(-_FALL * since / lasts_s), 0.0)
    throat = np.convolve(noise, _resonance(900.0, 0.004), mode="same") + 0.25 * noise
    return _wav(throat * loudness)


def mhm() -> bytes:
    """A synthetic "mhm" as a WAV: two hums of a closed mouth, the second one higher; always the same."""
    moments = np.arange(round(_SECONDS * SAMPLE_RATE_HZ)) / SAMPLE_RATE_HZ
    sound = np.zeros(len(moments))
    for begins_s, lasts_s, pitch_hz, level in _HUMPS:
        inside = np.clip((moments - begins_s) / lasts_s, 0.0, 1.0)
        for overtone in range(1, int(_LIPS_HZ / pitch_hz) + 1):
            hz = overtone * pitch_hz
            loudness = level * np.exp(-(((hz - _NASAL_HZ) / _NASAL_WIDTH_HZ) ** 2)) + 0.02 * level
            sound += loudness * np.sin(np.pi * inside) ** 0.5 * np.sin(2 * np.pi * hz * moments + overtone)
    return _wav(sound)


def _wav(sound: np.ndarray[tuple[int], np.dtype[np.float64]]) -> bytes:
    pcm = (sound / np.abs(sound).max() * _LEVEL).astype("<i2")
    file = io.BytesIO()
    with wave.open(file, "wb") as wav:
        wav.setnchannels(1)
        wav.setsampwidth(2)
        wav.setframerate(SAMPLE_RATE_HZ)
        wav.writeframes(pcm.tobytes())
    return file.getvalue()


def _resonance(hz: float, decay_s: float) -> np.ndarray[tuple[int], np.dtype[np.float64]]:
    """A tube's answer to a push: what makes noise sound like a throat."""
    moments = np.arange(round(5 * decay_s * SAMPLE_RATE_HZ)) / SAMPLE_RATE_HZ
    return np.exp(-moments / decay_s) * np.sin(2 * np.pi * hz * moments)
