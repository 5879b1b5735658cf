"""Numbers, amounts, digits and telephone numbers, as callers say and recognisers write them."""

from __future__ import annotations

from datetime import date

import pytest

from shared.domain.agents.intents import SlotKind
from shared.domain.slots.counting import counts_in
from shared.domain.slots.number_words import cardinals
from shared.domain.slots.reader import read_slot
from shared.domain.slots.reading import Context, Reading, Why
from shared.domain.spoken.numbers import cardinal


def read(kind: SlotKind, said: str, language: str = "en", country: str = "IN", currency: str = "") -> Reading:
    context = Context(today=date(2026, 11, 23), language=language, country=country, currency=currency)
    return read_slot(kind, said, context)


@pytest.mark.parametrize(
    ("said", "language", "value"),
    [
        ("five", "en", "5"),
        ("twenty-one of them", "en", "21"),
        ("a hundred and one", "en", "101"),
        ("twelve hundred", "en", "1200"),
        ("two hundred and five thousand three hundred", "en", "205300"),
        ("one point five lakh", "en", "150000"),
        ("two and a half crore", "en", "25000000"),
        ("2 lakh 50 thousand", "en", "250000"),
        ("5k", "en", "5000"),
        ("half a million", "en", "500000"),
        ("आधा लाख", "hi", "50000"),
        ("1,25,000", "en", "125000"),
        ("three point one four", "en", "3.14"),
        ("minus five", "en", "-5"),
        ("one two three", "en", "123"),
        ("twenty twenty six", "en", "2026"),
        ("sixteen, no, fifteen", "en", "15"),
        ("पाँच सौ पचास", "hi", "550"),
        ("पांच", "hi", "5"),
        ("छह", "hi", "6"),
        ("डेढ़ लाख", "hi", "150000"),
        ("डेढ लाख", "hi", "150000"),
        ("सवा सौ", "hi", "125"),
        ("पौने दो सौ", "hi", "175"),
        ("साढ़े तीन हज़ार", "hi", "3500"),
        ("साढे तीन हजार", "hi", "3500"),
        ("दो लाख पचास हज़ार पाँच", "hi", "250005"),
        ("५००", "hi", "500"),
        ("paanch sau pachas", "hi", "550"),
        ("dhai hazaar", "hi", "2500"),
        ("teen", "hi", "3"),
        ("twenty five", "hi", "25"),
        ("ten k", "en", "10000"),
        ("a couple of thousand", "en", "2000"),
        ("paanch sau pachas", "en-IN", "550"),
        ("sadhe teen hazaar", "en", "3500"),
        ("teen", "en", ""),
        ("I do", "en-IN", ""),
        ("several thousand", "en", ""),
        ("कुछ हज़ार", "hi", ""),
        ("डेढ़ k", "hi", "1500"),
        ("ಇನ್ನೂರ ಐವತ್ತು", "kn", "250"),
        ("ஐம்பதாயிரம்", "en-IN", "50000"),
        ("ఒక లక్షా ఇరవై ఐదు వేలు", "te", "125000"),
        ("ഇരുപത്തിയഞ്ചായിരം", "ml", "25000"),
        ("পাঁচশো পঞ্চাশ", "bn", "550"),
        ("दोनशे पन्नास", "mr", "250"),
        ("એક લાખ પચ્ચીસ હજાર", "gu", "125000"),
        ("five hundred", "ta", "500"),
    ],
)
def test_numbers(said: str, language: str, value: str) -> None:
    expected = Reading(value) if value else Reading(why=Why.NOTHING)
    assert read(SlotKind.NUMBER, said, language) == expected


@pytest.mark.parametrize(
    ("text", "tag", "language"),
    [
        ("dhai lakh", "en-IN", "hi"),
        ("two lakh rupees", "en-IN", "en"),
        ("two lakh rupees", "hi-IN", "hi"),
        ("do you have two", "en", "en"),
        ("the main hall", "en", "en"),
        ("पाँच", "en", "hi"),
        ("पाच", "mr_IN", "mr"),
        ("ஐந்து five", "en", "ta"),
        ("five", "ta-IN", "ta"),
        ("fünf", "de", "en"),
        ("", "", "en"),
    ],
)
def test_in_which_language_callers_count(text: str, tag: str, language: str) -> None:
    assert counts_in(text, tag) == language


def test_of_two_numbers_both_may_be_meant() -> None:
    assert read(SlotKind.NUMBER, "five or six") == Reading(candidates=("5", "6"), why=Why.AMBIGUOUS)
    assert read(SlotKind.NUMBER, "a few") == Reading(why=Why.NOTHING)


@pytest.mark.parametrize("language", ["en", "hi"])
def test_every_number_is_read_as_it_is_said(language: str) -> None:
    for number in [*range(1, 400), *range(400, 99_999_999, 1_234_577)]:
        said = cardinal(number, language, "IN")
        assert read(SlotKind.NUMBER, said, language) == Reading(str(number)), said


def test_hindi_words_in_latin_letters_are_there_for_every_number_below_a_hundred() -> None:
    latin = {number for word, number in cardinals(with_hindi=True).items() if word.isascii()}
    assert latin == set(range(100))
    assert not {"do", "teen"} & set(cardinals(with_hindi=False))


