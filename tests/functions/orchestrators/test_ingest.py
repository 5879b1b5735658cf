"""A document is read, indexed step by step, finished; after that it is looked for news, whatever happened."""

from __future__ import annotations

import pytest

from functions.orchestrators import ingest
from shared.domain.knowledge.documents import IngestRequest
from tests.functions.orchestrators.engine import Run

REQUEST = IngestRequest("tenant", "shop", "faq")


@pytest.fixture
def run() -> Run:
    return Run(ingest.ingest, REQUEST.to_json())


def test_nothing_to_do_is_the_end_of_it(run: Run) -> None:
    run.complete("begin_ingestion", ["nothing", 0])
    assert (run.is_over, run.context.continued_with) == (True, None)


def test_a_document_goes_through_all_steps(run: Run) -> None:
    run.complete("begin_ingestion", ["read", 7])
    assert run.context.inputs["read_document"]["revision"] == 7
    run.complete("read_document", 70)
    run.complete("index_passages", 64)
    assert [run.context.inputs[name]["first"] for name in ("index_passages", "index_passages 2")] == [0, 64]
    run.complete("index_passages 2", 70)
    run.complete("finish_ingestion", 70)
    assert run.is_over
    assert run.context.continued_with == REQUEST.to_json()
    assert "give_up_ingestion" not in run.context.tasks


@pytest.mark.parametrize("at", ["read_document", "index_passages", "finish_ingestion"])
def test_what_is_overtaken_is_left_and_looked_at_anew(run: Run, at: str) -> None:
    run.complete("begin_ingestion", ["read", 7])
    for name, result in (("read_document", 5), ("index_passages", 5), ("finish_ingestion", 5)):
        run.complete(name, -1 if name == at else result)
        if name == at:
            break
    assert run.is_over
    assert run.context.continued_with == REQUEST.to_json()


@pytest.mark.parametrize("at", ["read_document", "index_passages", "finish_ingestion"])
def test_what_cannot_be_done_is_given_up(run: Run, at: str) -> None:
    run.complete("begin_ingestion", ["read", 7])
    for name, result in (("read_document", 5), ("index_passages", 5), ("finish_ingestion", 5)):
        if name == at:
            run.fail(name)
            break
        run.complete(name, result)
    assert run.context.inputs["give_up_ingestion"]["revision"] == 7
    run.complete("give_up_ingestion", -1)
    assert run.is_over
    assert run.context.continued_with == REQUEST.to_json()


def test_what_is_to_be_deleted_is_erased(run: Run) -> None:
    run.complete("begin_ingestion", ["erase", 9])
    assert run.context.inputs["erase_document"]["revision"] == 9
    assert run.context.retries["erase_document"] >= 100
    run.complete("erase_document", 0)
    assert run.context.continued_with == REQUEST.to_json()
