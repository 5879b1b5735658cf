"""Dates and times of day, as callers say and recognisers write them, in English and Hindi."""

from __future__ import annotations

from datetime import date

import pytest

from shared.domain.agents.intents import SlotKind
from shared.domain.slots.reader import read_slot
from shared.domain.slots.reading import Context, Reading, Why

MONDAY = date(2026, 11, 23)


def read(kind: SlotKind, said: str, language: str, *, today: date = MONDAY, in_past: bool = False) -> Reading:
    return read_slot(kind, said, Context(today=today, language=language, in_past=in_past))


@pytest.mark.parametrize(
    ("said", "language", "value"),
    [
        ("today", "en", "2026-11-23"),
        ("Tomorrow.", "en", "2026-11-24"),
        ("the day after tomorrow", "en", "2026-11-25"),
        ("day before yesterday", "en", "2026-11-21"),
        ("in three days", "en", "2026-11-26"),
        ("two weeks from tomorrow", "en", "2026-12-08"),
        ("a week from Tuesday", "en", "2026-12-01"),
        ("a month ago", "en", "2026-10-23"),
        ("on Friday", "en", "2026-11-27"),
        ("this Friday please", "en", "2026-11-27"),
        ("last Friday", "en", "2026-11-20"),
        ("Friday week", "en-GB", "2026-12-04"),
        ("the fifth", "en", "2026-12-05"),
        ("on the 30th", "en", "2026-11-30"),
        ("5th of May", "en", "2027-05-05"),
        ("may five", "en", "2027-05-05"),
        ("May the fifth", "en", "2027-05-05"),
        ("twenty-first of June", "en", "2027-06-21"),
        ("the twenty first of june two thousand twenty eight", "en", "2028-06-21"),
        ("fifth of may twenty twenty seven", "en", "2027-05-05"),
        ("Dec 3rd 2026", "en", "2026-12-03"),
        ("3rd December, 2026", "en", "2026-12-03"),
        ("twenty ninth of February", "en", "2028-02-29"),
        ("Tuesday the twenty fourth", "en", "2026-11-24"),
        ("2026-12-01", "en", "2026-12-01"),
        ("12/05/2026", "en-IN", "2026-05-12"),
        ("12/05/2026", "en-US", "2026-12-05"),
        ("25/12", "en-US", "2026-12-25"),
        ("the fifth, no sorry, the sixth", "en", "2026-12-06"),
        ("Tuesday, actually make it Wednesday", "en", "2026-11-25"),
        ("not tomorrow but Friday", "en", "2026-11-27"),
        ("Tuesday next week", "en", "2026-12-01"),
        ("next week on Tuesday", "en", "2026-12-01"),
        ("this coming Friday", "en", "2026-11-27"),
        ("the 28th of next month", "en", "2026-12-28"),
        ("at the end of the month", "en", "2026-11-30"),
        ("the last day of next month", "en", "2026-12-31"),
        ("in a fortnight", "en", "2026-12-07"),
        ("the Thursday after next", "en", "2026-12-03"),
        ("no, Tuesday", "en", "2026-11-24"),
        ("Wednesday. Sorry, I meant Thursday.", "en", "2026-11-26"),
        ("parso", "en-IN", "2026-11-25"),
        ("pandrah agast ko", "en-IN", "2027-08-15"),
        ("teen din baad", "en-IN", "2026-11-26"),
        ("do hafte baad", "en-IN", "2026-12-07"),
        ("pehli tarikh", "en-IN", "2026-12-01"),
        ("somvar nahi, mangalvar ko", "en-IN", "2026-11-24"),
        ("तरसों", "hi", "2026-11-26"),
        ("நாளை மறுநாள்", "ta", "2026-11-25"),
        ("வெள்ளிக்கிழமை", "ta", "2026-11-27"),
        ("పదిహేను ఆగస్టు", "te", "2027-08-15"),
        ("రేపు", "te", "2026-11-24"),
        ("ಶುಕ್ರವಾರ", "kn", "2026-11-27"),
        ("മറ്റന്നാൾ", "ml", "2026-11-25"),
        ("১৫ আগস্ট", "bn", "2027-08-15"),
        ("পরশু", "bn", "2026-11-25"),
        ("उद्या", "mr", "2026-11-24"),
        ("पाच मे", "mr", "2027-05-05"),
        ("શુક્રવાર", "gu", "2026-11-27"),
        ("next month on the 28th", "en", "2026-12-28"),
        ("the 28th of this month", "en", "2026-11-28"),
        ("twelve five twenty twenty seven", "en-IN", "2027-05-12"),
        ("twelve five twenty twenty seven", "en-US", "2027-12-05"),
        ("12 05 2027", "en-IN", "2027-05-12"),
        ("अगले महीने की अट्ठाईस तारीख", "hi", "2026-12-28"),
        ("कल नहीं परसों", "hi", "2026-11-25"),
        ("आज", "hi", "2026-11-23"),
        ("कल", "hi", "2026-11-24"),
        ("कल आया था", "hi", "2026-11-22"),
        ("परसों सुबह", "hi", "2026-11-25"),
        ("पाँच मई को", "hi", "2027-05-05"),
        ("पांच तारीख को", "hi", "2026-12-05"),
        ("२५ दिसंबर", "hi", "2026-12-25"),
        ("पाँच मई दो हज़ार सत्ताईस", "hi", "2027-05-05"),
        ("अगले सोमवार", "hi", "2026-11-30"),
        ("बुधवार को", "hi", "2026-11-25"),
        ("तीन दिन बाद", "hi", "2026-11-26"),
        ("kal", "hi", "2026-11-24"),
        ("parson", "hi", "2026-11-25"),
        ("agle somvar ko", "hi", "2026-11-30"),
        ("do hafte baad", "hi", "2026-12-07"),
        ("paanch tarikh", "hi-IN", "2026-12-05"),
        ("मंगलवार, नहीं, बुधवार", "hi", "2026-11-25"),
    ],
)
def test_dates(said: str, language: str, value: str) -> None:
    assert read(SlotKind.DATE, said, language) == Reading(value)


