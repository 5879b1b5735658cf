"""How an agent behaves in a conversation: how it takes turns, and how late its answers may be."""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping
from dataclasses import asdict, dataclass, fields
from enum import StrEnum
from typing import Any, Self

from shared.domain.errors import InvalidRequest
from shared.domain.telephony.commands import TransferKind, is_e164


class Sensitivity(StrEnum):
    """How readily sound counts as speech: `low` for noisy surroundings, `high` for quiet callers."""

    LOW = "low"
    NORMAL = "normal"
    HIGH = "high"


@dataclass(frozen=True, slots=True)
class HandOver:
    """When the caller presses `key`, the call is put through to `to` (E.164)."""

    key: str
    to: str
    kind: TransferKind = TransferKind.COLD

    def __post_init__(self) -> None:
        """Raises: InvalidRequest."""
        if self.key not in _KEYS:
            raise InvalidRequest("manner", "hand_over.key must be one of 0-9, * and #")
        if not is_e164(self.to):
            raise InvalidRequest("manner", "hand_over.to must be a number in E.164, with +")


@dataclass(frozen=True, slots=True)
class Delegate:
    """An agent of a platform that hears, thinks and speaks itself. `version`: None for its newest."""

    platform: str
    app_id: str
    version: int | None = None


_KEYS = frozenset("0123456789*#")
_PLATFORMS = ("samvaad",)
_TAG = re.compile(r"[A-Za-z]{2,3}(-[A-Za-z0-9]{2,8})*")
_APP_ID = re.compile(r"[A-Za-z0-9_.-]{1,128}")
_MOST_LANGUAGES = 25
_RANGES: dict[str, tuple[int, int]] = {
    "filler_after_ms": (0, 30_000),
    "race_after_ms": (0, 30_000),
    "reply_limit_ms": (1_000, 60_000),
}
_MOST_PHRASES, _LONGEST_PHRASE = 50, 200
_TEXTS, _LONGEST_TEXT = ("apology", "recording_consent"), 500


@dataclass(frozen=True, slots=True, kw_only=True)
class Manner:
    """Times are in milliseconds after the end of the caller's turn; 0 switches the measure off.

    `backchannels`: words that do not interrupt; none: those of the language. `speculates`: whether answers are
    prepared at short pauses. `filler_after_ms`: when a filler is spoken if nothing else is ready; `fillers`: its
    phrases; none: those of the language. `apology`: instead of an answer that cannot be had; none: that of the
    language. `race_after_ms`: how long a provider may take to begin before a second
    one is asked beside it. `reply_limit_ms`: when an answer that does not come is given up, with an apology; if
    nobody lives to do that, the watch does it a second later. `hand_over`: the key by which a caller asks for a
    person; None: there is none. `hand_over_numbers`: numbers (E.164) of persons to whom callers may be put
    through besides, whatever else the tenant may dial. `recording_consent`: what is said first of all where the
    provider records the call too; none: it does not. `languages`: tags of those that a call may switch to; none:
    it stays in the agent's own. `delegate`: who leads the conversation instead of us, where a call's sound can be
    brought there.
    """

    sensitivity: Sensitivity = Sensitivity.NORMAL
    backchannels: tuple[str, ...] = ()
    speculates: bool = True
    filler_after_ms: int = 1500
    fillers: tuple[str, ...] = ()
    apology: str = ""
    race_after_ms: int = 1500
    reply_limit_ms: int = 8000
    hand_over: HandOver | None = None
    hand_over_numbers: tuple[str, ...] = ()
    recording_consent: str = ""
    languages: tuple[str, ...] = ()
    delegate: Delegate | None = None

    def trusts(self, number: str) -> bool:
        """Whether an administrator has said that callers may be put through to this number."""
        return number in self.hand_over_numbers or (self.hand_over is not None and number == self.hand_over.to)

    def to_json(self) -> dict[str, Any]:
        return {field.name: _plain(getattr(self, field.name)) for field in fields(self)}

    @classmethod
    def from_json(cls, document: Mapping[str, Any]) -> Self:
        """Raises: InvalidRequest that names the field; unknown fields are passed over, missing ones have defaults."""
        known = {field.name for field in fields(cls)}
        return cls(**{name: _read(name, value) for name, value in document.items() if name in known})


