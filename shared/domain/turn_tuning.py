"""How the machine of turn-taking is tuned: what an agent chooses, and what was measured (`docs/turn-taking.md`)."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from typing import Self

from shared.domain.backchannels import phrases_of
from shared.domain.manner import Sensitivity

_EVEN = 0.5
"""The end-of-turn probability that says nothing."""

_THRESHOLDS = {Sensitivity.LOW: (0.7, 0.5), Sensitivity.NORMAL: (0.5, 0.35), Sensitivity.HIGH: (0.35, 0.2)}
_ONSETS_MS = {Sensitivity.LOW: (128, 128), Sensitivity.NORMAL: (96, 64), Sensitivity.HIGH: (64, 64)}


@dataclass(frozen=True, slots=True, kw_only=True)
class Tuning:
    """All in milliseconds of audio.

    `onset_ms`: voice that counts as speech; `barge_onset_ms`: the same while the agent speaks;
    `hummed_onset_ms`: the same with the hum before it, for many a word begins with "n" or "m". `pause_ms`: silence
    that is a pause; `held_pause_ms`: the same while the agent is held, where half a word is easily misread;
    `pause_gap_ms`: least distance of two pauses that are told; `most_pauses`: how many are told in one speech
    before patience. `resume_ms`: voice that ends a pause. `word_ms`: voice without which words that are read over
    the agent are not believed; `sure_ms`: voice that takes the turn whatever the words; `short_ms`: voice that is
    not waited for once `settle_ms` of silence follow it; `doubt_ms`: silence after which words that are not known
    are waited for no longer; `hold_ms`: the longest hold without decision; `echo_ms`: echo that gives the line
    back. `trust_ms`: how long energy may call quiet what the detector calls voice. `hesitation_ms`: how much longer
    than `patience_ms` a sentence is waited for that is surely unfinished. `keys_ms`: how long another key is waited
    for.
    """

    patience_ms: int = 700
    longest_ms: int = 30_000
    speculates: bool = True
    interruptible: bool = True
    backchannels: frozenset[str] = frozenset()
    voice_threshold: float = 0.5
    silence_threshold: float = 0.35
    onset_ms: int = 96
    barge_onset_ms: int = 64
    hummed_onset_ms: int = 160
    pause_ms: int = 64
    held_pause_ms: int = 96
    pause_gap_ms: int = 250
    most_pauses: int = 12
    resume_ms: int = 64
    word_ms: int = 160
    sure_ms: int = 800
    short_ms: int = 250
    settle_ms: int = 250
    doubt_ms: int = 1000
    hold_ms: int = 2000
    echo_ms: int = 96
    trust_ms: int = 192
    hesitation_ms: int = 800
    keys_ms: int = 2000

    @classmethod
    def of(
        cls,
        *,
        patience_ms: int,
        sensitivity: Sensitivity = Sensitivity.NORMAL,
        speculates: bool = True,
        interruptible: bool = True,
        language: str = "en",
        backchannels: Iterable[str] = (),
        longest_ms: int = 30_000,
    ) -> Self:
        """The tuning of an agent; `backchannels` replace those of the language."""
        voice_threshold, silence_threshold = _THRESHOLDS[sensitivity]
        onset_ms, barge_onset_ms = _ONSETS_MS[sensitivity]
        return cls(
            patience_ms=patience_ms,
            longest_ms=longest_ms,
            speculates=speculates,
            interruptible=interruptible,
            backchannels=phrases_of(language, backchannels),
            voice_threshold=voice_threshold,
            silence_threshold=silence_threshold,
            onset_ms=onset_ms,
            barge_onset_ms=barge_onset_ms,
        )

    def patience_for_ms(self, finished: float) -> int:
        """How long to wait for a sentence that is finished with this probability; never less than `patience_ms`."""
        doubt = max(0.0, _EVEN - finished) / _EVEN
        return self.patience_ms + round(self.hesitation_ms * doubt)
