"""Words of two pieces become those of one speech."""

from __future__ import annotations

import pytest

from shared.domain.seam import joined


@pytest.mark.parametrize(
    ("before", "after", "together"),
    [
        ("", "", ""),
        ("Yes.", "", "Yes."),
        ("", " Yes. ", "Yes."),
        ("I want", "A refund.", "I want a refund."),
        ("I want.", "a refund.", "I want a refund."),
        ("I want...", "The refund.", "I want the refund."),
        ("I want -", "… the refund.", "I want the refund."),
        ("Hello.", "I am Bob.", "Hello. I am Bob."),
        ("Really?", "The cat", "Really? The cat"),
        ("Then", "I said", "Then I said"),
        ("He said", "I'm late", "He said I'm late"),
        ("I went to", "Paris", "I went to Paris"),
        ("It is the", "US Navy", "It is the US Navy"),
        ("US", "US", "US US"),
        ("at 9 a.m.", "please", "at 9 a.m. please"),
        ("Yes", ", please", "Yes, please"),
        ("मुझे", "आप", "मुझे आप"),
        ("ठीक है।", "आप", "ठीक है। आप"),
        ("私は", "学生です", "私は学生です"),
        ("私は", "John", "私は John"),
        ("...", "Yes.", "Yes."),
        ("My number is 12", "34", "My number is 12 34"),
    ],
)
def test_joined(before: str, after: str, together: str) -> None:
    assert joined(before, after) == together
