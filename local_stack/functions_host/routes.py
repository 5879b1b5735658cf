"""Matches request paths to HTTP functions as the Functions host (ASP.NET routing) does."""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from types import MappingProxyType
from typing import Generic, TypeVar
from urllib.parse import unquote

from local_stack.functions_host.errors import HostConfigurationError
from local_stack.functions_host.route_constraints import Constraint, build_constraint

Target = TypeVar("Target")

# {*name:constraint:constraint(argument)=default?}
_PARAMETER = re.compile(r"\{(\*{0,2})([A-Za-z_]\w*)((?::(?:[^(){}?=]|\([^()]*\)|\{\{|\}\})+)*)(=[^}?]*)?(\?)?\}")
_CACHE_LIMIT = 8192
_NO_PARAMETERS: Mapping[str, str] = MappingProxyType({})


@dataclass(frozen=True, slots=True)
class _Segment:
    """One part of a template between slashes; `name` is empty for a literal."""

    precedence: int
    literal: str = ""
    name: str = ""
    constraints: tuple[Constraint, ...] = ()
    default: str | None = None
    optional: bool = False
    catch_all: bool = False
    pattern: re.Pattern[str] | None = None

    def accepts(self, value: str) -> bool:
        return all(constraint(value) for constraint in self.constraints)


@dataclass(frozen=True, slots=True)
class RouteTemplate:
    """A parsed template; `precedence` sorts more specific templates first."""

    text: str
    segments: tuple[_Segment, ...]

    @property
    def precedence(self) -> tuple[int, ...]:
        return tuple(segment.precedence for segment in self.segments)

    def match(self, parts: list[str]) -> Mapping[str, str] | None:
        """Return the route parameters if `parts` (decoded path segments) fit, else None."""
        values: dict[str, str] = {}
        for index, segment in enumerate(self.segments):
            if segment.catch_all:
                rest = "/".join(parts[index:])
                if rest and not segment.accepts(rest):
                    return None
                values[segment.name] = rest or segment.default or ""
                return values
            if index >= len(parts):
                if segment.default is not None:
                    values[segment.name] = segment.default
                elif not segment.optional:
                    return None
            elif not _match_segment(segment, parts[index], values):
                return None
        return values if len(parts) <= len(self.segments) else None


def parse_template(text: str) -> RouteTemplate:
    """Parse a route template such as `calls/{call_id:guid}/{*rest}`.

    Raises: HostConfigurationError for a malformed template.
    """
    cleaned = text.strip("/")
    parts = _split(cleaned) if cleaned else []
    segments = tuple(_parse_segment(part, text) for part in parts)
    if any(segment.catch_all for segment in segments[:-1]):
        raise HostConfigurationError(f"route '{text}': a catch-all parameter must come last")
    return RouteTemplate(cleaned, segments)


@dataclass(slots=True)
class _Route(Generic[Target]):
    template: RouteTemplate
    methods: frozenset[str] | None
    target: Target


@dataclass(slots=True)
class RouteTable(Generic[Target]):
    """All HTTP routes; answers are cached, since the same paths come thousands of times a second."""

    _routes: list[_Route[Target]] = field(default_factory=list)
    _cache: dict[tuple[str, str], tuple[Target, Mapping[str, str]] | None] = field(default_factory=dict)

    def add(self, template: str, methods: Iterable[str] | None, target: Target) -> None:
        """Add a route; `methods` None accepts every method."""
        allowed = frozenset(method.upper() for method in methods) if methods is not None else None
        self._routes.append(_Route(parse_template(template), allowed, target))
        self._routes.sort(key=lambda route: route.template.precedence)
        self._cache.clear()

    def match(self, method: str, path: str) -> tuple[Target, Mapping[str, str]] | None:
        """Return target and route parameters for a raw (percent-encoded) path, or None.

        A path whose method fits no route is not found either: on Azure the method is part of the route.
        """
        key = (method, path)
        try:
            return self._cache[key]
        except KeyError:
            found = self._search(method, path)
            if len(self._cache) >= _CACHE_LIMIT:
                self._cache.clear()
            self._cache[key] = found
            return found

    def _search(self, method: str, path: str) -> tuple[Target, Mapping[str, str]] | None:
        trimmed = path.strip("/")
        parts = [unquote(part) for part in trimmed.split("/")] if trimmed else []
        for route in self._routes:
            if route.methods is not None and method not in route.methods:
                continue
            values = route.template.match(parts)
            if values is not None:
                return route.target, MappingProxyType(dict(values)) if values else _NO_PARAMETERS
        return None


def _match_segment(segment: _Segment, part: str, values: dict[str, str]) -> bool:
    if segment.pattern is not None:
        match = segment.pattern.fullmatch(part)
        if match is None:
            return False
        values.update(match.groupdict())
        return True
    if not segment.name:
        return segment.literal == part.casefold()
    if not part or not segment.accepts(part):
        return False
    values[segment.name] = part
    return True


def _split(text: str) -> list[str]:
    """Split at slashes outside of braces, for a regex constraint may contain slashes."""
    parts, depth, start = [], 0, 0
    for position, character in enumerate(text):
        depth += (character == "{") - (character == "}")
        if character == "/" and depth == 0:
            parts.append(text[start:position])
            start = position + 1
    return [*parts, text[start:]]


def _parse_segment(part: str, template: str) -> _Segment:
    if "{" not in part and "}" not in part:
        return _Segment(precedence=1, literal=part.casefold())
    match = _PARAMETER.fullmatch(part)
    if match is None:
        return _complex_segment(part, template)
    stars, name, constraints, default, optional = match.groups()
    built = tuple(build_constraint(item, template) for item in _constraint_list(constraints))
    base = 5 if stars else 3
    return _Segment(
        precedence=base - 1 if built else base,
        name=name,
        constraints=built,
        default=default[1:] if default else None,
        optional=bool(optional),
        catch_all=bool(stars),
    )


def _constraint_list(text: str) -> list[str]:
    return [item for item in re.split(r":(?![^()]*\))", text) if item]


def _complex_segment(part: str, template: str) -> _Segment:
    """A segment with text around its parameters, such as `{name}.{extension}`."""
    pattern, position = "", 0
    for match in _PARAMETER.finditer(part):
        pattern += re.escape(part[position : match.start()]) + f"(?P<{match.group(2)}>.+?)"
        position = match.end()
    tail = part[position:]
    if position == 0 or "{" in tail or "}" in tail:
        raise HostConfigurationError(f"route '{template}': cannot read '{part}'")
    return _Segment(precedence=2, name="*", pattern=re.compile(pattern + re.escape(tail), re.IGNORECASE))
