"""What cannot be undone is done only after the caller's own yes, which is judged here and never by the model.

The model asks for it in one turn and is told that it is not done yet; it asks the caller; and it asks for the very
same thing again in one of the next turns. It is done if the caller's words since then end with a yes and no other
words of theirs were a no. One thing waits at a time: what is asked for besides takes its place.
"""

from __future__ import annotations

import hashlib
import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from enum import StrEnum
from typing import Any

from shared.domain.tools.assent import Answer, answer_in

_TURNS = 3
"""So many turns after it was asked for, a yes can still belong to it."""


class Verdict(StrEnum):
    DO = "do"
    ASK = "ask"
    """Nothing waits that this would be the confirmation of: the caller is to be asked."""
    REFUSED = "refused"
    """The caller has said no, or something else."""


@dataclass(frozen=True, slots=True)
class Pending:
    """What waits for a yes, since which turn. `done_by`: the key of the request that has used the yes up."""

    fingerprint: str
    turn: int
    done_by: str = ""


def fingerprint(name: str, arguments: Mapping[str, Any]) -> str:
    """The same for the same tool with the same arguments, in whichever order they stand."""
    written = json.dumps([name, arguments], sort_keys=True, ensure_ascii=True)
    return hashlib.sha256(written.encode()).hexdigest()


def words_of(name: str, arguments: Mapping[str, Any]) -> str:
    """What a caller may repeat who says yes to just this: its name, and the values that it would be done with."""
    values = (str(value) for value in arguments.values() if isinstance(value, str | int | float))
    return " ".join((name.replace("_", " "), *values))


def judge(
    pending: Pending | None,
    asked: str,
    *,
    turn: int,
    key: str,
    heard: Sequence[str],
    language: str,
    about: str = "",
) -> Verdict:
    """`asked`: the fingerprint of what is to be done now, in `turn`; `heard`: the caller's words of the last turns,
    this one's last; `about`: `words_of` it.
    """
    if pending is None or pending.fingerprint != asked:
        return Verdict.ASK
    if pending.done_by:
        return Verdict.DO if pending.done_by == key else Verdict.ASK
    since = turn - pending.turn
    if not 1 <= since <= _TURNS or len(heard) < since:
        return Verdict.ASK
    answers = [answer_in(words, language, about) for words in heard[-since:]]
    if Answer.NO in answers:
        return Verdict.REFUSED
    return Verdict.DO if answers[-1] is Answer.YES else Verdict.REFUSED
