"""Passages follow the document's structure; their ids follow their content."""

from __future__ import annotations

from itertools import pairwise

from hypothesis import given
from hypothesis import strategies as st

from shared.domain.knowledge.blocks import Block, BlockKind, ReadDocument
from shared.domain.knowledge.chunking import (
    OVERLAP_CHARACTERS,
    TARGET_CHARACTERS,
    Cut,
    passage_ids,
    passages_of,
)

HEADING, ROW = BlockKind.HEADING, BlockKind.ROW


def cuts(*blocks: Block) -> list[Cut]:
    return list(passages_of(ReadDocument("T", blocks)))


def ids(
    found: list[Cut], *, collection: str = "shop", document: str = "faq", title: str = "T", model: str = "m"
) -> list[str]:
    return passage_ids(collection, document, title, model, found)


def test_headings_part_and_name_passages() -> None:
    found = cuts(
        Block("Before."),
        Block("Shop", HEADING, 1),
        Block("Hours", HEADING, 2),
        Block("Nine to six."),
        Block("Closed on Sunday."),
        Block("Prices", HEADING, 2),
        Block("Low."),
        Block("Clinic", HEADING, 1),
        Block("Open."),
    )
    assert found == [
        Cut("", "Before."),
        Cut("Shop › Hours", "Nine to six. Closed on Sunday."),
        Cut("Shop › Prices", "Low."),
        Cut("Clinic", "Open."),
    ]


def test_pages_part_passages() -> None:
    assert cuts(Block("One.", page=1), Block("Two.", page=2)) == [Cut("page 1", "One."), Cut("page 2", "Two.")]


def test_each_row_is_a_passage() -> None:
    assert cuts(Block("Before."), Block("a: 1", ROW), Block("a: 2", ROW)) == [
        Cut("", "Before."),
        Cut("", "a: 1"),
        Cut("", "a: 2"),
    ]


def test_long_text_is_cut_between_sentences_and_overlaps() -> None:
    sentences = [f"This is the sentence number {number} of a long paragraph." for number in range(40)]
    found = cuts(Block(" ".join(sentences)))
    assert len(found) > 3
    for before, after in pairwise(found):
        shared = [sentence for sentence in sentences if sentence in before.text and sentence in after.text]
        assert shared
        assert sum(map(len, shared)) <= OVERLAP_CHARACTERS
        assert after.text.startswith(shared[0])
    assert all(any(sentence in cut.text for cut in found) for sentence in sentences)


def test_hindi_sentences_end_with_a_danda() -> None:
    found = cuts(Block("दुकान सुबह नौ बजे खुलती है। " * 60))
    assert len(found) > 1
    assert all(cut.text.endswith("।") for cut in found)


@given(
    st.lists(st.builds(Block, st.text(max_size=2_000), st.sampled_from(BlockKind), st.integers(0, 6)), max_size=12)
)
def test_nothing_is_lost_and_nothing_is_too_long(blocks: list[Block]) -> None:
    found = cuts(*blocks)
    assert all(0 < len(cut.text) <= TARGET_CHARACTERS + OVERLAP_CHARACTERS for cut in found)
    everything = "".join("".join(cut.text.split()) for cut in found)
    for block in blocks:
        if block.kind is not HEADING:
            assert all(word[:100] in everything for word in block.text.split())
    assert len(set(ids(found))) == len(found)


def test_ids_stay_where_content_stays() -> None:
    old = cuts(Block("A", HEADING, 1), Block("One."), Block("B", HEADING, 1), Block("Two."))
    new = cuts(Block("New", HEADING, 1), Block("Zero."), Block("B", HEADING, 1), Block("Two."), Block("Three."))
    assert ids(old)[1] not in ids(new), "its passage says more now"
    moved = cuts(Block("B", HEADING, 1), Block("Two."), Block("A", HEADING, 1), Block("One."))
    assert set(ids(old)) == set(ids(moved))


def test_ids_are_of_all_that_an_index_keeps() -> None:
    found = cuts(Block("One."))
    variants = [
        ids(found),
        ids(found, collection="hr"),
        ids(found, document="other"),
        ids(found, title="Other"),
        ids(found, model="other"),
        ids([Cut("place", "One.")]),
    ]
    assert len({each[0] for each in variants}) == len(variants)


def test_the_same_twice_has_two_ids() -> None:
    found = [Cut("", "a: 1"), Cut("", "a: 1")]
    assert len(set(ids(found))) == 2