@pytest.mark.parametrize(
    ("said", "language", "candidates"),
    [
        ("next Friday", "en", ("2026-12-04", "2026-11-27")),
        ("Monday", "en", ("2026-11-30", "2026-11-23")),
        ("Thursday or Friday", "en", ("2026-11-26", "2026-11-27")),
        ("this weekend", "en", ("2026-11-28", "2026-11-29")),
        ("12/05/2026", "en", ("2026-05-12", "2026-12-05")),
        ("Tuesday the fifth", "en", ("2026-12-05", "2026-11-24")),
        ("अगले शुक्रवार", "hi", ("2026-12-04", "2026-11-27")),
    ],
)
def test_dates_of_which_several_may_be_meant(said: str, language: str, candidates: tuple[str, ...]) -> None:
    assert read(SlotKind.DATE, said, language) == Reading(candidates=candidates, why=Why.AMBIGUOUS)


def test_next_week_is_certain_where_this_week_has_no_such_day_left() -> None:
    assert read(SlotKind.DATE, "next Friday", "en", today=date(2026, 11, 28)) == Reading("2026-12-04")


@pytest.mark.parametrize(
    ("said", "value"),
    [
        ("first of January nineteen ninety", "1990-01-01"),
        ("5 May", "2026-05-05"),
        ("25 December", "2025-12-25"),
        ("05/06/88", "1988-06-05"),
        ("Friday", "2026-11-20"),
        ("the thirtieth", "2026-10-30"),
        ("कल", "2026-11-22"),
    ],
)
def test_dates_that_lie_behind(said: str, value: str) -> None:
    assert read(SlotKind.DATE, said, "en-IN" if said.isascii() else "hi", in_past=True) == Reading(value)


