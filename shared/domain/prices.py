"""What models charge, as the settings have it."""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import dataclass

from shared.domain.errors import InvalidRequest

_SHAPE = 'an object of models with the cents that a million tokens cost: {"chat": {"input": 15, "output": 60}}'


@dataclass(frozen=True, slots=True)
class Price:
    """Cents per million tokens, which is millionths of a cent per token."""

    input: float
    output: float

    def microcents(self, input_tokens: int, output_tokens: int) -> int:
        return round(self.input * input_tokens + self.output * output_tokens)


_FREE = Price(0, 0)


def prices_of(text: str) -> dict[str, Price]:
    """By the model's name, or "provider/model" where it costs something else there. Raises: InvalidRequest."""
    if not text:
        return {}
    try:
        document = json.loads(text)
        prices = {str(name): Price(float(each["input"]), float(each["output"])) for name, each in document.items()}
    except (ValueError, TypeError, KeyError, AttributeError):
        raise InvalidRequest("settings", f"MODEL_PRICES must be {_SHAPE}") from None
    if not all(0 <= amount < 1e9 for price in prices.values() for amount in (price.input, price.output)):
        raise InvalidRequest("settings", "MODEL_PRICES: a price is a number of cents, 0 or more")
    return prices


def price_of(prices: Mapping[str, Price], provider: str, model: str) -> Price:
    """Nothing where nobody has said what the model costs."""
    return prices.get(f"{provider}/{model}") or prices.get(model) or _FREE
