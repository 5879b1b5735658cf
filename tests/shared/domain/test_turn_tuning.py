"""How an agent's choices tune the machine."""

from __future__ import annotations

import pytest

from shared.domain.backchannels import is_backchannel
from shared.domain.manner import Sensitivity
from shared.domain.turn_taking import Tuning


def test_an_agents_choices_are_taken() -> None:
    tuning = Tuning.of(
        patience_ms=600, speculates=False, interruptible=False, language="hi", backchannels=(), longest_ms=9000
    )
    assert (tuning.patience_ms, tuning.speculates, tuning.interruptible, tuning.longest_ms) == (
        600,
        False,
        False,
        9000,
    )
    assert is_backchannel("ठीक है", tuning.backchannels)


def test_who_is_more_sensitive_hears_sooner() -> None:
    low, normal, high = (Tuning.of(patience_ms=600, sensitivity=sensitivity) for sensitivity in Sensitivity)
    assert low.voice_threshold > normal.voice_threshold > high.voice_threshold
    assert low.silence_threshold > normal.silence_threshold > high.silence_threshold
    assert low.onset_ms >= normal.onset_ms >= high.onset_ms
    assert low.barge_onset_ms >= normal.barge_onset_ms >= high.barge_onset_ms


@pytest.mark.parametrize("sensitivity", Sensitivity)
def test_silence_is_below_voice(sensitivity: Sensitivity) -> None:
    tuning = Tuning.of(patience_ms=600, sensitivity=sensitivity)
    assert tuning.silence_threshold < tuning.voice_threshold


def test_patience_is_never_shortened() -> None:
    tuning = Tuning.of(patience_ms=600)
    waits = [tuning.patience_for_ms(step / 10) for step in range(11)]
    assert waits == sorted(waits, reverse=True)
    assert waits[5:] == [600] * 6
