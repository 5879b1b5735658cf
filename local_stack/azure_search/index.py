"""One index: its definition, its documents, and what is found in them by words, by vectors, and by both."""

from __future__ import annotations

import math
import re
import time
from collections.abc import Mapping, Sequence
from typing import Any

from local_stack.azure_search.filters import Test, read_filter

_WORD = re.compile(r"\w+")
_FUSION = 60
"""Of reciprocal rank fusion. Source: https://learn.microsoft.com/azure/search/hybrid-search-ranking"""
_DEFAULT_TOP = 50


class BadRequest(Exception):
    """What the service answers 400 for."""


class Index:
    """Documents are found `delay_s` after they were written, and until then as they were."""

    def __init__(self, definition: dict[str, Any], delay_s: float) -> None:
        self.definition = definition
        fields: list[dict[str, Any]] = definition["fields"]
        self._fields = {field["name"]: field for field in fields}
        self._key = next((field["name"] for field in fields if field.get("key")), None)
        if self._key is None:
            raise BadRequest("an index needs a key field")
        self._written: dict[str, dict[str, Any]] = {}
        self._seen: dict[str, dict[str, Any]] = {}
        self._pending: list[tuple[float, str]] = []
        self._delay_s = delay_s

    def apply(self, action: dict[str, Any]) -> dict[str, Any]:
        """One action of a batch; what the service says of it."""
        verb = action.get("@search.action", "upload")
        given = {name: value for name, value in action.items() if not name.startswith("@")}
        key = given.get(self._key or "")
        if not isinstance(key, str) or not re.fullmatch(r"[A-Za-z0-9_\-=]{1,1024}", key):
            return _result(str(key), 400, "Invalid document key")
        if verb == "delete":
            self._written.pop(key, None)
        elif problem := self._problem(given):
            return _result(key, 400, problem)
        else:
            merges = verb in ("merge", "mergeOrUpload")
            if verb == "merge" and key not in self._written:
                return _result(key, 404, "Document not found")
            self._written[key] = {**(self._written.get(key, {}) if merges else {}), **given}
        self._pending.append((time.monotonic() + self._delay_s, key))
        return _result(key, 200, None)

    def search(self, asked: dict[str, Any]) -> list[dict[str, Any]]:
        """Rows as the service gives them. Raises: BadRequest."""
        self._settle()
        filterable = {name for name, field in self._fields.items() if field.get("filterable")}
        allowed: Test = read_filter(asked["filter"], filterable) if asked.get("filter") else lambda _: True
        rows = {key: row for key, row in self._seen.items() if allowed(row)}
        by_words = self._by_words(rows, asked.get("search") or "*")
        cosines = [self._by_vector(rows, query) for query in asked.get("vectorQueries") or ()]
        ranked = _fused([by_words, *cosines]) if cosines else by_words
        semantic = asked.get("queryType") == "semantic"
        if semantic and not self._has_semantic(asked.get("semanticConfiguration")):
            raise BadRequest("the index has no such semantic configuration")
        order = sorted(ranked, key=lambda key: ranked[key], reverse=True)
        if asked.get("orderby"):
            name = asked["orderby"].split()[0]
            self._need(name, "sortable")
            order = sorted(ranked, key=lambda key: rows[key].get(name) or "")
        if semantic:
            order = sorted(order, key=lambda key: _semantic(rows[key], asked.get("search") or ""), reverse=True)
        first = int(asked.get("skip") or 0)
        chosen = order[first : first + int(asked.get("top") or _DEFAULT_TOP)]
        return [self._shown(rows[key], ranked[key], asked, [each.get(key) for each in cosines]) for key in chosen]

    def _settle(self) -> None:
        now = time.monotonic()
        for due, key in [entry for entry in self._pending if entry[0] <= now]:
            self._pending.remove((due, key))
            if key in self._written:
                self._seen[key] = self._written[key]
            else:
                self._seen.pop(key, None)

    def _problem(self, given: Mapping[str, Any]) -> str | None:
        for name, value in given.items():
            field = self._fields.get(name)
            if field is None:
                return f"The property '{name}' does not exist"
            dimensions = field.get("dimensions")
            if dimensions and (not isinstance(value, list) or len(value) != dimensions):
                return f"'{name}' needs vectors of {dimensions} dimensions"
        return None

    def _need(self, name: str, ability: str) -> None:
        if not self._fields.get(name, {}).get(ability):
            raise BadRequest(f"'{name}' is not {ability}")

    def _by_words(self, rows: Mapping[str, dict[str, Any]], text: str) -> dict[str, float]:
        if text == "*":
            return dict.fromkeys(rows, 1.0)
        searched = [
            name for name, field in self._fields.items() if field.get("searchable") and "dimensions" not in field
        ]
        words = {key: _words(" ".join(str(row.get(name) or "") for name in searched)) for key, row in rows.items()}
        found: dict[str, float] = {}
        for word in set(_words(text)):
            having = [key for key, text_words in words.items() if word in text_words]
            for key in having:
                found[key] = found.get(key, 0.0) + math.log(1 + len(rows) / len(having))
        return found

    def _by_vector(self, rows: Mapping[str, dict[str, Any]], query: dict[str, Any]) -> dict[str, float]:
        name, vector = query["fields"], query["vector"]
        self._need(name, "searchable")
        if len(vector) != self._fields[name].get("dimensions"):
            raise BadRequest(f"the vector has {len(vector)} dimensions")
        cosines = {key: _cosine(vector, row[name]) for key, row in rows.items() if row.get(name)}
        nearest = sorted(cosines, key=lambda key: cosines[key], reverse=True)[: int(query.get("k") or _DEFAULT_TOP)]
        return {key: cosines[key] for key in nearest}

    def _has_semantic(self, name: str | None) -> bool:
        known = (self.definition.get("semantic") or {}).get("configurations") or ()
        return any(each["name"] == name for each in known)

    def _shown(
        self, row: dict[str, Any], score: float, asked: dict[str, Any], cosines: Sequence[float | None]
    ) -> dict[str, Any]:
        names = asked["select"].split(",") if asked.get("select") else list(self._fields)
        shown: dict[str, Any] = {"@search.score": score}
        if asked.get("queryType") == "semantic":
            shown["@search.rerankerScore"] = _semantic(row, asked.get("search") or "")
        if asked.get("debug") in ("vector", "all"):
            fields = [query["fields"] for query in asked.get("vectorQueries") or ()]
            vectors = [
                {name: {"searchScore": 1 / (2 - cosine), "vectorSimilarity": cosine}}
                for name, cosine in zip(fields, cosines, strict=True)
                if cosine is not None
            ]
            shown["@search.documentDebugInfo"] = {"vectors": {"subscores": {"vectors": vectors}}}
        for name in names:
            if name not in self._fields:
                raise BadRequest(f"Could not find a property named '{name}'")
            if self._fields[name].get("retrievable", True):
                shown[name] = row.get(name)
        return shown


def _result(key: str, status: int, problem: str | None) -> dict[str, Any]:
    return {"key": key, "status": problem is None, "errorMessage": problem, "statusCode": status}


def _fused(rankings: Sequence[Mapping[str, float]]) -> dict[str, float]:
    fused: dict[str, float] = {}
    for ranking in rankings:
        ordered = sorted(ranking, key=lambda key: ranking[key], reverse=True)
        for rank, key in enumerate(ordered, start=1):
            fused[key] = fused.get(key, 0.0) + 1 / (_FUSION + rank)
    return fused


def _semantic(row: Mapping[str, Any], text: str) -> float:
    """In place of the service's model: the share of the question's words that the document has, from 0 to 4."""
    asked = set(_words(text))
    has = set(_words(" ".join(value for value in row.values() if isinstance(value, str))))
    return 4 * len(asked & has) / len(asked) if asked else 0.0


def _words(text: str) -> list[str]:
    return _WORD.findall(text.casefold())


def _cosine(one: Sequence[float], other: Sequence[float]) -> float:
    lengths = math.hypot(*one) * math.hypot(*other)
    return sum(a * b for a, b in zip(one, other, strict=True)) / lengths if lengths else 0.0
