"""A regular expression as a bound of a text."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any


@dataclass(frozen=True, slots=True)
class Pattern:
    """The whole text must match. In the annotation of a `str`; whoever reads documents asks it for its part of the
    schema (Pydantic's protocol for annotations), so that the domain need not know who that is.

    Source: https://docs.pydantic.dev/latest/concepts/types/#customizing-validation-with-__get_pydantic_core_schema__
    """

    expression: str

    def __get_pydantic_core_schema__(self, source: Any, handler: Callable[[Any], dict[str, Any]]) -> dict[str, Any]:
        return {**handler(source), "pattern": f"^(?:{self.expression})$"}
