"""Reads agents' documents: what is wrong is said with the name of the field, and whoever writes them has a schema."""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from functools import cached_property
from typing import TYPE_CHECKING, Any

from shared.domain.agents.document import AgentDocument
from shared.domain.agents.faults import Fault, InvalidDocument

if TYPE_CHECKING:
    from pydantic import TypeAdapter

_IN_WORDS = {"unexpected_keyword_argument": "there is no such field", "missing": "is needed"}
_DIALECT = {"$schema": "https://json-schema.org/draft/2020-12/schema", "$id": "urn:voice-agent:agent-document"}


class PydanticAgentDocuments:
    """Fills the port `AgentDocuments`. Pydantic is imported on first use, since that takes some 80 ms."""

    def read(self, document: Mapping[str, Any]) -> AgentDocument:
        from pydantic import ValidationError  # noqa: PLC0415 - slow import

        try:
            # As JSON, in which a list may be a tuple and a word an enumeration's, but no number a text.
            return self._adapter.validate_json(json.dumps(document), strict=True)
        except ValidationError as error:
            found = error.errors(include_url=False, include_context=False, include_input=False)
            told = [Fault(_field(each["loc"]), _IN_WORDS.get(each["type"], each["msg"])) for each in found]
            raise InvalidDocument(told) from None

    def write(self, document: AgentDocument) -> dict[str, Any]:
        written: dict[str, Any] = self._adapter.dump_python(document, mode="json", exclude_defaults=True)
        return written

    def schema(self) -> dict[str, Any]:
        return _DIALECT | self._adapter.json_schema()

    @cached_property
    def _adapter(self) -> TypeAdapter[AgentDocument]:
        from pydantic import TypeAdapter  # noqa: PLC0415 - slow import

        return TypeAdapter(AgentDocument)


def _field(path: Sequence[str | int]) -> str:
    """As `tools.http[0].url`."""
    text = "".join(f"[{part}]" if isinstance(part, int) else f".{part}" for part in path)
    return text.removeprefix(".") or "document"
