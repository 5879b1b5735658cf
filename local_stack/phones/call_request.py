"""A wish for a call, as JSON, made into the options of one; each mistake has a clear one-line answer."""

from __future__ import annotations

import base64
import binascii
from collections.abc import Mapping, Sequence
from dataclasses import fields
from pathlib import Path
from typing import Any, Final

from local_stack.phones import utterance
from local_stack.phones.conversation import Plan
from local_stack.phones.exchange import CallWish
from local_stack.phones.lines import DEFAULT_FROM, DEFAULT_LINE, LINES
from local_stack.phones.people import CalledPerson, Callee
from local_stack.phones.switchboard import NoSuchLine, Switchboard

_PLAN_FIELDS: Final = {field.name: field.type for field in fields(Plan)}
_MAY_BE_NULL: Final = frozenset({"turns", "hang_up_in_reply_after_ms"})
_CALL_FIELDS: Final = frozenset({"provider", "from", "to", "app_url", "max_call_ms", "murmur"})
_PERSON_FIELDS: Final = frozenset({"callee", "ring_ms"})
_COMMON_FIELDS: Final = frozenset({"utterances", "misbehaviours", *_PLAN_FIELDS})


class BadRequest(ValueError):
    """The wish cannot be granted; the message says why in one line."""


def call_wish(wish: object, switchboard: Switchboard, app_url: str) -> CallWish:
    """A call from a person to the app. `provider` names the line. Raises: BadRequest, UnusableAudio."""
    line = (_text(wish, "provider") if isinstance(wish, dict) else None) or DEFAULT_LINE
    try:
        exchange = switchboard.serving(line)
    except NoSuchLine as error:
        raise BadRequest(str(error)) from None
    wanted = _object(wish, _CALL_FIELDS | _COMMON_FIELDS | exchange.extra_fields)
    try:
        return CallWish(
            line=line,
            from_number=_text(wanted, "from") or DEFAULT_FROM,
            to_number=_text(wanted, "to") or LINES[line].number,
            app_url=(_text(wanted, "app_url") or app_url).rstrip("/"),
            utterances=_utterances(wanted),
            plan=_plan(wanted),
            murmur=spoken_utterance(wanted["murmur"]) if wanted.get("murmur") is not None else None,
            misbehaviours=_misbehaviours(wanted, exchange.misbehaviours),
            max_call_ms=_number(wanted, "max_call_ms", 300_000),
            extra={name: wanted[name] for name in exchange.extra_fields & wanted.keys()},
        )
    except BadRequest:
        raise
    except ValueError as error:
        raise BadRequest(str(error)) from None


def called_person(wish: object, switchboard: Switchboard) -> CalledPerson:
    """How a called number behaves, whichever provider calls it. Raises: BadRequest, UnusableAudio."""
    wanted = _object(wish, _PERSON_FIELDS | _COMMON_FIELDS)
    try:
        callee = Callee(_text(wanted, "callee") or Callee.ANSWERS)
    except ValueError:
        raise BadRequest(f"callee is one of {', '.join(Callee)}") from None
    if "m" in (_text(wanted, "pattern") or ""):
        raise BadRequest("who is called does not murmur: the pattern has no m")
    known = frozenset[str]().union(*(exchange.misbehaviours for exchange in switchboard.exchanges))
    return CalledPerson(
        callee, _number(wanted, "ring_ms", 500), _utterances(wanted), _plan(wanted), _misbehaviours(wanted, known)
    )


def _object(wish: object, known: frozenset[str]) -> Mapping[str, Any]:
    if not isinstance(wish, dict):
        raise BadRequest("the body is not a JSON object")
    if unknown := sorted(set(wish) - known):
        raise BadRequest(f"unknown field {unknown[0]!r}; known are {', '.join(sorted(known))}")
    return wish


def _text(wanted: Mapping[str, Any], name: str) -> str | None:
    value = wanted.get(name)
    if value is not None and not isinstance(value, str):
        raise BadRequest(f"{name} is not a text")
    return value


def _number(wanted: Mapping[str, Any], name: str, default: int) -> int:
    value = wanted.get(name, default)
    if isinstance(value, bool) or not isinstance(value, int) or not 0 <= value <= 86_400_000:
        raise BadRequest(f"{name} is not a whole number from 0 to 86400000")
    return value


def _plan(wanted: Mapping[str, Any]) -> Plan:
    given: dict[str, Any] = {}
    for name in _PLAN_FIELDS.keys() & wanted.keys():
        match name:
            case "speaks" | "improvises":
                if not isinstance(wanted[name], bool):
                    raise BadRequest(f"{name} is true or false")
                given[name] = wanted[name]
            case "pattern":
                given[name] = _text(wanted, name)
            case _:
                unset = wanted[name] is None and name in _MAY_BE_NULL
                given[name] = None if unset else _number(wanted, name, 0)
    try:
        plan = Plan(**given)
    except ValueError as error:
        raise BadRequest(str(error)) from None
    if plan.speaks and not plan.improvises and not wanted.get("utterances"):
        raise BadRequest('utterances is missing or empty; a caller who says nothing is {"speaks": false}')
    return plan


def _misbehaviours(wanted: Mapping[str, Any], known: frozenset[str]) -> frozenset[str]:
    names = wanted.get("misbehaviours", [])
    if not isinstance(names, list) or not all(isinstance(name, str) and name in known for name in names):
        raise BadRequest(f"misbehaviours is a list of {', '.join(sorted(known))}")
    return frozenset(names)


def _utterances(wanted: Mapping[str, Any]) -> Sequence[utterance.Utterance]:
    given = wanted.get("utterances", [])
    if not isinstance(given, list):
        raise BadRequest("utterances is not a list")
    return tuple(spoken_utterance(one) for one in given)


def spoken_utterance(one: object) -> utterance.Utterance:
    """`file` (a path on this machine), `wav_base64` or `digits`; `text` are the words, `label` a name.

    Raises: BadRequest, UnusableAudio.
    """
    spoken = _object(one, frozenset({"file", "wav_base64", "digits", "text", "label"}))
    text, label = _text(spoken, "text"), _text(spoken, "label")
    if digits := _text(spoken, "digits"):
        return utterance.from_digits(digits)
    if path := _text(spoken, "file"):
        return utterance.from_file(Path(path), text)
    try:
        data = base64.b64decode(_text(spoken, "wav_base64") or "", validate=True)
    except binascii.Error:
        raise BadRequest("wav_base64 is not base64") from None
    return utterance.from_wav(data, label or "recording", text)
