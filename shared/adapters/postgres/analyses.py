"""Fills `AfterCallRecords` with PostgreSQL: one statement keeps all that remains of a call."""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from typing import Any, LiteralString

from shared.adapters.postgres.pool import PostgresPool
from shared.adapters.postgres.text import are_storable, storable
from shared.domain.after_call.records import AnalysisRecord, Questions, Words
from shared.ports.vault import Sealed

_IS_KEPT = """
select not exists (select from calls
    where tenant_id = %(tenant_id)s and call_id = %(call_id)s and after_call_at is null) as is_kept
"""
# Whoever sets `after_call_at` does all the rest of it; a second one finds it set and does nothing.
_KEEP: LiteralString = """
with mine as (
    update calls set after_call_at = clock_timestamp()
    where tenant_id = %(tenant_id)s and call_id = %(call_id)s and after_call_at is null
    returning tenant_id, call_id
), sealed as (
    insert into raw_transcripts (tenant_id, call_id, key_id, sealed)
    select tenant_id, call_id, %(key_id)s, %(sealed)s from mine where %(key_id)s::text is not null
    on conflict do nothing
), reworded as (
    update turns set heard = w.heard, said = w.said, updated_at = clock_timestamp()
    from mine, jsonb_to_recordset(%(words)s::jsonb) as w (number integer, heard text, said text)
    where turns.tenant_id = mine.tenant_id and turns.call_id = mine.call_id and turns.number = w.number
), transcribed as (
    update transcripts set content = %(transcript)s, updated_at = clock_timestamp()
    from mine where %(transcript)s::text is not null
        and transcripts.tenant_id = mine.tenant_id and transcripts.call_id = mine.call_id
), analysed as (
    insert into call_analyses (tenant_id, call_id, document, fault, model, questions, input_tokens, output_tokens)
    select tenant_id, call_id, %(document)s::jsonb, %(fault)s, %(model)s, %(questions)s, %(input_tokens)s,
        %(output_tokens)s
    from mine where %(has_analysis)s
    on conflict do nothing
    returning tenant_id, call_id, document
), told as (
    insert into webhook_events (tenant_id, call_id, kind)
    select tenant_id, call_id, 'call.analysed' from analysed
    where document is not null and exists (select from webhook_endpoints e where e.tenant_id = analysed.tenant_id
        and e.disabled_reason is null and 'call.analysed' = any(e.events))
)
select call_id from mine
"""
_ANALYSIS: LiteralString = """
select document, fault, model, questions, input_tokens, output_tokens, created_at from call_analyses
where tenant_id = %(tenant_id)s and call_id = %(call_id)s
"""
_RAW: LiteralString = """
select key_id, sealed from raw_transcripts where tenant_id = %(tenant_id)s and call_id = %(call_id)s
"""


class PostgresAfterCallRecords:
    """The `AfterCallRecords` on a `PostgresPool`."""

    def __init__(self, pool: PostgresPool) -> None:
        self._pool = pool

    async def is_kept(self, tenant_id: str, call_id: str) -> bool:
        rows = await self._read(_IS_KEPT, tenant_id, call_id)
        return bool(rows[0]["is_kept"]) if rows else True

    async def keep(
        self,
        tenant_id: str,
        call_id: str,
        *,
        words: Sequence[Words] = (),
        transcript: str | None = None,
        raw: Sealed | None = None,
        analysis: AnalysisRecord | None = None,
    ) -> bool:
        if not are_storable((tenant_id, call_id)):
            return False
        params = {
            "tenant_id": tenant_id,
            "call_id": call_id,
            "key_id": raw.key_id if raw else None,
            "sealed": raw.content if raw else None,
            "words": json.dumps([_words_row(each) for each in words], ensure_ascii=False),
            "transcript": None if transcript is None else storable(transcript),
            **_analysis_row(analysis),
        }
        return bool(await self._pool.execute(_KEEP, params, repeatable=False))

    async def analysis(self, tenant_id: str, call_id: str) -> AnalysisRecord | None:
        rows = await self._read(_ANALYSIS, tenant_id, call_id)
        if not rows:
            return None
        row = rows[0]
        questions = Questions(row["model"], row["questions"], row["input_tokens"], row["output_tokens"])
        return AnalysisRecord(row["document"], row["fault"] or "", questions, row["created_at"])

    async def raw(self, tenant_id: str, call_id: str) -> Sealed | None:
        rows = await self._read(_RAW, tenant_id, call_id)
        return Sealed(rows[0]["key_id"], bytes(rows[0]["sealed"])) if rows else None

    async def _read(self, statement: LiteralString, tenant_id: str, call_id: str) -> list[dict[str, Any]]:
        if not are_storable((tenant_id, call_id)):
            return []
        params = {"tenant_id": tenant_id, "call_id": call_id}
        return [dict(row) for row in await self._pool.execute(statement, params, repeatable=True)]


def _words_row(words: Words) -> Mapping[str, Any]:
    heard = None if words.heard is None else storable(words.heard)
    return {"number": words.number, "heard": heard, "said": storable(words.said)}


def _analysis_row(analysis: AnalysisRecord | None) -> dict[str, Any]:
    questions = analysis.questions if analysis else Questions()
    document = analysis.document if analysis else None
    return {
        "has_analysis": analysis is not None,
        "document": None if document is None else json.dumps(_storable(document), ensure_ascii=False),
        "fault": (analysis.fault[:500] or "unknown") if analysis and document is None else None,
        "model": storable(questions.model)[:200],
        "questions": questions.asked,
        "input_tokens": questions.input_tokens,
        "output_tokens": questions.output_tokens,
    }


def _storable(value: Any) -> Any:
    """JSON whose texts the database can hold."""
    if isinstance(value, str):
        return storable(value)
    if isinstance(value, Mapping):
        return {storable(name): _storable(each) for name, each in value.items()}
    return [_storable(each) for each in value] if isinstance(value, list | tuple) else value
