"""Names, spelled codes and choices, and that any words can be read."""

from __future__ import annotations

import subprocess
import sys
import time
from datetime import date

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from shared.domain.agents.intents import SlotKind
from shared.domain.slots.corrections import latest_first
from shared.domain.slots.reader import READERS, read_slot
from shared.domain.slots.reading import Context, Reading, Why

TODAY = date(2026, 11, 23)
SIZES = ("small", "large", "extra large", "Blue", "blue cheese")


def read(kind: SlotKind, said: str, language: str = "en", choices: tuple[str, ...] = ()) -> Reading:
    return read_slot(kind, said, Context(today=TODAY, language=language, choices=choices))


@pytest.mark.parametrize(
    ("said", "language", "value"),
    [
        ("A B 1 2 3 4", "en", "AB1234"),
        ("my order number is A B one two double three", "en", "AB1233"),
        ("alpha bravo one two", "en", "AB12"),
        ("x-ray yankee zulu", "en", "XYZ"),
        ("double B seven", "en", "BB7"),
        ("double you ex why", "en", "WXY"),
        ("em ay ar eye ay", "en", "MARIA"),
        ("M as in Mary, A, R, I, A", "en", "MARIA"),
        ("B as in dog", "en", "D"),
        ("b for bombay, p as in Paris, 7", "en", "BP7"),
        ("c as in cat 9 dash 8", "en", "C9-8"),
        ("AB-1234", "en", "AB1234"),
        ("ABX 1234", "en", "ABX1234"),
        ("ए बी एक दो", "hi", "AB12"),
        ("एम ए आर आई ए", "hi", "MARIA"),
        ("डबल ए सात", "hi", "AA7"),
        ("A for apple B for ball", "en", "AB"),
        ("alpha bravo charlie", "en", "ABC"),
        ("ए फॉर एप्पल, बी फॉर बॉल", "hi", "AB"),
        ("two K four", "en", "2K4"),
        ("A B, no, A P one", "en", "AP1"),
    ],
)
def test_spelled_codes(said: str, language: str, value: str) -> None:
    assert read(SlotKind.SPELLED, said, language) == Reading(value)


def test_words_that_sound_like_letters_are_words_where_nothing_is_spelled() -> None:
    assert read(SlotKind.SPELLED, "I see you are here") == Reading(why=Why.NOTHING)


@pytest.mark.parametrize(
    ("said", "language", "value"),
    [
        ("My name is Priya Sharma", "en", "Priya Sharma"),
        ("john smith", "en", "John Smith"),
        ("um, this is Dr. John Smith speaking", "en", "John Smith"),
        ("O'Brien", "en", "O'Brien"),
        ("it's M as in Mary, A, R, I, A", "en", "Maria"),
        ("Maria, M A R Y A", "en", "Marya"),
        ("Priya Sharma, that's spelled S H A R M A", "en", "Priya Sharma"),
        ("Priya Sarma, S H A R M A", "en", "Priya Sharma"),
        ("Catherine with a K, K A T H E R I N E", "en", "Katherine"),
        ("John, no, Jon, J O N", "en", "Jon"),
        ("मेरा नाम प्रिया शर्मा है", "hi", "प्रिया शर्मा"),
        ("मैं राहुल बोल रहा हूँ", "hi", "राहुल"),
        ("mera naam rahul verma hai", "hi", "Rahul Verma"),
    ],
)
def test_names(said: str, language: str, value: str) -> None:
    assert read(SlotKind.PERSON_NAME, said, language) == Reading(value)


@pytest.mark.parametrize("said", ["I don't know", "I want an appointment", "", "12345"])
def test_what_is_no_name(said: str) -> None:
    assert read(SlotKind.PERSON_NAME, said) == Reading(why=Why.NOTHING)


@pytest.mark.parametrize(
    ("said", "reading"),
    [
        ("the large one please", Reading("large")),
        ("Extra large.", Reading("extra large")),
        ("larg", Reading("large")),
        ("blue", Reading("Blue")),
        ("the second one", Reading("large")),
        ("option three", Reading("extra large")),
        ("two", Reading("large")),
        ("the last one", Reading("blue cheese")),
        ("not small, large", Reading("large")),
        ("small or large", Reading(candidates=("small", "large"), why=Why.AMBIGUOUS)),
        ("none of them", Reading(why=Why.DECLINED)),
        ("the ninth", Reading(why=Why.IMPOSSIBLE)),
        ("purple", Reading(why=Why.NOTHING)),
    ],
)
def test_choices(said: str, reading: Reading) -> None:
    assert read(SlotKind.CHOICE, said, choices=SIZES) == reading


