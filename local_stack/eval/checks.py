"""What a scenario expects, held against what was observed: one line a statement, with what was there instead."""

from __future__ import annotations

import math
import re
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from enum import StrEnum
from typing import Any, Final

from local_stack.eval.observed import Observed, TurnSeen
from local_stack.eval.scenario import OfCall, OfTurn, Scenario, ToolUse, Words

_SHOWN_CHARS: Final = 160


class Verdict(StrEnum):
    PASSED = "passed"
    FAILED = "failed"
    SKIPPED = "skipped"


@dataclass(frozen=True)
class Check:
    """One statement about the call, or about `turn`. `found`: what was there, or why it was passed over."""

    what: str
    verdict: Verdict
    found: str = ""
    turn: int | None = None


def check_all(scenario: Scenario, seen: Observed) -> list[Check]:
    """All that needs no model."""
    found = [check for expected in scenario.turns for check in _of_turn(expected, seen)]
    return [*found, *_of_call(scenario.call, seen)]


def _of_turn(expected: OfTurn, seen: Observed) -> Iterator[Check]:
    number = expected.turn
    turn = next((each for each in seen.turns if each.number == number), None)
    if turn is None:
        yield Check(f"there is turn {number}", Verdict.FAILED, f"the last is {len(seen.turns) - 1}", number)
        return
    yield from _words("the agent says", expected.said, turn.said, number)
    yield from _words("the caller is heard to say", expected.heard, turn.heard, number)
    if expected.outcome:
        yield _equal("the turn is", expected.outcome, turn.outcome, number)
    if expected.within_ms is not None:
        yield _within(expected.within_ms, turn)
    for document in expected.cites:
        yield _check(document in turn.cites, f"the answer cites {document}", _listed(turn.cites), number)


def _within(limit_ms: float, turn: TurnSeen) -> Check:
    waited = turn.wait_ms
    passed = waited is not None and waited <= limit_ms
    found = "the wait is not known" if waited is None else f"{waited:.0f} ms"
    return _check(passed, f"the answer begins within {limit_ms:.0f} ms", found, turn.number)


def _of_call(expected: OfCall, seen: Observed) -> Iterator[Check]:
    record = seen.record
    yield from _words("the agent says", expected.said, seen.said)
    yield from _words("operators see", expected.shown, seen.shown_words)
    yield from _words("the model's rules have", expected.instructions, seen.instructions)
    yield from _words("the model is given", expected.told, seen.told)
    for use in expected.tools:
        yield _tool(use, seen.journal)
    for name in expected.no_tools:
        times = sum(entry["name"] == name for entry in seen.journal)
        yield _check(times == 0, f"{name} is not called", _times(times))
    if expected.language:
        yield _equal("the call's language is", expected.language, str(record.get("language") or "not noted"))
    if expected.end_reason:
        yield _equal("the call ends because", expected.end_reason, str(record.get("end_reason") or "unknown"))
    if expected.interrupted_turns is not None:
        count = sum(turn.outcome == "interrupted" for turn in seen.turns)
        yield _equal("turns that were interrupted:", str(expected.interrupted_turns), str(count))
    for name, limit_ms in expected.first_sound_ms.items():
        yield _percentile(name, limit_ms, seen.waits_ms)
    yield from _understood(expected, seen.understood or {})
    if expected.result:
        yield _equal("the call came to", expected.result, str((seen.analysis or {}).get("outcome") or "not known"))
    extracted = (seen.analysis or {}).get("extracted") or {}
    for name, value in expected.extracted.items():
        if isinstance(value, Words):
            yield from _words(f"extracted: {name} has", value, str(extracted.get(name, "")))
        else:
            passed = _same(extracted.get(name), value)
            yield _check(passed, f"extracted: {name} is {value!r}", _known(extracted, name))


def _understood(expected: OfCall, understood: Mapping[str, Any]) -> Iterator[Check]:
    if expected.intent:
        yield _equal("the caller wants", expected.intent, str(understood.get("intent") or "nothing known"))
    slots = understood.get("slots") or {}
    for name, value in expected.slots.items():
        what = f"understood: {name} is " + ("known" if value is True else repr(value))
        found = (slots.get(name) or {}).get("value")
        passed = name in slots if value is True else _same(found, value)
        yield _check(passed, what, f"known are {_listed(slots)}" if value is True else repr(found))


def _listed(names: Iterable[str]) -> str:
    return ", ".join(names) or "none"


def _known(values: Mapping[str, Any], name: str) -> str:
    return repr(values[name]) if name in values else f"there is none; there are {_listed(values)}"


def _same(found: Any, wanted: Any) -> bool:
    """Texts in letters of either case."""
    if isinstance(found, str) and isinstance(wanted, str):
        return _plain(found) == _plain(wanted)
    return bool(found == wanted)


def _words(who: str, expected: Words, text: str, turn: int | None = None) -> Iterator[Check]:
    plain = _plain(text)
    held = {f"{who} {words!r}": _plain(words) in plain for words in expected.contains}
    held |= {f"{who} nothing of {words!r}": _plain(words) not in plain for words in expected.without}
    for pattern in expected.matches:
        held[f"{who} what matches /{pattern}/"] = re.search(pattern, text, re.IGNORECASE) is not None
    for what, passed in held.items():
        yield _check(passed, what, "" if passed else _short(text), turn)


def _plain(text: str) -> str:
    return " ".join(text.casefold().split())


def _tool(use: ToolUse, journal: Sequence[Mapping[str, Any]]) -> Check:
    calls = [entry for entry in journal if entry["name"] == use.name]
    fitting = [call for call in calls if _has(call["arguments"], use.arguments)]
    wanted = (
        "" if not use.arguments else " with " + ", ".join(f"{key}={value!r}" for key, value in use.arguments.items())
    )
    times = "" if use.times is None else f" {_times(use.times)}"
    passed = len(fitting) == use.times if use.times is not None else bool(fitting)
    shown = "; ".join(str(call["arguments"]) for call in calls) or "never called"
    return _check(passed, f"{use.name} is called{times}{wanted}", _short(shown))


def _times(number: int) -> str:
    return {0: "never", 1: "once", 2: "twice"}.get(number, f"{number} times")


def _has(given: Mapping[str, Any], wanted: Mapping[str, Any]) -> bool:
    """Letters of either case, and numbers whether they are written as text or not."""
    return all(name in given and _plain(str(given[name])) == _plain(str(value)) for name, value in wanted.items())


def _percentile(name: str, limit_ms: float, waits_ms: Sequence[float]) -> Check:
    """Nearest rank, so that it is a wait that really was."""
    what = f"{name} of the waits for a first sound is at most {limit_ms:.0f} ms"
    if not waits_ms:
        return Check(what, Verdict.FAILED, "no wait is known")
    ordered = sorted(waits_ms)
    found = ordered[max(0, math.ceil(int(name[1:]) / 100 * len(ordered)) - 1)]
    return _check(found <= limit_ms, what, f"{found:.0f} ms; waits: {len(ordered)}")


def _equal(what: str, wanted: str, found: str, turn: int | None = None) -> Check:
    return _check(wanted == found, f"{what} {wanted}", found, turn)


def _check(passed: bool, what: str, found: str, turn: int | None = None) -> Check:
    return Check(what, Verdict.PASSED if passed else Verdict.FAILED, found, turn)


def _short(text: str) -> str:
    flat = " ".join(text.split())
    return flat if len(flat) <= _SHOWN_CHARS else flat[:_SHOWN_CHARS] + " …"
