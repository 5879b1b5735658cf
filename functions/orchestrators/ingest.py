"""One document's ingestion: read, indexed some passages at a time, finished; or erased. Before it ends it looks once
more, since a document may be replaced, or taken away, at any moment.
"""

from __future__ import annotations

from collections.abc import Generator
from typing import Any

import azure.durable_functions as df
from azure.durable_functions.models.Task import TaskBase

from functions.orchestrators import steps
from shared.domain.knowledge.documents import IngestRequest
from shared.domain.knowledge.ingestion import OVERTAKEN, Deed

blueprint = df.Blueprint()


@blueprint.orchestration_trigger(context_name="context")
def ingest(context: df.DurableOrchestrationContext) -> Generator[Any, Any, None]:
    request = IngestRequest.from_json(context.get_input())
    deed, revision = yield steps.begin_ingestion(context, request)
    if deed == Deed.NOTHING:
        return
    this = request.about(revision)
    if deed == Deed.ERASE:
        yield steps.erase_document(context, this)
    else:
        yield from _take_in(context, this)
    context.continue_as_new(request.to_json())


def _take_in(context: df.DurableOrchestrationContext, request: IngestRequest) -> Generator[TaskBase, Any, None]:
    """Until it is ready, has failed, or is overtaken by a newer revision."""
    total: int = yield from _tried(context, request, steps.read_document(context, request))
    done = 0 if total != OVERTAKEN else OVERTAKEN
    while OVERTAKEN < done < total:
        this = request.from_passage(done)
        done = yield from _tried(context, request, steps.index_passages(context, this))
    if done != OVERTAKEN:
        yield from _tried(context, request, steps.finish_ingestion(context, request))


def _tried(
    context: df.DurableOrchestrationContext, request: IngestRequest, step: TaskBase
) -> Generator[TaskBase, Any, int]:
    """What the step gives; where it cannot be done however often it is tried, the document has failed."""
    try:
        return int((yield step))
    except Exception:  # noqa: BLE001 - the engine's one word for whatever an activity raised
        return int((yield steps.give_up_ingestion(context, request)))
