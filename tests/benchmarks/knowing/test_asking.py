"""The benchmark of knowledge counts what it says, over questions whose answers are there."""

from __future__ import annotations

import json

from benchmarks.knowing.asking import FOLDER, UNKNOWN, Answered, ask, put_documents, questions, tallies
from tests.fakes.knowledge import FakeEmbeddings, FakeKnowledge


def test_each_question_has_its_passage() -> None:
    headings = {
        line.removeprefix("## ")
        for path in FOLDER.glob("*.md")
        for line in path.read_text(encoding="utf-8").splitlines()
        if line.startswith("## ")
    }
    asked = list(questions())
    assert len({question for _, question, _ in asked}) == len(asked)
    assert {heading for kind, _, heading in asked if kind != UNKNOWN} <= headings
    assert {kind for kind, _, heading in asked if not heading} == {UNKNOWN}
    assert set(json.loads((FOLDER / "questions.json").read_text(encoding="utf-8"))) >= {"English", "Hindi"}


def test_tallies() -> None:
    answered = [
        Answered("English", 1, 0.9, 10.0),
        Answered("English", 3, 0.5, 20.0),
        Answered("English", None, 0.3, 30.0),
        Answered("English", 1, 0.8, 40.0),
        Answered(UNKNOWN, None, 0.1, 5.0),
        Answered(UNKNOWN, None, 0.6, 5.0),
    ]
    english, unknown = tallies(answered, threshold=0.4)
    assert (english.count, english.hit_at_1, english.hit_at_5, english.below_threshold) == (4, 50.0, 75.0, 25.0)
    assert english.latency_ms is not None
    assert english.latency_ms.p50 == 20.0
    assert (unknown.hit_at_1, unknown.below_threshold) == (None, 50.0)


async def test_documents_are_put_and_asked() -> None:
    knowledge, embeddings = FakeKnowledge(), FakeEmbeddings()
    assert await put_documents(knowledge, embeddings) == len(knowledge.rows) > 30
    answered = await ask(knowledge, embeddings)
    assert len(answered) == len(list(questions()))
    assert any(each.rank == 1 for each in answered)
