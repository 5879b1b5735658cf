"""What an agent says in a language that is not its own, besides its answers."""

from __future__ import annotations

from dataclasses import replace

import pytest
from hypothesis import given
from hypothesis import strategies as st

from shared.domain.fillers import apology_of, fillers_of
from shared.domain.manner import Manner
from shared.domain.phrases import Phrases, speaking, to_translate
from tests.fakes.call import NORA

OWN = replace(NORA, manner=Manner(fillers=("Moment, please.",), apology="My fault.", languages=("hi-IN", "gu-IN")))
SPANISH_FILLER = "Un momento."


def test_in_its_own_language_it_is_as_it_was_written() -> None:
    assert speaking(OWN, "en") is OWN
    assert speaking(OWN, "en-GB") == replace(OWN, language="en-GB")
    assert to_translate(OWN, "en-GB") == ("", ())


def test_what_was_written_is_translated_before_what_is_there_anyway() -> None:
    assert to_translate(OWN, "hi-IN") == ("My fault.", ("Moment, please.",))
    assert to_translate(NORA, "hi-IN") == ("", ())
    assert to_translate(NORA, "gu-IN") == (apology_of(NORA), fillers_of(NORA))


@pytest.mark.parametrize(
    ("phrases", "apology", "filler"),
    [
        (None, "Lo siento, algo ha fallado por mi parte. ¿Podría repetirlo?", SPANISH_FILLER),
        (Phrases("fr", "Pardon.", ("Un instant.",)), "Lo siento, algo ha", SPANISH_FILLER),
        (Phrases("es-ES", "Perdón.", ("Espere.",)), "Perdón.", "Espere."),
        (Phrases("es-ES", "", ("Espere.",)), "Lo siento, algo ha", "Espere."),
    ],
)
def test_what_is_said_in_another_language(phrases: Phrases | None, apology: str, filler: str) -> None:
    agent = speaking(OWN, "es-ES", phrases)
    assert apology_of(agent).startswith(apology)
    assert fillers_of(agent)[0] == filler
    assert (agent.language, agent.voice, agent.persona) == ("es-ES", OWN.voice, OWN.persona)


def test_where_there_is_nothing_it_is_said_as_it_was_written() -> None:
    agent = speaking(OWN, "gu-IN")
    assert (apology_of(agent), fillers_of(agent)) == ("My fault.", ("Moment, please.",))


def test_from_another_language_one_can_come_back() -> None:
    assert speaking(OWN, "hi-IN").manner.languages == ("hi-IN", "gu-IN", "en")


@given(st.text(min_size=1), st.text(), st.lists(st.text()))
def test_phrases_are_read_as_they_were_written(language: str, apology: str, fillers: list[str]) -> None:
    phrases = Phrases(language, apology, tuple(fillers))
    assert Phrases.from_text(phrases.to_text()) == phrases
    assert Phrases.from_text("") is None