def test_choices_in_hindi() -> None:
    assert read(SlotKind.CHOICE, "शाम को", "hi", ("सुबह", "शाम")) == Reading("शाम")
    assert read(SlotKind.CHOICE, "दूसरा वाला", "hi", ("सुबह", "शाम")) == Reading("शाम")


def test_every_kind_of_slot_has_a_reader() -> None:
    assert set(READERS) == set(SlotKind)
    assert read(SlotKind.TEXT, " the  red one, no, wait ") == Reading("the red one, no, wait")


@pytest.mark.parametrize(
    ("said", "first"),
    [
        ("Priya, no problem", "Priya, no problem"),
        ("house no. 5", "house no. 5"),
        ("the fifth, no sorry, the sixth", "the sixth"),
        ("Tuesday actually Wednesday no wait Thursday", "Thursday"),
        ("Friday, not Monday", "Friday"),
        ("मंगलवार, नहीं, बुधवार", "बुधवार"),
        ("no", "no"),
    ],
)
def test_what_corrects_comes_first(said: str, first: str) -> None:
    assert latest_first(said)[0] == first


def test_the_libraries_are_not_loaded_before_they_are_needed() -> None:
    modules = "import sys, shared.domain.slots.reader, shared.domain.spoken.spoken_form as said"
    use = "said.spoken_form('Hello.', 'en')"
    seen = "print([name for name in ('phonenumbers', 'indic_numtowords') if name in sys.modules])"
    done = subprocess.run(
        [sys.executable, "-c", f"{modules}; {use}; {seen}"], capture_output=True, text=True, timeout=60, check=True
    )
    assert done.stdout.strip() == "[]"


_WORDS = (
    "tomorrow|next|Friday|the|fifth|of|May|twenty|six|nine|double|zero|point|half|past|hundred|lakh|thousand|and|a|कल"
    "|साढ़े|चार|बजे|सवा|सौ|डेढ़|दो|लाख|A|B|as in|Mary|no|not|,|.|-|:|/|+|12|1,25,000|4.5|31|999|year|ago|in|week|from"
    "|oh|to|am|pm|plus|first|second|₹|rupees|x-ray|last|one|my name is|मेरा नाम|है|0|2026|१२|\n|minus|k|million|"
    + "0"
    * 45
)
_SAID = st.one_of(
    st.text(max_size=60),
    st.lists(st.sampled_from(_WORDS.split("|")), max_size=12).map(" ".join),
    st.lists(st.sampled_from(_WORDS.split("|")), max_size=8).map("".join),
)


@settings(max_examples=400, deadline=None)
@given(
    _SAID,
    st.sampled_from(SlotKind),
    st.sampled_from(["en", "en-US", "en-IN", "hi", "ta", ""]),
    st.sampled_from([TODAY, date(2024, 2, 29), date(2026, 12, 31)]),
    st.booleans(),
)
def test_any_words_can_be_read(said: str, kind: SlotKind, language: str, today: date, in_past: bool) -> None:
    reading = read_slot(kind, said, Context(today=today, language=language, in_past=in_past, choices=("a", *SIZES)))
    assert bool(reading.value) is (reading.why is None)
    assert bool(reading.candidates) is (reading.why is Why.AMBIGUOUS)
    assert len(reading.candidates) != 1
    if kind is SlotKind.DATE:
        assert all(date.fromisoformat(value) for value in (reading.value, *reading.candidates) if value)


@pytest.mark.parametrize("kind", SlotKind)
def test_no_more_is_read_than_anyone_says(kind: SlotKind) -> None:
    for part in ("1 ", "a ", "no ", "A, ", "as in ", "hundred ", "twenty ", "not a", "my name is ", "मैं "):
        began_s = time.process_time()
        read(kind, part * 20_000, "hi", ("a b",) * 50)
        assert time.process_time() - began_s < 1.0