@pytest.mark.parametrize(
    ("said", "why"),
    [
        ("the thirty first of February", Why.IMPOSSIBLE),
        ("31/02/2026", Why.IMPOSSIBLE),
        ("may I come", Why.NOTHING),
        ("just a second", Why.NOTHING),
        ("March 2027", Why.NOTHING),
        ("no", Why.NOTHING),
        ("", Why.NOTHING),
    ],
)
def test_what_is_no_date(said: str, why: Why) -> None:
    assert read(SlotKind.DATE, said, "en-IN") == Reading(why=why)


@pytest.mark.parametrize(
    ("said", "language", "value"),
    [
        ("half past four in the afternoon", "en", "16:30"),
        ("quarter to five pm", "en", "16:45"),
        ("ten past four p.m.", "en", "16:10"),
        ("twenty to six in the morning", "en", "05:40"),
        ("4:30 PM", "en", "16:30"),
        ("4.30 p.m.", "en", "16:30"),
        ("430 pm", "en", "16:30"),
        ("four thirty p m", "en", "16:30"),
        ("nine oh five am", "en", "09:05"),
        ("sixteen hundred hours", "en", "16:00"),
        ("16:45", "en", "16:45"),
        ("ten at night", "en", "22:00"),
        ("12 am", "en", "00:00"),
        ("eleven hundred hours", "en", "11:00"),
        ("सुबह नौ", "hi", "09:00"),
        ("noon", "en", "12:00"),
        ("midnight", "en", "00:00"),
        ("on the 5th at 9 in the morning", "en", "09:00"),
        ("tomorrow at 5 pm", "en", "17:00"),
        ("four pm, no, five pm", "en", "17:00"),
        ("शाम साढ़े चार बजे", "hi", "16:30"),
        ("रात सवा बजे", "hi", "01:15"),
        ("दोपहर पौन बजे", "hi", "12:45"),
        ("dopahar paune ek baje", "hi", "12:45"),
        ("दोपहर ढाई बजे", "hi", "14:30"),
        ("सुबह सवा नौ बजे", "hi", "09:15"),
        ("रात पौने दस बजे", "hi", "21:45"),
        ("सुबह दस बजकर बीस मिनट", "hi", "10:20"),
        ("सुबह दस बजने में पाँच मिनट", "hi", "09:55"),
        ("कल सुबह १० बजे", "hi", "10:00"),
        ("shaam saadhe chaar baje", "hi", "16:30"),
        ("subah das baje", "hi", "10:00"),
        ("raat ke das baje", "hi", "22:00"),
    ],
)
def test_times(said: str, language: str, value: str) -> None:
    assert read(SlotKind.TIME, said, language) == Reading(value)


@pytest.mark.parametrize(
    ("said", "language", "candidates"),
    [
        ("between four and five pm", "en", ("16:00", "17:00")),
        ("ten or eleven in the morning", "en", ("10:00", "11:00")),
        ("half past four", "en", ("16:30", "04:30")),
        ("4:30", "en", ("16:30", "04:30")),
        ("five o'clock", "en", ("17:00", "05:00")),
        ("nine", "en", ("09:00", "21:00")),
        ("twelve thirty", "en", ("12:30", "00:30")),
        ("साढ़े चार बजे", "hi", ("16:30", "04:30")),
        ("डेढ़ बजे", "hi", ("13:30", "01:30")),
        ("dhai baje", "hi", ("14:30", "02:30")),
    ],
)
def test_times_of_either_half_of_the_day(said: str, language: str, candidates: tuple[str, ...]) -> None:
    assert read(SlotKind.TIME, said, language) == Reading(candidates=candidates, why=Why.AMBIGUOUS)


@pytest.mark.parametrize(
    ("said", "why"), [("25:10", Why.IMPOSSIBLE), ("I have two kids", Why.NOTHING), ("in the afternoon", Why.NOTHING)]
)
def test_what_is_no_time(said: str, why: Why) -> None:
    assert read(SlotKind.TIME, said, "en") == Reading(why=why)
