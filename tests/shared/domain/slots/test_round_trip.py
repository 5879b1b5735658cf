"""What the agent says is what it understands when a caller says it: spoken forms are read back as the same values."""

from __future__ import annotations

from datetime import date, time

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from shared.domain.agents.intents import SlotKind
from shared.domain.slots.reader import read_slot
from shared.domain.slots.reading import Context, Reading
from shared.domain.spoken.spoken_form import spoken_form

TODAY = date(2026, 11, 23)
LANGUAGES = ["en-US", "en-GB", "en-IN", "hi-IN"]
OF_INDIA = ["ta-IN", "te-IN", "kn-IN", "ml-IN", "bn-IN", "mr-IN", "gu-IN"]
_often = settings(max_examples=150, deadline=None)


def said_and_read(kind: SlotKind, written: str, language: str) -> Reading:
    return read_slot(kind, spoken_form(written, language), Context(today=TODAY, language=language))


@pytest.mark.parametrize("language", [*LANGUAGES, *OF_INDIA])
@_often
@given(when=st.dates(date(1950, 1, 1), date(2049, 12, 31)))
def test_dates(language: str, when: date) -> None:
    written = (
        f"{when.month}/{when.day}/{when.year}" if language == "en-US" else f"{when.day}/{when.month}/{when.year}"
    )
    for text in (written, when.isoformat()):
        assert said_and_read(SlotKind.DATE, text, language) == Reading(when.isoformat()), spoken_form(text, language)


@pytest.mark.parametrize("language", LANGUAGES)
@_often
@given(at=st.times())
def test_times(language: str, at: time) -> None:
    written = f"{at:%I:%M %p}"
    assert said_and_read(SlotKind.TIME, written, language) == Reading(f"{at:%H:%M}"), spoken_form(written, language)


@pytest.mark.parametrize("language", LANGUAGES)
@_often
@given(rupees=st.integers(1, 999_999_999), paise=st.integers(0, 99))
def test_amounts(language: str, rupees: int, paise: int) -> None:
    value = f"{rupees}.{paise:02}".rstrip("0").rstrip(".")
    written = f"₹{rupees}.{paise:02}"
    assert said_and_read(SlotKind.AMOUNT, written, language) == Reading(f"{value} INR"), spoken_form(
        written, language
    )


@pytest.mark.parametrize("language", OF_INDIA)
@_often
@given(rupees=st.one_of(st.integers(1, 1_500), st.integers(1, 999_999_999)))
def test_whole_amounts_in_languages_of_india(language: str, rupees: int) -> None:
    written = f"₹{rupees}"
    assert said_and_read(SlotKind.AMOUNT, written, language) == Reading(f"{rupees} INR"), spoken_form(
        written, language
    )


@pytest.mark.parametrize("language", [*LANGUAGES, *OF_INDIA])
@_often
@given(number=st.from_regex(r"[6-9][0-9]{9}", fullmatch=True))
def test_telephone_numbers(language: str, number: str) -> None:
    assert said_and_read(SlotKind.DIGITS, number, language) == Reading(number)
    assert said_and_read(SlotKind.DIGITS, f"+91 {number}", language) == Reading(f"+91{number}")


@pytest.mark.parametrize("language", LANGUAGES)
@_often
@given(code=st.from_regex(r"[A-Z]{1,4}[0-9]{2,6}[A-Z]{0,2}", fullmatch=True))
def test_codes(language: str, code: str) -> None:
    assert said_and_read(SlotKind.SPELLED, code, language) == Reading(code), spoken_form(code, language)
