"""Personal data is found as it is written and as it is spoken; what only looks like it is left."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from shared.domain.after_call.check_digits import is_aadhaar, is_card, is_iban, is_pan
from shared.domain.after_call.redaction import masked_number, redacted, redacted_all, redacted_value


@pytest.mark.parametrize(
    ("said", "shown"),
    [
        ("Write to priya.rao+x@mail.example.com, please.", "Write to [email], please."),
        ("It is priya dot rao at gmail dot com", "It is [email]"),
        ("Pay priya@okhdfcbank now", "Pay [email] now"),
        ("priya at the rate gmail.com", "[email]"),
        ("Ring me on +49 151 2345678.", "Ring me on [phone]."),
        ("Ring plus four nine one five one two three four five six seven eight", "Ring [phone]"),
        ("My mobile is 98450-12345", "My mobile is [phone]"),
        ("nine eight four five zero, um, one two three four five", "[phone]"),
        ("nine eight double four five triple zero one two three", "[phone]"),
        ("नौ आठ चार पाँच शून्य एक दो तीन चार पांच", "[phone]"),
        ("nau aath chaar paanch shunya ek do teen char panch", "[phone]"),
        ("९८४५० १२३४५", "[phone]"),
        ("Call 555 0199 please", "Call [phone] please"),
        ("The card is 4111 1111 1111 1111.", "The card is [card]."),
        ("four one one one, one one one one, one one one one, one one one one", "[card]"),
        ("forty one eleven eleven eleven eleven eleven eleven eleven", "[card]"),
        ("4111-1111-1111-1111 and thanks", "[card] and thanks"),
        ("Amex 378282246310005", "Amex [card]"),
        ("IBAN DE89 3704 0044 0532 0130 00 okay", "IBAN [iban] okay"),
        ("gb82west12345698765432", "[iban]"),
        (
            "D E eight nine three seven zero four zero zero four four zero five three two zero one three O zero zero",
            "[iban]",
        ),
        ("PAN ABCPE1234F.", "PAN [pan]."),
        ("a b c p e one two three four f", "[pan]"),
        ("Aadhaar 2341 2341 2346", "Aadhaar [aadhaar]"),
        ("My OTP is 4 8 2 1", "My OTP is [code]"),
        ("the CVV is one two three", "the CVV is [code]"),
        ("Order 12345678", "Order [number]"),
        ("S M I T H", "[spelled]"),
        ("My name is Priya Rao and I am late.", "My name is [name] and I am late."),
        ("my name is priya", "my name is [name]"),
        ("मेरा नाम प्रिया है", "मेरा नाम [name] है"),
        ("mera naam Priya hai", "mera naam [name] hai"),
        ("This is Dr. Priya Rao", "This is Dr. [name]"),
        ("I'm Anil, hello", "I'm [name], hello"),
        ("I live at 12 Rose Lane in Pune.", "I live at [address]."),
        ("Send it to 221B Baker Street today", "Send it to [address] today"),
        ("My address is flat 3, Green Park, Delhi", "My address is [address]"),
        ("pin code 560001", "pin code [address]"),
        ("SW1A 1AA", "[address]"),
    ],
)
def test_what_is_hidden(said: str, shown: str) -> None:
    assert redacted(said) == shown


@pytest.mark.parametrize(
    "said",
    [
        "",
        "I want two rooms for three nights.",
        "On 2026-11-23 at 10:30 or 23.11.2026",
        "That is 1,25,000 rupees, or 1,250,000.50",
        "One or two of them, maybe three or four.",
        "I do not know. I am calling about the order.",
        "I'm sorry, this is about Monday",
        "Table for 12 at 7",
        "At noon dot",
        "version 1.2",
        "Ask about the IBM in the USA.",
    ],
)
def test_what_is_left(said: str) -> None:
    assert redacted(said) == said


def test_a_name_is_hidden_wherever_it_stands() -> None:
    said = ["May I have your name?", "My name is Priya Rao.", "Thank you, Ms Rao. Priya, is that right?"]
    assert redacted_all(said) == [
        "May I have your name?",
        "My name is [name].",
        "Thank you, Ms [name]. [name], is that right?",
    ]


def test_what_is_known_is_hidden_as_whole_words() -> None:
    assert redacted("Ann said: annual, ANN.", known=["Ann"]) == "[name] said: annual, [name]."
    assert redacted("a (b) c", known=["(b)", "", " "]) == "a [name] c"


def test_values() -> None:
    value = {"name": "Ann", "card": 4111111111111111, "n": 3, "ok": True, "list": ["a@b.example", None, 1.5]}
    assert redacted_value(value, known=["Ann"]) == {
        "name": "[name]",
        "card": "[card]",
        "n": 3,
        "ok": True,
        "list": ["[email]", None, 1.5],
    }


@given(st.text(max_size=80), st.text(max_size=80))
def test_what_is_redacted_stays_as_it_is(before: str, after: str) -> None:
    once = redacted(f"{before} 4111 1111 1111 1111 {after}")
    assert redacted(once) == once
    assert "4111 1111 1111 1111" not in once


@given(st.integers(10**14, 10**15 - 1).map(str))
def test_one_digit_in_ten_makes_a_card(digits: str) -> None:
    assert sum(is_card(digits + str(last)) for last in range(10)) == 1


@given(st.integers(2 * 10**10, 10**11 - 1).map(str), st.integers(0, 10))
def test_a_wrong_digit_or_a_swap_is_no_aadhaar(digits: str, place: int) -> None:
    whole = next(digits + str(last) for last in range(10) if is_aadhaar(digits + str(last)))
    wrong = whole[:place] + str((int(whole[place]) + 1) % 10) + whole[place + 1 :]
    assert not is_aadhaar(wrong)
    swapped = whole[:place] + whole[place + 1] + whole[place] + whole[place + 2 :]
    assert swapped == whole or not is_aadhaar(swapped)


def test_numbers_that_prove_themselves() -> None:
    assert is_iban("GB82WEST12345698765432")
    assert not is_iban("GB82WEST12345698765433")
    assert not is_iban("GB82")
    assert is_pan("ABCPE1234F")
    assert not is_pan("ABCDE1234F")
    assert not is_card("0" * 16)


@pytest.mark.parametrize(
    ("number", "shown"), [("+4915123456", "*********56"), ("anonymous", "*******us"), ("1234", "****"), ("", "")]
)
def test_a_number_is_masked(number: str, shown: str) -> None:
    assert masked_number(number) == shown


def test_long_text_takes_no_long() -> None:
    hostile = "my name is " * 2_000 + "one two " * 2_000 + "a at b dot " * 2_000 + "12 " + "x " * 4_000
    assert redacted(hostile)
