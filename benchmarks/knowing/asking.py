"""Puts the documents in an index as the app does, asks the questions, and counts what was found."""

from __future__ import annotations

import json
import time
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path

from benchmarks.measuring.distribution import Distribution
from shared.adapters.documents.reader import ProcessDocumentReader
from shared.domain.agents.knowledge import KnowledgeUse
from shared.domain.knowledge.chunking import passage_ids, passages_of
from shared.domain.knowledge.kinds import DocumentKind
from shared.ports.knowledge import Embeddings, Knowledge, Passage
from shared.use_cases.knowledge.ingest_document import embedded

FOLDER = Path(__file__).parent
TENANT, COLLECTION = "benchmark", "benchmark"
MOST = 5
UNKNOWN = "Not to be known"
"""Questions to which the documents have no answer."""


@dataclass(frozen=True, slots=True)
class Answered:
    """`rank`: of the passage that answers, from 1; None where it is not among the first `MOST`."""

    kind: str
    rank: int | None
    best: float
    taken_ms: float


@dataclass(frozen=True, slots=True)
class Tally:
    """One kind of questions. `below_threshold`: what an agent says it does not know."""

    kind: str
    count: int
    hit_at_1: float | None
    hit_at_5: float | None
    below_threshold: float
    latency_ms: Distribution | None


def questions() -> Iterator[tuple[str, str, str]]:
    """Kind, question, and the heading under which its answer stands."""
    content: dict[str, list[list[str]]] = json.loads((FOLDER / "questions.json").read_text(encoding="utf-8"))
    for kind, pairs in content.items():
        for question, heading in pairs:
            yield kind, question, heading


async def put_documents(knowledge: Knowledge, embeddings: Embeddings) -> int:
    """How many passages there are."""
    passages: list[Passage] = []
    for path in sorted(FOLDER.glob("*.md")):
        document = await ProcessDocumentReader().read(path.read_bytes(), DocumentKind.MARKDOWN)
        cuts = list(passages_of(document))
        ids = passage_ids(COLLECTION, path.stem, document.title, "", cuts)
        passages += [
            Passage(passage_id, COLLECTION, path.stem, document.title, cut.place, cut.text)
            for passage_id, cut in zip(ids, cuts, strict=True)
        ]
    vectors = await embeddings.embed([embedded(each) for each in passages], is_question=False)
    await knowledge.put(TENANT, passages, vectors)
    return len(passages)


async def ask(knowledge: Knowledge, embeddings: Embeddings) -> list[Answered]:
    """Each question once, as in a call: its vector is made, then it is looked up."""
    answered = []
    for kind, question, heading in questions():
        began_s = time.perf_counter()
        vector = (await embeddings.embed([question], is_question=True))[0]
        found = await knowledge.search(TENANT, [COLLECTION], question, vector, most=MOST)
        taken_ms = (time.perf_counter() - began_s) * 1000
        places = [each.place.rpartition(" › ")[2] for each in found]
        rank = places.index(heading) + 1 if heading in places else None
        answered.append(Answered(kind, rank, found[0].score if found else 0.0, taken_ms))
    return answered


def tallies(answered: Sequence[Answered], threshold: float = KnowledgeUse().threshold) -> list[Tally]:
    """One for each kind, in the order of the questions."""
    result = []
    for kind in dict.fromkeys(each.kind for each in answered):
        these = [each for each in answered if each.kind == kind]
        known = kind != UNKNOWN
        result.append(
            Tally(
                kind,
                len(these),
                _share(each.rank == 1 for each in these) if known else None,
                _share(each.rank is not None for each in these) if known else None,
                _share(each.best < threshold for each in these),
                Distribution.of(each.taken_ms for each in these),
            )
        )
    return result


def _share(values: Iterable[bool]) -> float:
    """In per cent."""
    listed = list(values)
    return round(100 * sum(listed) / len(listed), 1)
