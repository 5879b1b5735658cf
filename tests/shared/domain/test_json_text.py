"""What is read from JSON can be written again."""

from __future__ import annotations

import json

import pytest
from hypothesis import given
from hypothesis import strategies as st

from shared.domain.json_text import read_json

_TEXT = st.text(st.characters())  # with halves of characters


@given(st.recursive(_TEXT | st.integers() | st.none(), lambda inner: st.lists(inner) | st.dictionaries(_TEXT, inner)))
def test_whatever_comes_can_be_written(document: object) -> None:
    json.dumps(read_json(json.dumps(document).encode()), ensure_ascii=False).encode()


def test_what_is_whole_stays_so() -> None:
    assert read_json(b'{"a": "\\ud83d\\ude00 \\uD83D\\uDE00", "b": [1.5, null, "\xc3\xa4"]}') == {
        "a": "\U0001f600 \U0001f600",
        "b": [1.5, None, "\xe4"],
    }
    assert read_json(b'["\\ud83d", "x\\uDE00"]') == ["?", "x?"]
    assert read_json(b"\xef\xbb\xbf[]") == []


@pytest.mark.parametrize("body", [b"", b"x", b"\xff", b'"\xed\xa0\x80"', b"[" * 100_000])
def test_what_is_no_json(body: bytes) -> None:
    with pytest.raises((ValueError, RecursionError)):
        read_json(body)
