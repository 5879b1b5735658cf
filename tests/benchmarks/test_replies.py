"""The scripted replies have the shape of those with which other frameworks were measured."""

from __future__ import annotations

import re

import pytest

from benchmarks.calls.exchange import FIRST_SENTENCE_TOKENS
from benchmarks.calls.replies import MEANINGS, REPLIES, script
from local_stack.speech.scripted.script import DEFAULT_EXCHANGE, read_script


@pytest.mark.parametrize("name", REPLIES)
def test_40_tokens_in_three_sentences_of_which_the_first_has_12(name: str) -> None:
    (exchange,) = read_script(script(name)).dialogue
    sentences = re.split(r"(?<=[.?])\s", REPLIES[name])
    assert len(exchange.reply) == 40
    assert len(sentences) == 3
    assert len(sentences[0].split()) == FIRST_SENTENCE_TOKENS
    assert name in MEANINGS


@pytest.mark.parametrize("name", REPLIES)
def test_every_turn_gets_it_since_turns_beyond_the_script_are_heard_the_same(name: str) -> None:
    (exchange,) = read_script(script(name)).dialogue
    assert exchange.heard == DEFAULT_EXCHANGE.heard


def test_where_the_first_clause_ends() -> None:
    clauses = {name: reply.partition(",")[0] for name, reply in REPLIES.items()}
    assert (clauses["unique"], clauses["opener"]) == ("{n}-Sure", "Sure")
    assert clauses["whole"] == REPLIES["whole"]


def test_an_edition_tells_the_same_numbers_of_two_loads_apart() -> None:
    (exchange,) = read_script(script("unique", "ab")).dialogue
    assert "".join(exchange.reply).count("{n}ab") == 4
    assert "".join(exchange.reply).startswith("{n}ab-Sure, I have found the order with the number {n}ab for")


@pytest.mark.parametrize("name", ["unique", "whole"])
def test_where_no_cache_is_to_help_every_sentence_has_its_number(name: str) -> None:
    assert all("{n}" in sentence for sentence in re.split(r"(?<=[.?])\s", REPLIES[name]))
