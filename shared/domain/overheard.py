"""What was overheard of a call that we can only listen to: one speech after the other, of both sides.

In the pipe (`shared.domain.pipe_names.overheard`) an entry is a speech, or only tells how far was listened.
"""

from __future__ import annotations

import json
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import asdict, dataclass

Fields = Mapping[bytes, bytes]
"""Of an entry."""
CONTENT_TYPE = "application/x-ndjson"


@dataclass(frozen=True, slots=True)
class Overheard:
    """`side` is `caller`, or `agent`: whoever the caller hears. Moments are Unix milliseconds."""

    side: str
    text: str
    began_ms: int
    ended_ms: int


def place_in(position: str) -> tuple[int, int]:
    milliseconds, _, number = position.partition("-")
    return int(milliseconds), int(number)


def read(entries: Iterable[Fields]) -> list[Overheard]:
    """In the order in which they began."""
    speeches = [_speech(fields) for fields in entries if b"text" in fields]
    return sorted(speeches, key=lambda speech: (speech.began_ms, speech.side))


def heard_until(entries: Iterable[Fields]) -> dict[str, int]:
    """By side: until when all that was said is written down."""
    until_ms: dict[str, int] = {}
    for speech in read(entries):
        until_ms[speech.side] = max(speech.ended_ms, until_ms.get(speech.side, 0))
    return until_ms


def file_of(tenant_id: str, call_id: str) -> str:
    return f"{tenant_id}/{call_id}/overheard.jsonl"


def to_lines(speeches: Sequence[Overheard]) -> bytes:
    return "".join(json.dumps(asdict(speech), ensure_ascii=False) + "\n" for speech in speeches).encode()


def from_lines(content: bytes) -> list[Overheard]:
    """Raises: ValueError, KeyError for what `to_lines` has not made."""
    documents = [json.loads(line) for line in content.decode().splitlines()]
    return [Overheard(one["side"], one["text"], int(one["began_ms"]), int(one["ended_ms"])) for one in documents]


def _speech(fields: Fields) -> Overheard:
    side, text = fields[b"side"].decode(), fields[b"text"].decode()
    return Overheard(side, text, int(fields[b"began_ms"]), int(fields[b"ended_ms"]))
