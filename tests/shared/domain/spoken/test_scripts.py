"""Scripts, mixed languages, and Hindi in Latin letters."""

from __future__ import annotations

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from shared.domain.spoken.roman_hindi import DEVANAGARI
from shared.domain.spoken.scripts import in_devanagari, language_written, mixtures, script_of, script_shares


@pytest.mark.parametrize(
    ("text", "script"),
    [
        ("Hello", "Latn"),
        ("नमस्ते", "Deva"),
        ("வணக்கம்", "Taml"),
        ("నమస్కారం", "Telu"),
        ("ನಮಸ್ಕಾರ", "Knda"),
        ("നമസ്കാരം", "Mlym"),
        ("নমস্কার", "Beng"),
        ("નમસ્તે", "Gujr"),
        ("ਸਤਿ ਸ੍ਰੀ ਅਕਾਲ", "Guru"),
        ("سلام", "Arab"),
        ("मेरा order कहाँ है", "Deva"),
        ("12:30 — 5!", ""),
        ("", ""),
    ],
)
def test_the_script_of_a_text(text: str, script: str) -> None:
    assert script_of(text) == script


@pytest.mark.parametrize(
    ("text", "tag", "language"),
    [
        ("कुल 5", "en-US", "hi"),
        ("कुल 5", "hi-IN", "hi-IN"),
        ("एकूण 5", "mr-IN", "mr-IN"),
        ("மொத்தம் 5", "hi-IN", "ta"),
        ("There are 5 books.", "hi-IN", "en-IN"),
        ("There are 5 books.", "en-GB", "en-GB"),
        ("Es sind 5 Bücher hier.", "de-DE", "de-DE"),
        ("Aapka bill 5", "hi-IN", "hi-IN"),
        ("Order 5", "hi-IN", "hi-IN"),
        ("5", "ta-IN", "ta-IN"),
        ("", "", ""),
    ],
)
def test_the_language_in_which_an_answer_was_written(text: str, tag: str, language: str) -> None:
    assert language_written(text, tag) == language


def test_shares_of_scripts_make_one() -> None:
    shares = script_shares("ab कख")
    assert shares == {"Latn": 0.5, "Deva": 0.5}


def test_languages_that_mix_are_told_for_each_sentence() -> None:
    found = mixtures("Mujhe kal appointment chahiye. Is that fine? मेरा order कहाँ है।")
    assert [(one.devanagari, one.roman_hindi, one.latin) for one in found] == [(0, 3, 1), (0, 0, 3), (3, 0, 1)]
    assert [one.hindi_share for one in found] == [0.75, 0.0, 0.75]
    assert [one.is_roman_hindi for one in found] == [True, False, False]


@pytest.mark.parametrize(
    ("roman", "written"),
    [
        ("Mujhe kal appointment chahiye.", "मुझे कल appointment चाहिए."),
        ("aapka naam kya hai?", "आपका नाम क्या है?"),
        ("theek hai, main abhi batata hoon", "ठीक है, मैं अभी batata हूँ"),
        ("Haan ji! Your order is ready.", "हाँ जी! Your order is ready."),
        ("The main idea is fine.", "The main idea is fine."),
        ("Sham is here.", "Sham is here."),
        ("मेरा नाम Priya है", "मेरा नाम Priya है"),
    ],
)
def test_hindi_in_latin_letters_is_written_as_hindi(roman: str, written: str) -> None:
    assert in_devanagari(roman) == written


def test_words_are_hindi_in_devanagari() -> None:
    assert all(word.isascii() and word == word.lower() for word in DEVANAGARI)
    assert {script_of(written) for written in DEVANAGARI.values()} == {"Deva"}


@settings(max_examples=300, deadline=None)
@given(
    st.one_of(
        st.text(max_size=60), st.lists(st.sampled_from([*DEVANAGARI, "is", ".", "x"]), max_size=9).map(" ".join)
    )
)
def test_any_text_can_be_rewritten_and_only_once(text: str) -> None:
    once = in_devanagari(text)
    assert in_devanagari(once) == once
    assert sum(script_shares(text).values()) == pytest.approx(1.0 if script_of(text) else 0.0)