@pytest.mark.parametrize(
    ("said", "language", "value"),
    [
        ("twelve hundred rupees", "en", "1200 INR"),
        ("Rs 500", "en", "500 INR"),
        ("₹1,25,000", "en", "125000 INR"),
        ("1.5 lakh rupees", "en", "150000 INR"),
        ("twelve dollars fifty", "en", "12.5 USD"),
        ("$12.50", "en", "12.5 USD"),
        ("ten pounds and five pence", "en", "10.05 GBP"),
        ("fifty paise rupees", "en", "0.5 INR"),
        ("पाँच सौ रुपये", "hi", "500 INR"),
        ("पाँच रुपये पचास पैसे", "hi", "5.5 INR"),
        ("डेढ़ सौ रुपए", "hi", "150 INR"),
        ("paanch sau rupaye", "hi", "500 INR"),
        ("dhai lakh rupees", "en-IN", "250000 INR"),
        ("dedh sau rupaye", "en", "150 INR"),
        ("ten k dollars, no, twelve k dollars", "en", "12000 USD"),
        ("a hundred bucks", "en", "100 USD"),
        ("five hundred rupees, sorry, six hundred rupees", "en", "600 INR"),
        ("ఐదు వందలు రూపాయలు", "te", "500 INR"),
        ("পাঁচশো টাকা", "bn", "500 INR"),
    ],
)
def test_amounts(said: str, language: str, value: str) -> None:
    assert read(SlotKind.AMOUNT, said, language) == Reading(value)


def test_an_amount_without_a_currency_is_of_the_usual_one() -> None:
    assert read(SlotKind.AMOUNT, "1.5 lakh") == Reading("150000")
    assert read(SlotKind.AMOUNT, "1.5 lakh", currency="INR") == Reading("150000 INR")
    assert read(SlotKind.AMOUNT, "ten euros", currency="INR") == Reading("10 EUR")


def test_twelve_fifty_may_be_two_amounts() -> None:
    both = ("1250 USD", "12.5 USD")
    assert read(SlotKind.AMOUNT, "twelve fifty", currency="USD") == Reading(candidates=both, why=Why.AMBIGUOUS)


@pytest.mark.parametrize(
    ("said", "language", "value"),
    [
        ("four five double six", "en", "4566"),
        ("it's 45 66 0", "en", "45660"),
        ("98 44 00 0 7", "en", "98440007"),
        ("oh oh seven", "en", "007"),
        ("four to five", "en", "425"),
        ("1 2 3, then 4", "en", "1234"),
        ("एक दो डबल तीन", "hi", "1233"),
        ("ek do teen", "hi", "123"),
    ],
)
def test_digits(said: str, language: str, value: str) -> None:
    assert read(SlotKind.DIGITS, said, language) == Reading(value)


@pytest.mark.parametrize(
    ("said", "language", "country", "value"),
    [
        ("nine eight double four triple zero seven double zero", "en", "IN", "+919844000700"),
        ("98 44 00 0 7 00", "en", "IN", "+919844000700"),
        ("98440 00700", "en", "IN", "+919844000700"),
        ("9844.000.700", "en", "IN", "+919844000700"),
        ("my number is 9844000700", "en", "IN", "+919844000700"),
        ("ninety eight forty four zero zero zero seven zero zero", "en", "IN", "+919844000700"),
        ("it's nine eight four four oh oh oh seven oh oh", "en", "IN", "+919844000700"),
        ("plus nine one nine eight four four zero zero zero seven zero zero", "en", "US", "+919844000700"),
        ("919844000700", "en", "IN", "+919844000700"),
        ("zero eight zero two three four five six seven eight nine", "en", "IN", "+918023456789"),
        ("+1 (415) 555-2671", "en", "IN", "+14155552671"),
        ("four one five, five five five, two six seven one", "en", "US", "+14155552671"),
        ("oh two oh seven nine four six oh nine five eight", "en", "GB", "+442079460958"),
        ("नौ आठ चार चार शून्य शून्य शून्य सात शून्य शून्य", "hi", "IN", "+919844000700"),
        ("nau aath char char zero zero zero saat zero zero", "hi", "IN", "+919844000700"),
        ("nau aath chaar chaar shunya shunya shunya saat shunya shunya", "en", "IN", "+919844000700"),
        ("ಒಂಬತ್ತು ಎಂಟು ನಾಲ್ಕು ನಾಲ್ಕು ಸೊನ್ನೆ 00700", "kn", "IN", "+919844000700"),
        ("नाइन एट डबल फोर ट्रिपल ज़ीरो सेवन डबल ज़ीरो", "hi", "IN", "+919844000700"),
    ],
)
def test_telephone_numbers(said: str, language: str, country: str, value: str) -> None:
    assert read(SlotKind.PHONE_NUMBER, said, language, country) == Reading(value)


@pytest.mark.parametrize(
    ("said", "reading"),
    [
        ("nine eight double four", Reading(why=Why.TOO_SHORT, partial="9844")),
        ("98440007001234567", Reading(why=Why.TOO_LONG, partial="98440007001234567")),
        ("call me", Reading(why=Why.NOTHING)),
    ],
)
def test_what_is_no_telephone_number_yet(said: str, reading: Reading) -> None:
    assert read(SlotKind.PHONE_NUMBER, said) == reading
