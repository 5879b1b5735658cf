"""The document with which an app tells the carrier what to do with a call, read strictly and safely."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Final
from urllib.parse import urlsplit, urlunsplit
from xml.parsers import expat

from local_stack.phones.twilio.faults import CarrierFault, ErrorCode

MAX_BYTES: Final = 64 * 1024
_MAX_PARAMETER_CHARS: Final = 500
_LOOPBACK: Final = ("localhost", "127.0.0.1", "::1")


@dataclass
class Element:
    """One element of the document; `text` is what stands directly in it."""

    name: str
    attributes: Mapping[str, str]
    children: list[Element] = field(default_factory=list)
    text: str = ""


@dataclass(frozen=True)
class Stream:
    """`<Connect><Stream>`: a bidirectional media stream. `url` bears no query any more."""

    url: str
    name: str
    parameters: Mapping[str, str]
    status_callback: str | None = None
    status_callback_method: str = "POST"
    action: str | None = None
    """Where `<Connect>` asks what comes next once the stream has ended."""
    action_method: str = "POST"


@dataclass(frozen=True)
class Say:
    text: str


@dataclass(frozen=True)
class Pause:
    seconds: float


@dataclass(frozen=True)
class Redirect:
    url: str
    method: str = "POST"


@dataclass(frozen=True)
class Reject:
    reason: str = "rejected"


@dataclass(frozen=True)
class Hangup:
    pass


Verb = Stream | Say | Pause | Redirect | Reject | Hangup


def parse(document: bytes, base_url: str) -> list[Verb]:
    """The verbs in order. Relative addresses are taken from `base_url`. Raises: CarrierFault."""
    root = _read_xml(document)
    if root.name != "Response":
        raise CarrierFault(ErrorCode.DOCUMENT_PARSE_FAILURE, f"the root is <{root.name}>, not <Response>")
    return [_verb(element, base_url) for element in root.children]


def _read_xml(document: bytes) -> Element:
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
        open_elements[-1].text += data

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


def _verb(element: Element, base_url: str) -> Verb:
    attributes = element.attributes
    match element.name:
        case "Connect":
            return _connect(element, base_url)
        case "Say":
            return Say(element.text.strip())
        case "Pause":
            return Pause(_seconds(attributes.get("length", "1")))
        case "Redirect":
            return Redirect(absolute(element.text.strip(), base_url), _method(attributes.get("method")))
        case "Reject":
            return Reject(attributes.get("reason", "rejected"))
        case "Hangup":
            return Hangup()
    raise CarrierFault(ErrorCode.SCHEMA_VALIDATION, f"<{element.name}> is not played by this phone simulator")


def _connect(element: Element, base_url: str) -> Stream:
    if len(element.children) != 1 or element.children[0].name != "Stream":
        nouns = ", ".join(f"<{child.name}>" for child in element.children) or "nothing"
        raise CarrierFault(ErrorCode.SCHEMA_VALIDATION, f"<Connect> holds {nouns} instead of one <Stream>")
    stream = element.children[0]
    callback, action = stream.attributes.get("statusCallback"), element.attributes.get("action")
    if stream.attributes.get("track", "inbound_track") != "inbound_track":
        raise CarrierFault(ErrorCode.SCHEMA_VALIDATION, "<Connect><Stream> carries inbound_track only")
    return Stream(
        url=_stream_url(stream.attributes.get("url", "")),
        name=stream.attributes.get("name", ""),
        parameters=dict(_parameter(child) for child in stream.children),
        status_callback=absolute(callback, base_url) if callback else None,
        status_callback_method=_method(stream.attributes.get("statusCallbackMethod")),
        action=absolute(action, base_url) if action else None,
        action_method=_method(element.attributes.get("method")),
    )


def _stream_url(url: str) -> str:
    """The address without its query, which the carrier drops. `ws` is let through on this machine only."""
    parts = urlsplit(url)
    if not parts.hostname:
        raise CarrierFault(ErrorCode.SCHEMA_VALIDATION, f"<Stream> has no usable url: {url!r}")
    if parts.scheme != "wss" and not (parts.scheme == "ws" and parts.hostname in _LOOPBACK):
        raise CarrierFault(ErrorCode.STREAM_URL_SCHEME, f"<Stream url> must be wss, it is {parts.scheme!r}")
    return urlunsplit((parts.scheme, parts.netloc, parts.path, "", ""))


def _parameter(element: Element) -> tuple[str, str]:
    name, value = element.attributes.get("name", ""), element.attributes.get("value", "")
    if element.name != "Parameter" or not name:
        raise CarrierFault(ErrorCode.SCHEMA_VALIDATION, f"<Stream> holds <{element.name}> without a name")
    if len(name) + len(value) > _MAX_PARAMETER_CHARS:
        raise CarrierFault(ErrorCode.SCHEMA_VALIDATION, f"<Parameter> {name!r} is longer than 500 characters")
    return name, value


def absolute(url: str, base_url: str) -> str:
    """An http address, taken relative to the document's own where it has no host. Raises: CarrierFault."""
    parts, base = urlsplit(url), urlsplit(base_url)
    if not parts.netloc:
        path = parts.path if parts.path.startswith("/") else base.path.rsplit("/", 1)[0] + "/" + parts.path
        parts = parts._replace(scheme=base.scheme, netloc=base.netloc, path=path if parts.path else base.path)
    if parts.scheme not in ("http", "https"):
        raise CarrierFault(ErrorCode.SCHEMA_VALIDATION, f"not an http address: {url!r}")
    return urlunsplit(parts)


def _method(text: str | None) -> str:
    method = (text or "POST").upper()
    if method not in ("GET", "POST"):
        raise CarrierFault(ErrorCode.SCHEMA_VALIDATION, f"method {text!r} is neither GET nor POST")
    return method


def _seconds(text: str) -> float:
    if not text.isdigit():
        raise CarrierFault(ErrorCode.SCHEMA_VALIDATION, f"<Pause length> is not a whole number: {text!r}")
    return float(text)
