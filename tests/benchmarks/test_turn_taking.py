"""How the evaluation of turn-taking counts."""

from __future__ import annotations

import numpy as np
import pytest

from benchmarks.conversations import sounds
from benchmarks.conversations.figures import overlaps_of, turns
from benchmarks.conversations.recordings import at_level, rms, trimmed
from benchmarks.conversations.replay import Outcome
from benchmarks.conversations.scenes import (
    EchoPath,
    Scene,
    audible_until_ms,
    in_band,
    loud_from_ms,
    over_agent,
    split_at_gaps,
    turn,
)
from benchmarks.conversations.smart_turn import log_mel
from benchmarks.turn_taking import plain_end_ms, plain_onset_ms
from shared.domain.turn_taking import FalseInterruption, Interrupted, PauseBegan, TurnTaken

TONE = np.sin(np.arange(8000) * 0.4) * 4000


def scene(**changes: object) -> Scene:
    made = next(over_agent("cough", "one", TONE[:1600], TONE))
    return Scene(**{name: changes.get(name, getattr(made, name)) for name in Scene.__slots__})  # type: ignore[arg-type]


def test_silence_alone_ends_a_turn() -> None:
    probabilities = [0.0] * 5 + [0.9] * 10 + [0.4] * 3 + [0.1] * 40
    assert plain_end_ms(probabilities, 320) == (5 + 13 + 10) * 32
    assert plain_end_ms([0.9, 0.9, 0.0] * 30, 320) is None


def test_voice_alone_stops_the_agent() -> None:
    assert plain_onset_ms([0.0, 0.9, 0.4, 0.4, 0.9]) == 4 * 32
    assert plain_onset_ms([0.4] * 20) is None


def test_turns() -> None:
    found = turns([(1500, 1000), (900, 1000), (950, 1000), (None, 1000)], [3, 1, 1, 1])
    assert (found.count, found.cut_percent, found.missed, found.wasted_takes) == (4, 25, 1, 0.75)
    assert found.delay_ms is not None
    assert (found.delay_ms.p50, found.delay_ms.max) == (-50, 500)


def test_what_happens_to_the_agent() -> None:
    idle = Outcome(scene(), [(100, Interrupted(40)), (300, PauseBegan(1, 240)), (500, FalseInterruption(500))])
    quiet = Outcome(scene())
    stopped = Outcome(scene(), [(100, Interrupted(40)), (800, TurnTaken(800))])
    found = overlaps_of([idle, quiet, quiet, stopped])
    assert (found.held_percent, found.stopped_percent) == (50, 25)
    assert found.held_ms is not None
    assert found.held_ms.max == 400
    assert found.delay_ms is None
    real = overlaps_of([Outcome(scene(is_turn=True, loud_ms=30), [(100, Interrupted(40)), (800, TurnTaken(800))])])
    assert real.delay_ms is not None
    assert real.delay_ms.p50 == 70


def test_labels_of_a_turn() -> None:
    speech = np.concatenate([TONE, np.zeros(4000), TONE])
    for one in turn("prompts", "x", speech):
        assert one.loud_ms == pytest.approx(640, abs=20)
        assert one.end_ms == pytest.approx(640 + 2500, abs=30)
        assert one.is_turn
        assert not one.over


def test_scenes_are_the_same_every_time() -> None:
    first, again = (list(over_agent("cough", "one", TONE[:1600], TONE, echo=EchoPath(12, 80, 3))) for _ in range(2))
    assert [one.seed for one in first] == [one.seed for one in again]
    assert all(np.array_equal(one.caller, other.caller) for one, other in zip(first, again, strict=True))
    assert first[0].echo is not None
    assert rms(first[0].echo) == pytest.approx(rms(in_band(TONE)) / 10 ** (12 / 20), rel=0.6)


def test_where_sound_begins_and_ends() -> None:
    sound = np.concatenate([np.zeros(800), TONE, np.zeros(1600)])
    assert loud_from_ms(sound) == 100
    assert audible_until_ms(sound) == 1100
    assert len(trimmed(sound)) == 8000
    assert len(split_at_gaps(np.concatenate([TONE, np.zeros(1600), TONE]))) == 2


@pytest.mark.parametrize("make", [sounds.cough, sounds.throat, sounds.noise_burst, sounds.bang])
def test_made_up_sounds_have_their_level(make: object) -> None:
    assert callable(make)
    sound = at_level(make(np.random.default_rng(1)), -22)
    assert np.isfinite(sound).all()
    assert 200 < np.abs(sound).max() < 40_000


def test_hums_are_longer_than_their_nasal() -> None:
    assert len(sounds.hum(TONE[:1200], np.random.default_rng(2))) > 600


def test_spectrogram() -> None:
    features = log_mel(np.sin(np.arange(40_000) * 0.2).astype(np.float32))
    assert features.shape == (80, 800)
    assert features.max() - features.min() <= 2.0 + 1e-6
    assert features[:, 790].argmax() == features[:, 700].argmax()
