"""The kinds of values that an agent's document is made of, each with its bounds."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Annotated, Any, TypeVar

from annotated_types import Interval, Len

from shared.domain.agents.patterns import Pattern

Phrase = Annotated[str, Len(1, 200), Pattern(r".*\S.*")]
"""A few spoken words."""
Spoken = Annotated[str, Len(1, 1_000), Pattern(r"(?s).*\S.*")]
"""One or some sentences that are said as they stand."""
Text = Annotated[str, Len(1, 20_000)]
Title = Annotated[str, Len(1, 200)]
Description = Annotated[str, Len(1, 1_000)]
Name = Annotated[str, Pattern(r"[a-z][a-z0-9_]{0,62}")]
"""What programs and models call a thing: lower-case letters, digits, underscores."""
LanguageTag = Annotated[str, Pattern(r"[A-Za-z]{2,3}(-[A-Za-z0-9]{2,8})*")]
"""Such as hi or hi-IN (BCP 47)."""
E164 = Annotated[str, Pattern(r"\+[1-9][0-9]{1,14}")]
"""A telephone number, with +."""
WebUrl = Annotated[str, Len(1, 2_000), Pattern(r"https?://[^\s/?#]+[^\s]*")]
Milliseconds = Annotated[int, Interval(ge=0, le=30_000)]
DeadlineSeconds = Annotated[float, Interval(ge=0.1, le=60)]
JsonSchema = Mapping[str, Any]
"""Of an object, in JSON Schema 2020-12."""

_Part = TypeVar("_Part")


def closed(part: type[_Part]) -> type[_Part]:
    """For each dataclass of a document: a field that it does not have is an error, and a text below a field is the
    schema's description. Source: Pydantic's protocol for dataclasses, `__pydantic_config__`.
    """
    part.__pydantic_config__ = {"extra": "forbid", "use_attribute_docstrings": True}  # type: ignore[attr-defined]
    return part
