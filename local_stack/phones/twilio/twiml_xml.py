"""TwiML as XML: read safely, and its attributes read strictly, so that a slip is noticed before a real call."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Final
from urllib.parse import urlsplit, urlunsplit
from xml.parsers import expat

from local_stack.phones.twilio.faults import CarrierFault, ErrorCode

MAX_BYTES: Final = 64 * 1024


@dataclass
class Element:
    """One element of the document; `text` is what stands in it, in its children too."""

    name: str
    attributes: Mapping[str, str]
    children: list[Element] = field(default_factory=list)
    text: str = ""


def read_xml(document: bytes) -> Element:
    """The root. Raises: CarrierFault."""
    if len(document) > MAX_BYTES:
        raise CarrierFault(ErrorCode.HTTP_BODY_TOO_LARGE, f"TwiML is larger than {MAX_BYTES // 1024} KB")
    parser = expat.ParserCreate()
    top = Element("", {})
    open_elements = [top]

    def start(name: str, attributes: dict[str, str]) -> None:
        element = Element(name, attributes)
        open_elements[-1].children.append(element)
        open_elements.append(element)

    def end(_name: str) -> None:
        open_elements.pop()

    def text(data: str) -> None:
        for element in open_elements:
            element.text += data

    def refuse_doctype(*_arguments: object) -> None:
        raise CarrierFault(ErrorCode.DOCUMENT_PARSE_FAILURE, "TwiML with a document type is not read")

    parser.StartElementHandler = start
    parser.EndElementHandler = end
    parser.CharacterDataHandler = text
    parser.StartDoctypeDeclHandler = refuse_doctype
    try:
        parser.Parse(document, True)
    except (expat.ExpatError, ValueError) as error:
        raise CarrierFault(ErrorCode.DOCUMENT_PARSE_FAILURE, f"TwiML is not XML: {error}") from None
    return top.children[0]


def wrong(message: str) -> CarrierFault:
    """What is held against a document that is XML, but not TwiML."""
    return CarrierFault(ErrorCode.SCHEMA_VALIDATION, message)


class Attributes:
    """The attributes of one element. Each method raises CarrierFault for a value that cannot be."""

    def __init__(self, element: Element, base_url: str, known: str) -> None:
        """`known` are the names that the element may have, with spaces between them."""
        self._name = element.name
        self._values = element.attributes
        self._base_url = base_url
        if unknown := sorted(set(self._values) - set(known.split())):
            raise wrong(f"<{self._name}> has no attribute {unknown[0]!r}")

    def text(self, name: str, default: str = "") -> str:
        return self._values.get(name, default)

    def words(self, name: str, allowed: Sequence[str], default: str) -> frozenset[str]:
        """Several of the allowed words, with spaces between them."""
        given = frozenset(self.text(name, default).split())
        if not given <= set(allowed):
            raise self._wrong(name, f"made of {', '.join(allowed)}")
        return given

    def one_of(self, name: str, allowed: Sequence[str], default: str) -> str:
        value = self.text(name, default)
        if value not in allowed:
            raise self._wrong(name, f"one of {', '.join(allowed)}")
        return value

    def flag(self, name: str, default: bool) -> bool:
        return self.one_of(name, ("true", "false"), "true" if default else "false") == "true"

    def whole(self, name: str, default: int, lowest: int = 0, highest: int = 1_000_000) -> int:
        value = self.text(name, str(default))
        if not value.isdecimal() or not lowest <= int(value) <= highest:
            raise self._wrong(name, f"a whole number from {lowest} to {highest}")
        return int(value)

    def url(self, name: str) -> str | None:
        """An http address, taken relative to the document's own where it has no host."""
        value = self.text(name).strip()
        return absolute(value, self._base_url) if value else None

    def method(self, name: str = "method") -> str:
        return self.one_of(name, ("GET", "POST", "get", "post"), "POST").upper()

    def _wrong(self, name: str, expected: str) -> CarrierFault:
        return wrong(f"<{self._name} {name}> is {self._values.get(name)!r}, not {expected}")


def absolute(url: str, base_url: str) -> str:
    """An http address, taken relative to the document's own where it has no host. Raises: CarrierFault."""
    parts, base = urlsplit(url), urlsplit(base_url)
    if not parts.netloc:
        path = parts.path if parts.path.startswith("/") else base.path.rsplit("/", 1)[0] + "/" + parts.path
        parts = parts._replace(scheme=base.scheme, netloc=base.netloc, path=path if parts.path else base.path)
    if parts.scheme not in ("http", "https"):
        raise wrong(f"not an http address: {url!r}")
    return urlunsplit(parts)
