from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from local_stack.phones import g711, tones
from local_stack.phones.heard_keys import heard_keys


def pressed(ulaw: bytes) -> str:
    return "".join(one.key for one in heard_keys(ulaw))


@settings(max_examples=60, deadline=None)
@given(keys=st.text("0123456789*#ABCDwW", max_size=8), offset=st.integers(0, 400))
def test_every_key_is_heard_wherever_it_begins(keys: str, offset: int) -> None:
    sound = g711.SILENCE_BYTE * offset + tones.keys(keys) + g711.SILENT_FRAME
    assert pressed(sound) == keys.replace("w", "").replace("W", "")


@settings(max_examples=60, deadline=None)
@given(sound=st.binary(max_size=2000))
def test_no_sound_is_too_odd(sound: bytes) -> None:
    heard_keys(sound)


def test_keys_are_told_with_their_moments() -> None:
    first, second = heard_keys(tones.silence(1000) + tones.keys("1w1"))
    assert (first.at_ms, second.at_ms) == pytest.approx((1000, 1680), abs=20)


def test_keys_are_heard_through_noise() -> None:
    sound = g711.decode(tones.keys("159#")).astype(np.float64)
    noise = np.random.default_rng(1).normal(0, 400, len(sound))
    assert pressed(g711.encode((sound + noise).astype(np.int16))) == "159#"


@pytest.mark.parametrize("sound", [tones.beep(), tones.ringing(), tones.silence(500), b""])
def test_other_sounds_are_no_keys(sound: bytes) -> None:
    assert pressed(sound) == ""


def test_a_voice_presses_no_keys() -> None:
    """A gliding pitch with its harmonics, as a vowel has them."""
    moments = np.arange(8000 * 4) / 8000
    pitch = 2 * np.pi * np.cumsum(140 + 80 * np.sin(2 * np.pi * 0.7 * moments)) / 8000
    voice = sum(np.sin(number * pitch) / number for number in range(1, 18))
    assert pressed(g711.encode((4000 * voice).astype(np.int16))) == ""
