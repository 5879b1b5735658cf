"""A machine of turn-taking, the chunks it hears, and all that it said."""

from __future__ import annotations

from shared.domain.turn_taking import (
    Chunk,
    Event,
    Hearing,
    InputKind,
    PauseBegan,
    Rule,
    Tuning,
    TurnTaking,
)

VOICE, MUMBLE, HUM, ECHO, SILENCE = (
    Chunk(0.9),
    Chunk(0.4),
    Chunk(0.9, is_hum=True),
    Chunk(0.9, is_echo=True),
    Chunk(0.05),
)
TUNING = Tuning(
    patience_ms=640,
    backchannels=frozenset({"yeah", "mhm"}),
    onset_ms=96,
    barge_onset_ms=64,
    pause_ms=96,
    held_pause_ms=96,
    resume_ms=64,
    word_ms=96,
    sure_ms=704,
    short_ms=256,
    settle_ms=256,
    doubt_ms=960,
    hold_ms=1920,
    echo_ms=64,
    hesitation_ms=800,
    keys_ms=1984,
    pause_gap_ms=256,
    most_pauses=3,
)
START = 3
REST = 3


class Watched(TurnTaking):
    """Checks that every input leads where the table says."""

    rule: Rule

    def _rule(self, kind: InputKind) -> Rule:
        self.rule = super()._rule(kind)
        return self.rule


class Conversation:
    """A machine with everything it said, and whether the agent's answer is still to be heard."""

    def __init__(self, tuning: Tuning = TUNING, *, over: bool = False) -> None:
        self.machine = Watched(tuning)
        self.over = over
        self.events: list[Event] = []

    def hear(self, chunk: Chunk, times: int = 1) -> list[Event]:
        return [event for _ in range(times) for event in self._note(self.machine.hear(chunk, overlaps=self.over))]

    def read(self, text: str | None, finished: float = 0.5, pause: int | None = None) -> list[Event]:
        return self._note(self.machine.read(pause or self.pauses, text, finished))

    def press(self, keys: str) -> list[Event]:
        return [event for key in keys for event in self._note(self.machine.press(key, overlaps=self.over))]

    def _note(self, events: list[Event]) -> list[Event]:
        assert self.machine.state in self.machine.rule.leads_to
        self.events += events
        return events

    @property
    def pauses(self) -> int:
        return sum(isinstance(event, PauseBegan) for event in self.events)

    @property
    def kinds(self) -> list[type[Event]]:
        return kinds(self.events)


def kinds(events: list[Event]) -> list[type[Event]]:
    return [type(event) for event in events]


def in_state(state: Hearing) -> Conversation:
    """A conversation that got into this state by what was heard, with a pause told before where there can be one."""
    over = state in (Hearing.HOLDING, Hearing.DOUBTING)
    talk = Conversation(over=over)
    if state is Hearing.HOLDING:
        talk.hear(VOICE, START)
        talk.hear(SILENCE, REST)
        talk.hear(VOICE, 2)
    elif state is Hearing.DOUBTING:
        talk.hear(VOICE, START)
        talk.hear(SILENCE, REST)
    else:
        talk.hear(VOICE, START)
        talk.hear(SILENCE, 20)
        if state in (Hearing.QUIET, Hearing.RISING):
            talk.read("")
            talk.hear(VOICE, 1 if state is Hearing.RISING else 0)
        elif state is Hearing.SPEAKING:
            talk.hear(VOICE, 2)
        elif state is Hearing.CLOSING:
            talk.press("#")
        elif state is Hearing.ENDED:
            talk.read("Hello there.")
    assert talk.machine.state is state
    talk.events.clear()
    return talk
