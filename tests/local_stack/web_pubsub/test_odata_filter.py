"""OData filters on connections, with the examples of the service's documentation."""

from __future__ import annotations

from contextlib import suppress

import pytest
from hypothesis import given
from hypothesis import strategies as st

from local_stack.web_pubsub.configuration import Limits
from local_stack.web_pubsub.connection import ClientConnection
from local_stack.web_pubsub.odata_filter import InvalidFilter, parse_filter


def connection(user_id: str | None = "user1", *groups: str) -> ClientConnection:
    made = ClientConnection("123", "hub", user_id, Limits(), lambda *_: None)
    made.groups.update(groups)
    return made


@pytest.mark.parametrize(
    ("text", "matches"),
    [
        ("userId eq 'user1'", True),
        ("USERID eq 'user1'", True),
        ("userId ne 'user1'", False),
        ("userId eq 'USER1'", False),
        ("userId eq null", False),
        ("userId ne null", True),
        ("connectionId ne '123'", False),
        ("'a' in groups", True),
        ("'z' in groups or 'b' in groups", True),
        ("userId in ('user1', 'user2') and 'a' in groups", True),
        ("userId in ('user2')", False),
        ("userId eq 'user1' and (not ('z' in groups))", True),
        ("not endswith(userId, 'milk')", True),
        ("not (length(userId) gt 10)", True),
        ("length(userId) le 10 and length(userId) gt 3", True),
        ("length(groups) eq 2", True),
        ("toupper(userId) eq 'USER1'", True),
        ("tolower(trim(' User1 ')) eq userId", True),
        ("substring(userId,4) eq '1'", True),
        ("substring(userId,1,2) eq 'se'", True),
        ("startswith(userId,'us') eq true", True),
        ("contains(concat(userId, 'x'), '1x')", True),
        ("indexof(userId,'zz') eq -1", True),
        ("true", True),
        ("false or true and false", False),
        ("(true or false) and false", False),
        ("not not true", True),
        ("userId", False),
    ],
)
def test_conditions(text: str, matches: bool) -> None:
    assert parse_filter(text)(connection("user1", "a", "b")) is matches


def test_quotes_are_doubled() -> None:
    assert parse_filter("userId eq 'user''1'")(connection("user'1"))


@pytest.mark.parametrize(
    "text", ["length(userId) gt 1", "startswith(userId, 'u')", "not startswith(userId, 'u')", "userId eq 'x'"]
)
def test_nothing_holds_of_a_user_that_is_null(text: str) -> None:
    assert not parse_filter(text)(connection(None))


@pytest.mark.parametrize(
    "text",
    [
        "userId eq",
        "eq 'x'",
        "userId = 'x'",
        "name eq 'x'",
        "userId eq 'x",
        "(true",
        "true)",
        "true true",
        "length(userId, 'x') eq 1",
        "userId in ()",
        "userId in groups2",
        "(" * 100 + "true" + ")" * 100,
        "true and " * 2000 + "true",
    ],
)
def test_wrong_filters_are_refused(text: str) -> None:
    with pytest.raises(InvalidFilter):
        parse_filter(text)


@given(st.text(alphabet="userId eqnotand'()groups,1-+ \t", max_size=60))
def test_no_text_crashes_the_parser_or_the_condition(text: str) -> None:
    with suppress(InvalidFilter):
        parse_filter(text)(connection())
