"""Prices of models are read as they are written, and nothing else passes for one."""

from __future__ import annotations

import pytest

from shared.domain.errors import InvalidRequest
from shared.domain.prices import price_of, prices_of


def test_a_price_is_that_of_the_provider_or_of_the_model() -> None:
    prices = prices_of('{"chat": {"input": 15, "output": 60}, "azure_openai/chat": {"input": 20, "output": 80.5}}')
    assert price_of(prices, "openai", "chat").microcents(1_000, 100) == 21_000
    assert price_of(prices, "azure_openai", "chat").microcents(1_000, 100) == 28_050
    assert price_of(prices, "openai", "other").microcents(1_000, 100) == 0
    assert prices_of("") == {}


@pytest.mark.parametrize(
    "text", ["{", "[]", '{"chat": 15}', '{"chat": {"input": 15}}', '{"chat": {"input": -1, "output": 1}}', "7"]
)
def test_what_is_no_price_is_refused(text: str) -> None:
    with pytest.raises(InvalidRequest, match="MODEL_PRICES"):
        prices_of(text)
