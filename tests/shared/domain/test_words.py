"""What comes in on a line that carries text travels through a pipe, and a transfer as text."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from shared.domain.errors import InvalidRequest
from shared.domain.speech_pace import spoken_ms
from shared.domain.telephony.commands import Transfer, TransferKind
from shared.domain.telephony.orders import read_transfer, transfer_text
from shared.domain.words import (
    BrokeIn,
    KeyPressed,
    LineEnded,
    Said,
    Started,
    Stirred,
    WordsEvent,
    key_of,
    position_of,
    read,
    turn_at,
    written,
)

_TEXT = st.text(st.characters(exclude_categories=["Cs"]))
_AT_MS = st.floats(0, 1e15)
_EVENTS = st.one_of(
    st.builds(Started, _AT_MS),
    st.builds(Said, _AT_MS, _TEXT, _TEXT),
    st.builds(KeyPressed, _AT_MS, _TEXT),
    st.builds(BrokeIn, _AT_MS, _TEXT),
    st.builds(Stirred, _AT_MS),
    st.builds(LineEnded, _AT_MS, _TEXT),
)


def _bytes(fields: dict[str, str]) -> dict[bytes, bytes]:
    return {name.encode(): value.encode() for name, value in fields.items()}


@given(_EVENTS, _TEXT)
def test_what_is_written_is_read(event: WordsEvent, key: str) -> None:
    fields = _bytes(written(event, key=key))
    assert read(fields, at_ms=0.0) == event
    assert key_of(fields) == key


def test_what_does_not_say_when_it_was_stands_at_its_time() -> None:
    assert read({b"event": b"end", b"reason": b"silent"}, at_ms=7.0) == LineEnded(7.0, "silent")


def test_what_a_later_release_writes_is_no_word() -> None:
    assert read({b"event": b"waved"}, at_ms=7.0) == Stirred(7.0)


@pytest.mark.parametrize(("position", "turn"), [("0-1", 0), ("7-1", 7), ("1763800000000-0", None)])
def test_positions(position: str, turn: int | None) -> None:
    assert turn_at(position) == turn
    if turn is not None:
        assert position_of(turn) == position


@pytest.mark.parametrize("kind", list(TransferKind))
def test_a_transfer_as_text(kind: TransferKind) -> None:
    transfer = Transfer("+14155550123", kind, whisper="Maria ruft an: „dringend“", keys="1w2#", ring_s=30)
    assert read_transfer(transfer_text(transfer)) == transfer


@given(st.text())
def test_any_text_is_a_transfer_or_refused(text: str) -> None:
    with pytest.raises(InvalidRequest):
        read_transfer(text)


@pytest.mark.parametrize(
    ("text", "least_ms", "most_ms"),
    [
        ("", 0, 0),
        ("  ", 0, 0),
        ("Hello, this is Nora.", 1000, 2000),
        ("Your parcel left the depot this morning and arrives tomorrow before noon.", 3500, 6000),
        ("今日はどのようなご用件でしょうか。", 2500, 5000),
        ("आपका पार्सल कल दोपहर से पहले आ जाएगा।", 1500, 4000),
    ],
)
def test_how_long_it_takes_to_say(text: str, least_ms: float, most_ms: float) -> None:
    assert least_ms <= spoken_ms(text) <= most_ms
