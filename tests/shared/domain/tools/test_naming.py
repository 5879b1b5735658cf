"""Names of tools are of a model's letters and never meet."""

from __future__ import annotations

import re

from hypothesis import given
from hypothesis import strategies as st

from shared.domain.tools.naming import tool_name

ALLOWED = re.compile(r"[A-Za-z0-9_-]{1,64}")


def test_a_plain_name_stays_as_it_is() -> None:
    assert tool_name("crm", "find_customer") == "crm_find_customer"


def test_names_that_differ_in_letters_that_have_to_go_stay_apart() -> None:
    names = {tool_name("crm", name) for name in ("get.user", "get-user", "get_user", "get user", "GET /user/{id}")}
    assert len(names) == 5


@given(st.text(max_size=200), st.text(max_size=200))
def test_every_name_can_be_said_and_none_meets_another(one: str, other: str) -> None:
    assert ALLOWED.fullmatch(tool_name("g", one))
    assert (tool_name("g", one) == tool_name("g", other)) == (one == other)
