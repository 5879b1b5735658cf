"""Numbers in words: right in every language, and never two numbers by the same words."""

from __future__ import annotations

import pytest

from shared.domain.spoken.numbers import cardinal, digits, ordinal, year

LANGUAGES = ["en", "hi", "ta", "te", "kn", "ml", "bn", "mr", "gu"]


@pytest.mark.parametrize(
    ("language", "region", "number", "said"),
    [
        ("en", "", 0, "zero"),
        ("en", "", 1_001, "one thousand and one"),
        ("en", "US", 125_000, "one hundred and twenty five thousand"),
        ("en", "IN", 125_000, "one lakh twenty five thousand"),
        ("en", "IN", 12_345_678, "one crore twenty three lakh forty five thousand six hundred and seventy eight"),
        ("en", "GB", 2_000_000_000, "two billion"),
        ("en", "IN", 20_000_000_000, "two thousand crore"),
        ("hi", "IN", 125_050, "एक लाख पच्चीस हज़ार पचास"),
        ("hi", "", 10_000_000_000, "एक हज़ार करोड़"),
        ("ta", "", 2_026, "இரண்டாயிரத்து இருபத்து ஆறு"),
        ("ta", "", 89, "எண்பத்து ஒன்பது"),
        ("te", "", 250, "రెండు వందల యాభై"),
        ("kn", "", 83, "ಎಂಬತ್ತ್ಮೂರು"),
        ("kn", "", 110, "ನೂರ ಹತ್ತು"),
        ("kn", "", 200, "ಇನ್ನೂರು"),
        ("kn", "", 1_500, "ಒಂದು ಸಾವಿರದ ಐನೂರು"),
        ("kn", "", 100_000, "ಒಂದು ಲಕ್ಷ"),
        ("kn", "", 100_000_000, "ಹತ್ತು ಕೋಟಿ"),
        ("ml", "", 1_500, "ആയിരത്തി അഞ്ഞൂറ്"),
        ("bn", "", 1_500, "এক হাজার পাঁচশো"),
        ("mr", "", 1_500, "एक हजार पाचशे"),
        ("gu", "", 200, "બસો"),
    ],
)
def test_cardinals(language: str, region: str, number: int, said: str) -> None:
    assert cardinal(number, language, region) == said


@pytest.mark.parametrize("language", LANGUAGES)
def test_no_two_numbers_sound_the_same(language: str) -> None:
    numbers = [*range(2_000), *range(2_000, 99_999_999, 49_999_7)]
    said = {cardinal(number, language) for number in numbers}
    assert len(said) == len(numbers)
    assert not any("  " in words or "\u200c" in words or words != words.strip() for words in said)


@pytest.mark.parametrize("language", LANGUAGES)
def test_what_is_too_long_is_said_digit_by_digit(language: str) -> None:
    number = 10**20 + 5
    assert cardinal(number, language) == digits(str(number), language)
    assert len(digits("905", language).split()) == 3


@pytest.mark.parametrize(
    ("number", "said"),
    [
        (1, "first"),
        (2, "second"),
        (3, "third"),
        (8, "eighth"),
        (11, "eleventh"),
        (12, "twelfth"),
        (13, "thirteenth"),
        (20, "twentieth"),
        (21, "twenty first"),
        (30, "thirtieth"),
        (100, "one hundredth"),
        (112, "one hundred and twelfth"),
    ],
)
def test_english_ordinals(number: int, said: str) -> None:
    assert ordinal(number, "en") == said


def test_hindi_ordinals() -> None:
    assert [ordinal(number, "hi") for number in (1, 4, 5)] == ["पहला", "चौथा", "पाँचवाँ"]


@pytest.mark.parametrize(
    ("number", "said"),
    [
        (1900, "nineteen hundred"),
        (1905, "nineteen oh five"),
        (1998, "nineteen ninety eight"),
        (2000, "two thousand"),
        (2005, "two thousand five"),
        (2026, "twenty twenty six"),
        (800, "eight hundred"),
    ],
)
def test_english_years(number: int, said: str) -> None:
    assert year(number, "en") == said


def test_hindi_years() -> None:
    assert year(1998, "hi") == "उन्नीस सौ अट्ठानवे"
    assert year(2026, "hi") == "दो हज़ार छब्बीस"
