"""What is done with one input in one state of turn-taking. Which rule is followed when stands in `turn_taking`."""

from __future__ import annotations

from dataclasses import replace

from shared.domain.turn_events import (
    CHUNK_MS,
    Backchannel,
    Event,
    FalseInterruption,
    Interrupted,
    NothingSaid,
    PauseBegan,
    SpeechResumed,
    SpeechStarted,
    TurnEnded,
    TurnTaken,
)
from shared.domain.turn_states import Hearing, InputKind, Reading, Speech
from shared.domain.turn_tuning import Tuning

_EVEN = 0.5
_MOST_HUM = 1.5
"""How much more hum than voice there may be in a few words: their ends sound like hums."""


class Turn:
    """One turn while it is heard. Every rule looks at the last input, moves `state`, and gives the events."""

    def __init__(self, tuning: Tuning, from_ms: int) -> None:
        self.tuning = tuning
        self.state = Hearing.QUIET
        self.speech = Speech(from_ms, from_ms)
        self.pauses = 0
        """How many were told in the turn."""
        self.now_ms = from_ms
        self.begins_ms = from_ms
        """Where the last chunk began; it ends now."""
        self.tail_ms = 0
        """How much of its end was quiet."""
        self.overlaps = False
        self.reading = Reading(InputKind.NO_WORDS, 0, "", _EVEN)
        self._forgiven: Speech | None = None
        """Speech that let the agent go on before its words were known."""

    # Nobody speaks, or somebody begins to

    def ignore(self) -> list[Event]:
        return []

    def settle(self) -> list[Event]:
        self.state = Hearing.QUIET
        return []

    def rise(self) -> list[Event]:
        self.state = Hearing.RISING
        self.speech = Speech(self.begins_ms, self.begins_ms, spoken=True)
        return self.sustain()

    def rise_humming(self) -> list[Event]:
        self.state = Hearing.RISING
        self.speech = Speech(self.begins_ms, self.begins_ms, spoken=True)
        return self.sustain_humming()

    def sustain(self) -> list[Event]:
        self.speech.voiced_ms += CHUNK_MS
        return self._begin_if_speech()

    def sustain_humming(self) -> list[Event]:
        self.speech.hummed_ms += CHUNK_MS
        return self._begin_if_speech()

    def _begin_if_speech(self) -> list[Event]:
        speech, tuning = self.speech, self.tuning
        speech.voice_until_ms = self.now_ms - self.tail_ms
        if self.overlaps:
            after_hum = speech.voiced_ms and speech.voiced_ms + speech.hummed_ms >= tuning.hummed_onset_ms
            begins = speech.voiced_ms >= tuning.barge_onset_ms or bool(after_hum)
        else:
            begins = speech.voiced_ms + speech.hummed_ms >= tuning.onset_ms
        if not begins:
            return []
        speech.over = self.overlaps
        speech.first_pause = self.pauses + 1
        if self.overlaps and tuning.interruptible:
            self.state = Hearing.HOLDING
            return [SpeechStarted(speech.started_ms), Interrupted(speech.started_ms)]
        self.state = Hearing.SPEAKING
        return [SpeechStarted(speech.started_ms)]

    # The turn is the caller's

    def go_on(self) -> list[Event]:
        self.speech.voice_until_ms = self.now_ms - self.tail_ms
        if self.now_ms - self.speech.started_ms < self.tuning.longest_ms:
            return []
        self.speech.cut = True
        return self._close()

    def fall_silent(self) -> list[Event]:
        if self._silent_ms() < self.tuning.pause_ms:
            return []
        self.state = Hearing.PAUSING
        return self.wait()

    def wait(self) -> list[Event]:
        self.speech.stirred_ms = 0
        return [*self._tell_pause(), *self._end_if_over()]

    def stir(self) -> list[Event]:
        if not self._has_resumed():
            return []
        self.state = Hearing.SPEAKING
        return [*self._resume(), *self.go_on()]

    def note_words(self) -> list[Event]:
        if self.reading.pause == self.speech.open_pause:
            self.speech.words = self.reading
        return self._end_if_over()

    def note_real_words(self) -> list[Event]:
        self._recall()
        return self.note_words()

    def _end_if_over(self) -> list[Event]:
        speech = self.speech
        words = speech.words
        finished = words.finished if words else _EVEN
        waited = self._silent_ms() >= self.tuning.patience_for_ms(finished) or not speech.spoken
        if not waited or speech.stirred_ms or self.now_ms < (speech.keys_until_ms or 0):
            return []
        return self._end_with_words()

    def _end_with_words(self) -> list[Event]:
        """The turn is over if its words are known, and there are any."""
        speech = self.speech
        if speech.words is None and speech.spoken:
            return []
        if speech.words is not None and speech.keys_until_ms is None:
            idle = speech.words.kind is InputKind.BACKCHANNEL and speech.over
            if idle or speech.words.kind is InputKind.NO_WORDS:
                self.state = Hearing.QUIET
                return [NothingSaid(self.now_ms)]
        self.state = Hearing.ENDED
        return [TurnEnded(speech.started_ms, speech.voice_until_ms, speech.open_pause, speech.cut)]

    # The agent is held

    def insist(self) -> list[Event]:
        self.speech.voiced_ms += CHUNK_MS
        return self._take_if_sure()

    def hum_on(self) -> list[Event]:
        self.speech.hummed_ms += CHUNK_MS
        return self._take_if_sure()

    def _take_if_sure(self) -> list[Event]:
        speech = self.speech
        speech.voice_until_ms = self.now_ms - self.tail_ms
        if speech.voiced_ms + speech.hummed_ms >= self.tuning.sure_ms <= 2 * speech.voiced_ms:
            self.state = Hearing.SPEAKING
            return [*self._take(), *self.go_on()]
        if self.now_ms - speech.started_ms >= self.tuning.hold_ms:
            return self._give_back()
        return []

    def hear_echo(self) -> list[Event]:
        self.speech.echoed_ms += CHUNK_MS
        if self.speech.echoed_ms >= self.tuning.echo_ms:
            return self._give_back()
        return self.fall_into_doubt() if self.state is Hearing.HOLDING else self.doubt()

    def fall_into_doubt(self) -> list[Event]:
        if self._silent_ms() < self.tuning.held_pause_ms:
            return []
        self.state = Hearing.DOUBTING
        return self.doubt()

    def doubt(self) -> list[Event]:
        self.speech.stirred_ms = 0
        return [*self._tell_pause(), *self._decide()]

    def stir_in_doubt(self) -> list[Event]:
        if not self._has_resumed():
            return []
        self.state = Hearing.HOLDING
        self.speech.voiced_ms += self.speech.stirred_ms
        return [*self._resume(), *self._take_if_sure()]

    def hum_in_doubt(self) -> list[Event]:
        if not self._has_resumed():
            return []
        self.state = Hearing.HOLDING
        self.speech.hummed_ms += self.speech.stirred_ms
        return [*self._resume(), *self._take_if_sure()]

    def _decide(self) -> list[Event]:
        """Whether the agent goes on: it does unless there are words, or voice that may well be some."""
        speech, tuning = self.speech, self.tuning
        silent_ms = self._silent_ms()
        if silent_ms < tuning.settle_ms or speech.stirred_ms:
            return []
        short = speech.voiced_ms + speech.hummed_ms < tuning.short_ms
        if speech.words is None:
            return self._give_back() if short or silent_ms >= tuning.doubt_ms else []
        if speech.words.kind is InputKind.BACKCHANNEL:
            self.state = Hearing.QUIET
            return [Backchannel(self.now_ms, speech.words.text or "")]
        if speech.words.kind is InputKind.UNKNOWN_WORDS and not short and self._may_have_words(speech):
            self.state = Hearing.PAUSING
            return [*self._take(), *self._end_if_over()]
        return self._give_back()

    def note_doubtful_words(self) -> list[Event]:
        if self.reading.pause == self.speech.open_pause:
            self.speech.words = self.reading
        return self._decide()

    def take_by_words(self) -> list[Event]:
        """Real words of this speech, or of one for which the agent was let go on too early, take the turn."""
        if not self._recall() and self.reading.pause < self.speech.first_pause:
            return []
        pausing = self.state is Hearing.DOUBTING
        if not self._may_have_words(self.speech):
            self.reading = replace(self.reading, kind=InputKind.NO_WORDS)
            return self.note_doubtful_words() if pausing else []
        if self.reading.pause == self.speech.open_pause:
            self.speech.words = self.reading
        self.state = Hearing.PAUSING if pausing else Hearing.SPEAKING
        return [*self._take(), *(self._end_if_over() if pausing else [])]

    def _give_back(self) -> list[Event]:
        self.state = Hearing.QUIET
        self._forgiven = self.speech if self.speech.open_pause and self.speech.words is None else None
        return [FalseInterruption(self.now_ms)]

    def _take(self) -> list[Event]:
        self.speech.over = False
        return [TurnTaken(self.now_ms)]

    # Words that come after the agent was let go on

    def _recall(self) -> bool:
        """If the words are those of a speech that was taken for nothing, it belongs to what is heard now."""
        forgiven = self._forgiven
        if forgiven is None or not self._is_real(forgiven):
            return False
        self._forgiven = None
        self.speech.started_ms = forgiven.started_ms
        self.speech.first_pause = forgiven.first_pause
        self.speech.voiced_ms += forgiven.voiced_ms
        return True

    def _is_real(self, forgiven: Speech) -> bool:
        """Whether what was read last are words of that speech."""
        is_its = forgiven.first_pause <= self.reading.pause <= forgiven.open_pause
        return is_its and self._may_have_words(forgiven)

    def _may_have_words(self, speech: Speech) -> bool:
        """Recognisers find words in coughs and hums, too; words have voice that is no hum."""
        word_ms = self.tuning.word_ms
        return speech.voiced_ms >= 2 * word_ms or speech.voiced_ms >= max(word_ms, speech.hummed_ms / _MOST_HUM)

    def hear_late_words(self) -> list[Event]:
        forgiven, rising = self._forgiven, self.speech if self.state is Hearing.RISING else None
        if forgiven is None or not self._is_real(forgiven):
            return []
        self.speech, self._forgiven = forgiven, None
        forgiven.words = self.reading if self.reading.pause == forgiven.open_pause else None
        forgiven.stirred_ms = rising.voiced_ms + rising.hummed_ms if rising else 0
        forgiven.over = self.overlaps
        self.state = Hearing.PAUSING
        return [SpeechStarted(forgiven.started_ms), *self._take_over(), *self._end_if_over()]

    # Keys

    def begin_with_key(self) -> list[Event]:
        self.speech = Speech(self.now_ms, self.now_ms, over=self.overlaps, first_pause=self.pauses + 1)
        self.state = Hearing.PAUSING
        return [SpeechStarted(self.now_ms), *self._take_over(), *self.press()]

    def press(self) -> list[Event]:
        self.speech.keys_until_ms = self.now_ms + self.tuning.keys_ms
        return []

    def take_with_key(self) -> list[Event]:
        self.state = Hearing.PAUSING if self.state is Hearing.DOUBTING else Hearing.SPEAKING
        return [*self._take(), *self.press()]

    def end_by_key(self) -> list[Event]:
        begun = self.begin_with_key() if self.state in (Hearing.QUIET, Hearing.RISING) else []
        taken = self._take() if self.state in (Hearing.HOLDING, Hearing.DOUBTING) else []
        self.press()
        return [*begun, *taken, *self._close()]

    # What several rules do

    def _silent_ms(self) -> int:
        return self.now_ms - self.speech.voice_until_ms

    def _has_resumed(self) -> bool:
        self.speech.stirred_ms += CHUNK_MS
        return self.speech.stirred_ms >= self.tuning.resume_ms

    def _resume(self) -> list[Event]:
        speech = self.speech
        began_ms = self.now_ms - speech.stirred_ms
        if not speech.spoken:
            speech.spoken, speech.first_pause = True, self.pauses + 1
        told = bool(speech.open_pause)
        speech.stirred_ms, speech.open_pause, speech.words = 0, 0, None
        return [SpeechResumed(began_ms)] if told else []

    def _tell_pause(self, *, now: bool = False) -> list[Event]:
        """Begin the pause if it is due: at the next chance, at the end of patience at the latest."""
        speech, tuning = self.speech, self.tuning
        if speech.open_pause or not speech.spoken:
            return []
        silent_ms = self._silent_ms()
        settled_ms = tuning.settle_ms if self.state is Hearing.DOUBTING else tuning.patience_ms
        apart = speech.paused_at_ms is None or self.now_ms - speech.paused_at_ms >= tuning.pause_gap_ms
        early = tuning.speculates and speech.pauses < tuning.most_pauses and apart
        if not (now or early or silent_ms >= settled_ms):
            return []
        self.pauses += 1
        speech.pauses += 1
        speech.open_pause, speech.paused_at_ms = self.pauses, self.now_ms
        return [PauseBegan(self.pauses, speech.voice_until_ms)]

    def _take_over(self) -> list[Event]:
        if not (self.overlaps and self.tuning.interruptible):
            return []
        return [Interrupted(self.speech.started_ms), *self._take()]

    def _close(self) -> list[Event]:
        self.state = Hearing.CLOSING
        return [*self._tell_pause(now=True), *self._end_with_words()]

    def note_last_words(self) -> list[Event]:
        if self.reading.pause == self.speech.open_pause:
            self.speech.words = self.reading
        return self._end_with_words()

    def note_last_real_words(self) -> list[Event]:
        self._recall()
        return self.note_last_words()
