"""How a simulated caller takes turns with an agent: when it speaks, waits, interrupts and hangs up."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from enum import StrEnum
from typing import Any, Final

from local_stack.phones import g711
from local_stack.phones.floor import UNKNOWN, Floor, Holder
from local_stack.phones.measures import Interruption, Murmur, Turn
from local_stack.phones.playback import PlayedFrame
from local_stack.phones.utterance import Utterance

STOPPED_AFTER_MS: Final = 200
"""Silence after which a reply that was interrupted counts as stopped."""
_RESUMES_WITHIN_MS: Final = 1500
"""So much longer than usual a caller waits for an agent that was silenced by a murmur."""
_SURE_QUIET_MS: Final = 300
"""So long a caller waits who knows that the agent has said all, before speaking; nobody hangs up as soon."""
_LEAD_FRAMES: Final = 3
"""Who interrupts does so at once: of the silence before the words in a recording no more remains."""
_FALTERED_MS: Final = 60
"""With an empty buffer for so long, a reply counts as held for the sake of a murmur."""

Tell = Callable[[str, float, dict[str, Any]], None]
"""Receives the name of an event, its moment (epoch ms) and its facts."""


@dataclass(frozen=True)
class Plan:
    """What the caller wants to do."""

    turns: int | None = None
    """How many times it speaks; None: each utterance once. More turns than utterances start again."""
    speaks: bool = True
    """False: the caller only listens until the call ends."""
    quiet_ms: int = 600
    """How long the line must be quiet before the caller takes its turn."""
    greeting_timeout_ms: int = 10_000
    reply_timeout_ms: int = 20_000
    pattern: str = "p"
    """One letter a reply, over and over: p listens politely to the end, b barges in, m murmurs and listens on."""
    barge_in_after_ms: int = 1000
    """Counted from the first audible frame of the reply; also for the murmur."""
    improvises: bool = False
    """True: what it says comes in the course of the call (`Conversation.say`); until then it listens, and at the end
    somebody hangs up for it.
    """
    hang_up_in_reply_after_ms: int | None = None
    """Hangs up so long after the first audible frame of the first reply."""

    def __post_init__(self) -> None:
        if not self.pattern or set(self.pattern) - set("pbm"):
            raise ValueError("a pattern is made of p (listen to the end), b (barge in) and m (murmur)")


class Phase(StrEnum):
    GREETING = "greeting"
    SPEAKING = "speaking"
    AWAITING = "awaiting"
    LISTENING = "listening"
    THINKING = "thinking"
    """Everything was said and answered, and nobody has told yet what comes next."""
    DONE = "done"


@dataclass(frozen=True)
class Spoken:
    """What goes out on the line in this tick."""

    payload: bytes
    digit: str | None = None


class Conversation:
    """A state machine that is stepped once every 20 ms. It has no clock: the moments are handed in."""

    def __init__(
        self, plan: Plan, utterances: Sequence[Utterance], tell: Tell, murmur: Utterance | None = None
    ) -> None:
        if plan.speaks and not utterances and not plan.improvises:
            raise ValueError("a caller that speaks needs at least one utterance")
        if plan.speaks and "m" in plan.pattern and murmur is None:
            raise ValueError("a caller that murmurs needs something to murmur")
        self._murmured = murmur
        self._plan = plan
        self._utterances = list(utterances)
        self._wanted_turns = len(utterances) if plan.turns is None else plan.turns
        self._tell = tell
        self.phase = Phase.GREETING
        self._floor = UNKNOWN
        self._is_audible = False
        self.turns = [Turn(0, "greeting")]
        self._since_ms: float | None = None
        self._quiet_ms = 0
        self._dry_ms = 0.0
        self._early_first_ms: float | None = None
        self._fading: Interruption | None = None
        self._utterance: Utterance | None = None
        self._position = 0

    @property
    def turn(self) -> Turn:
        return self.turns[-1]

    def step(self, now_ms: float, played: PlayedFrame, more_to_hear: bool, floor: Floor = UNKNOWN) -> Spoken:
        """One tick: `played` was heard, `more_to_hear` says that audible audio is still buffered, `floor` whose turn
        it is.
        """
        if self._since_ms is None:
            self._since_ms = now_ms
        self._floor, self._is_audible = floor, played.audible
        self._hear(now_ms, played, more_to_hear)
        self._decide(now_ms, self._since_ms)
        return self._speak(now_ms)

    def say(self, utterance: Utterance) -> None:
        """The caller has found words for its next turn."""
        self._utterances.append(utterance)
        self._wanted_turns += 1

    def hang_up(self) -> None:
        """The caller puts the phone down, whatever it was about to do."""
        self.phase = Phase.DONE

    def on_audio_received(self, now_ms: float) -> None:
        """Audible audio has come over the socket."""
        if self._fading is None and self.phase != Phase.SPEAKING and self.turn.first_received_ms is None:
            self.turn.first_received_ms = now_ms

    def on_clear(self, now_ms: float) -> None:
        """The app has emptied the buffer."""
        self._dry_ms = 0.0
        self._early_first_ms = None
        if self._fading is not None:
            self._fading.clear_received_ms = now_ms
            self._end_fading(now_ms)
        elif self.turn.murmur is not None and self.turn.murmur.clear_received_ms is None:
            self.turn.murmur.clear_received_ms = now_ms

    def _hear(self, now_ms: float, played: PlayedFrame, more_to_hear: bool) -> None:
        if played.audible or more_to_hear:
            self._note_silence_after_murmur(now_ms)
            self._quiet_ms = 0
        else:
            self._quiet_ms += g711.FRAME_MS
        if self._fading is not None:
            self._hear_old_reply(now_ms, self._fading, played)
        elif self.phase is Phase.SPEAKING:
            self._hear_while_speaking(now_ms, played)
        elif played.audible:
            self._hear_reply(now_ms)
        self._dry_ms = 0.0 if played.audible else self._dry_ms + played.dry_bytes * 1000 / g711.SAMPLE_RATE_HZ

    def _hear_old_reply(self, now_ms: float, fading: Interruption, played: PlayedFrame) -> None:
        if played.audible:
            fading.frames_after += 1
        elif self._quiet_ms >= STOPPED_AFTER_MS:
            self._end_fading(now_ms - STOPPED_AFTER_MS)

    def _end_fading(self, stopped_ms: float) -> None:
        fading, self._fading = self._fading, None
        if fading is None:
            return
        fading.stopped_ms = stopped_ms
        cleared = fading.clear_received_ms is not None
        self._tell("agent_interrupted", stopped_ms, {"stop_ms": fading.stop_ms, "by_clear": cleared})

    def _note_silence_after_murmur(self, now_ms: float) -> None:
        """The reply is heard again; how long it was not counts from the murmur on."""
        murmur = self.turn.murmur
        if murmur is None or self.phase is not Phase.LISTENING or self._dry_ms < _FALTERED_MS:
            return
        murmur.silent_ms += self._dry_ms
        self._tell("agent_resumed", now_ms, {"turn": self.turn.number, "silent_ms": self._dry_ms})
        self._dry_ms = 0.0

    def _hear_while_speaking(self, now_ms: float, played: PlayedFrame) -> None:
        if played.audible and self._early_first_ms is None:
            self._early_first_ms = now_ms
        elif self._quiet_ms >= STOPPED_AFTER_MS:
            self._early_first_ms = None

    def _hear_reply(self, now_ms: float) -> None:
        turn = self.turn
        if turn.first_heard_ms is None:
            self._note_first_heard(now_ms)
        elif self._dry_ms > 0:
            turn.underruns_ms.append(self._dry_ms)
            self._tell("underrun", now_ms, {"turn": turn.number, "gap_ms": self._dry_ms})
        turn.last_heard_ms = now_ms
        turn.heard_ms += g711.FRAME_MS

    def _note_first_heard(self, heard_ms: float) -> None:
        turn = self.turn
        turn.first_heard_ms = heard_ms
        if self.phase is Phase.AWAITING:
            self._enter(Phase.LISTENING, heard_ms)
        response = None if turn.response_ms is None else round(turn.response_ms, 1)
        self._tell("agent_started", heard_ms, {"turn": turn.number, "after_speech_ms": response})

    def _decide(self, now_ms: float, since_ms: float) -> None:
        plan, turn = self._plan, self.turn
        waited_ms = now_ms - since_ms
        if self.phase is Phase.GREETING and plan.speaks:
            greeted = turn.first_heard_ms is not None
            if greeted and self._quiet_ms >= self._quiet_limit_ms():
                self._end_turn(now_ms)
            elif not greeted and waited_ms >= plan.greeting_timeout_ms:
                turn.timed_out = True
                self._tell("no_greeting", now_ms, {"waited_ms": round(waited_ms)})
                self._end_turn(now_ms)
        elif self.phase is Phase.AWAITING and waited_ms >= plan.reply_timeout_ms:
            turn.timed_out = True
            self._tell("no_reply", now_ms, {"turn": turn.number, "waited_ms": round(waited_ms)})
            self._end_turn(now_ms)
        elif self.phase is Phase.LISTENING:
            self._decide_while_listening(now_ms)
        elif self._has_words() and self._quiet_ms >= self._quiet_limit_ms():
            self._begin_to_speak(now_ms)

    def _has_words(self) -> bool:
        """Whether a caller who was thinking knows what to say."""
        return self.phase is Phase.THINKING and self.turn.number < self._wanted_turns

    def _decide_while_listening(self, now_ms: float) -> None:
        plan, turn = self._plan, self.turn
        listened_ms = now_ms - (turn.first_heard_ms or now_ms)
        hang_up_after_ms = plan.hang_up_in_reply_after_ms
        if hang_up_after_ms is not None and listened_ms >= hang_up_after_ms:
            self._enter(Phase.DONE, now_ms)
        elif self._quiet_ms >= self._quiet_limit_ms() and self._utterance is None:
            self._end_turn(now_ms)
        elif self._letter() == "m" and turn.murmur is None and listened_ms >= plan.barge_in_after_ms:
            self._begin_to_murmur(now_ms)
        elif self._barges_in() and listened_ms >= plan.barge_in_after_ms and self._can_interrupt():
            self._begin_to_speak(now_ms)
            if self._utterance is not None:
                self._position = max(0, self._utterance.first_loud - _LEAD_FRAMES)

    def _can_interrupt(self) -> bool:
        """Only what is heard can be interrupted, and only where somebody listens."""
        return self._is_audible and not self._floor.is_deaf

    def _quiet_limit_ms(self) -> int:
        """Who has only murmured gives the agent time to go on, and so does who knows that more comes."""
        if self._floor.holder is Holder.AGENT:
            return self._plan.reply_timeout_ms
        if self._floor.holder is Holder.CALLER and self.turn.number < self._wanted_turns:
            return min(_SURE_QUIET_MS, self._plan.quiet_ms)
        murmur = self.turn.murmur
        is_held = murmur is not None and murmur.clear_received_ms is not None and not murmur.silent_ms
        return self._plan.quiet_ms + (_RESUMES_WITHIN_MS if is_held else 0)

    def _letter(self) -> str:
        """What the pattern says of this reply."""
        return self._plan.pattern[(self.turn.number - 1) % len(self._plan.pattern)]

    def _barges_in(self) -> bool:
        return self._letter() == "b" and self.turn.number < self._wanted_turns

    def _begin_to_murmur(self, now_ms: float) -> None:
        """Says it over the reply and goes on listening."""
        if self._murmured is None:
            return
        self._utterance, self._position = self._murmured, 0
        self.turn.murmur = Murmur(self._murmured.label, now_ms)

    def _end_turn(self, now_ms: float) -> None:
        turn = self.turn
        if turn.last_heard_ms is not None:
            self._tell("agent_stopped", turn.last_heard_ms, {"turn": turn.number, "heard_ms": turn.heard_ms})
        if turn.number < self._wanted_turns:
            self._begin_to_speak(now_ms)
        elif self._plan.improvises:
            self._enter(Phase.THINKING, now_ms)
            self._tell("caller_thinks", now_ms, {"turn": turn.number})
        else:
            self._enter(Phase.DONE, now_ms)

    def _begin_to_speak(self, now_ms: float) -> None:
        number = self.turn.number + 1
        self._utterance = self._utterances[(number - 1) % len(self._utterances)]
        self._position = 0
        self._early_first_ms = None
        self.turns.append(Turn(number, self._utterance.label, self._utterance.text))
        self._enter(Phase.SPEAKING, now_ms)

    def _enter(self, phase: Phase, now_ms: float) -> None:
        if self.phase is not Phase.DONE:
            self.phase = phase
            self._since_ms = now_ms

    def _speak(self, now_ms: float) -> Spoken:
        utterance, at = self._utterance, self._position
        if utterance is None:
            return Spoken(g711.SILENT_FRAME)
        self._position += 1
        if self._position >= len(utterance.frames):
            self._utterance = None
        if utterance is self._murmured:
            self._note_murmur(now_ms, at, utterance)
        else:
            self._note_speech(now_ms, at, utterance)
        return Spoken(utterance.frames[at], dict(utterance.digits).get(at))

    def _note_murmur(self, now_ms: float, at: int, murmured: Utterance) -> None:
        murmur = self.turn.murmur
        if murmur is not None and at == murmured.first_loud:
            murmur.started_ms = now_ms
            self._tell("caller_murmured", now_ms, {"turn": self.turn.number, "label": murmur.label,
                                                   "duration_ms": murmured.speech_ms})  # fmt: skip

    def _note_speech(self, now_ms: float, at: int, utterance: Utterance) -> None:
        if at == utterance.first_loud:
            self._note_speech_start(now_ms)
        if at == utterance.last_loud:
            self._note_speech_end(now_ms)

    def _note_speech_start(self, now_ms: float) -> None:
        turn = self.turn
        turn.speech_started_ms = now_ms
        if self._quiet_ms < STOPPED_AFTER_MS:
            turn.interruption = self._fading = Interruption(now_ms)
        self._tell("caller_started", now_ms, {"turn": turn.number, "label": turn.label, "text": turn.text,
                                              "interrupts": turn.interruption is not None})  # fmt: skip

    def _note_speech_end(self, now_ms: float) -> None:
        turn = self.turn
        turn.speech_ended_ms = now_ms
        self._enter(Phase.AWAITING, now_ms)
        self._tell("caller_stopped", now_ms, {"turn": turn.number})
        if self._early_first_ms is not None:
            self._note_first_heard(self._early_first_ms)