def _plain(value: Any) -> Any:
    if isinstance(value, HandOver):
        return asdict(value)
    if isinstance(value, Delegate):
        return {value.platform: {"app_id": value.app_id, "version": value.version}}
    return list(value) if isinstance(value, tuple) else value


def _read(name: str, value: Any) -> Any:
    if name in _READERS:
        return _READERS[name](value)
    if name == "sensitivity":
        if value not in list(Sensitivity):
            raise InvalidRequest("manner", f"sensitivity must be one of {', '.join(Sensitivity)}")
        return Sensitivity(value)
    if name == "speculates":
        if not isinstance(value, bool):
            raise InvalidRequest("manner", "speculates must be true or false")
        return value
    if name in _TEXTS:
        if not isinstance(value, str) or len(value) > _LONGEST_TEXT:
            raise InvalidRequest("manner", f"{name} must be a text of at most {_LONGEST_TEXT} characters")
        return value.strip()
    if name in _RANGES:
        low, high = _RANGES[name]
        if isinstance(value, bool) or not isinstance(value, int) or not low <= value <= high:
            raise InvalidRequest("manner", f"{name} must be a whole number from {low} to {high}")
        return value
    if not isinstance(value, list) or len(value) > _MOST_PHRASES:
        raise InvalidRequest("manner", f"{name} must be a list of at most {_MOST_PHRASES} phrases")
    if not all(isinstance(phrase, str) and 0 < len(phrase.strip()) <= _LONGEST_PHRASE for phrase in value):
        raise InvalidRequest("manner", f"each of {name} must be a text of 1 to {_LONGEST_PHRASE} characters")
    return tuple(phrase.strip() for phrase in value)


def _hand_over(value: Any) -> HandOver | None:
    if value is None:
        return None
    if not isinstance(value, Mapping) or not all(isinstance(value.get(name), str) for name in ("key", "to")):
        raise InvalidRequest("manner", "hand_over must be an object with key and to")
    kind = value.get("kind", TransferKind.COLD)
    if kind not in list(TransferKind):
        raise InvalidRequest("manner", f"hand_over.kind must be one of {', '.join(TransferKind)}")
    return HandOver(value["key"], value["to"], TransferKind(kind))


def _hand_over_numbers(value: Any) -> tuple[str, ...]:
    if not isinstance(value, list) or len(value) > _MOST_PHRASES:
        raise InvalidRequest("manner", f"hand_over_numbers must be a list of at most {_MOST_PHRASES} numbers")
    if not all(isinstance(number, str) and is_e164(number) for number in value):
        raise InvalidRequest("manner", "each of hand_over_numbers must be a number in E.164, with +")
    return tuple(value)


def _languages(value: Any) -> tuple[str, ...]:
    if not isinstance(value, list) or len(value) > _MOST_LANGUAGES:
        raise InvalidRequest("manner", f"languages must be a list of at most {_MOST_LANGUAGES} tags")
    if not all(isinstance(tag, str) and _TAG.fullmatch(tag) for tag in value):
        raise InvalidRequest("manner", "each of languages must be a tag such as hi or hi-IN")
    return tuple(value)


def _delegate(value: Any) -> Delegate | None:
    if value is None:
        return None
    platform = next(iter(value), None) if isinstance(value, Mapping) and len(value) == 1 else None
    if platform not in _PLATFORMS or not isinstance(value[platform], Mapping):
        raise InvalidRequest("manner", f"delegate must be an object with one of {', '.join(_PLATFORMS)}")
    app_id, version = value[platform].get("app_id"), value[platform].get("version")
    if not isinstance(app_id, str) or not _APP_ID.fullmatch(app_id):
        raise InvalidRequest("manner", "delegate needs the app_id of an agent")
    if version is not None and (isinstance(version, bool) or not isinstance(version, int) or version < 0):
        raise InvalidRequest("manner", "the version of a delegate is a whole number")
    return Delegate(platform, app_id, version)


_READERS: Mapping[str, Callable[[Any], Any]] = {
    "hand_over": _hand_over,
    "hand_over_numbers": _hand_over_numbers,
    "languages": _languages,
    "delegate": _delegate,
}
