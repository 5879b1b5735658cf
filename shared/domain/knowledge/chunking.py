"""Cuts a document into passages along its own structure: never across headings or pages, with some overlap."""

from __future__ import annotations

import hashlib
import json
import re
from collections import Counter
from collections.abc import Iterator
from dataclasses import dataclass, field

from shared.domain.knowledge.blocks import Block, BlockKind, ReadDocument

TARGET_CHARACTERS = 600
"""About 150 tokens of English: some sentences about one thing, and little to read for a model."""
OVERLAP_CHARACTERS = 120
_DEEPEST_HEADING = 3
_LONGEST_HEADING = 120
_SENTENCE_ENDS = re.compile(r"(?<=[.!?।॥…])\s+|\n+")


@dataclass(frozen=True, slots=True)
class Cut:
    """A passage before it has an id. `place`: under which headings, or on which page."""

    place: str
    text: str


def passages_of(document: ReadDocument) -> Iterator[Cut]:
    """In the document's order."""
    headings: dict[int, str] = {}
    gathering = _Gathering("")
    for block in document.blocks:
        if block.kind is BlockKind.HEADING:
            yield from gathering.rest()
            headings = {level: text for level, text in headings.items() if level < block.level}
            headings[block.level] = block.text[:_LONGEST_HEADING]
            gathering = _Gathering(_place(headings, block))
            continue
        place = _place(headings, block)
        if place != gathering.place:
            yield from gathering.rest()
            gathering = _Gathering(place)
        if block.kind is BlockKind.ROW:
            yield from gathering.rest()
            yield from (Cut(place, piece) for piece in _bounded(block.text))
        else:
            for sentence in _SENTENCE_ENDS.split(block.text):
                yield from gathering.add(" ".join(sentence.split()))
    yield from gathering.rest()


def passage_ids(collection: str, document_id: str, title: str, model: str, cuts: list[Cut]) -> list[str]:
    """One for each, from all that an index keeps of it and who makes its vector: the same again for what has not
    changed, wherever in the document it stands now.
    """
    seen: Counter[Cut] = Counter()
    ids = []
    for cut in cuts:
        seen[cut] += 1
        content = json.dumps([collection, document_id, title, model, cut.place, cut.text, seen[cut]])
        ids.append(hashlib.sha256(content.encode("utf-8", "surrogatepass")).hexdigest()[:32])
    return ids


@dataclass(slots=True)
class _Gathering:
    """Sentences of one place, until there are enough of them."""

    place: str
    _sentences: list[str] = field(default_factory=list)
    _is_fresh: bool = False
    """Whether there is more in it than the overlap."""

    def add(self, sentence: str) -> Iterator[Cut]:
        for piece in _bounded(sentence):
            if self._is_fresh and self._length() + len(piece) > TARGET_CHARACTERS:
                yield Cut(self.place, " ".join(self._sentences))
                self._sentences = self._overlap(len(piece))
            self._sentences.append(piece)
            self._is_fresh = True

    def rest(self) -> Iterator[Cut]:
        if self._is_fresh:
            yield Cut(self.place, " ".join(self._sentences))
        self._sentences, self._is_fresh = [], False

    def _length(self) -> int:
        return sum(len(sentence) + 1 for sentence in self._sentences)

    def _overlap(self, beside: int) -> list[str]:
        """The last sentences, as far as they are short and leave room."""
        kept: list[str] = []
        for sentence in reversed(self._sentences):
            length = sum(map(len, kept)) + len(sentence)
            if length > OVERLAP_CHARACTERS or length + beside > TARGET_CHARACTERS:
                break
            kept.insert(0, sentence)
        return kept


def _place(headings: dict[int, str], block: Block) -> str:
    levels = sorted(headings)[-_DEEPEST_HEADING:]
    places = [headings[level] for level in levels]
    if block.page:
        places.append(f"page {block.page}")
    return " › ".join(places)


def _bounded(text: str) -> Iterator[str]:
    """The text in pieces that are short enough, cut between words where there are any."""
    rest = text.strip()
    while len(rest) > TARGET_CHARACTERS:
        end = rest.rfind(" ", TARGET_CHARACTERS // 2, TARGET_CHARACTERS)
        end = end if end > 0 else TARGET_CHARACTERS
        yield rest[:end].strip()
        rest = rest[end:].strip()
    if rest:
        yield rest
