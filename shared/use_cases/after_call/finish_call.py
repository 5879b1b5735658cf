"""A call is over: it is read, what is personal in it is hidden, and what was really said is sealed."""

from __future__ import annotations

import logging
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Any

from shared.domain.after_call import prompts
from shared.domain.after_call.analysis import Analysis, read_analysis, schema_of, speeches_of
from shared.domain.after_call.hidden_turns import redacted_turns
from shared.domain.after_call.records import AnalysisRecord, Words, raw_purpose
from shared.domain.after_call.redaction import redacted_value
from shared.domain.after_call.suspicions import without_suspicious
from shared.domain.agents.document import Agent
from shared.domain.call import Call
from shared.domain.errors import InvalidRequest
from shared.domain.steps import CallRequest
from shared.domain.tools.schemas import flat
from shared.domain.transcript import text_of
from shared.ports.after_call_records import AfterCallRecords
from shared.ports.call_store import CallStore
from shared.ports.directory import Directory
from shared.ports.language_model import LanguageModel, Usage
from shared.ports.vault import Sealed, Vault
from shared.use_cases.after_call.asking import Asking, Tally, Unfit, dumped

logger = logging.getLogger(__name__)

_LONGEST_FAULT = 300

NoteUsage = Callable[[str, Sequence[Usage]], None]
"""Puts what a model has used to a tenant's account; it never waits, and never fails."""


@dataclass(frozen=True, slots=True)
class FinishCall:
    """`note_usage`: None where nobody counts."""

    call_store: CallStore
    directory: Directory
    records: AfterCallRecords
    model: LanguageModel
    vault: Vault
    note_usage: NoteUsage | None = None

    async def __call__(self, request: CallRequest) -> None:
        """May be run again after a crash, at any point: what was kept once stays.

        Raises: LanguageModelError and StoreError (retryable) for what may succeed later.
        """
        await self._finish(request, reads=True, fault="")

    async def give_up(self, request: CallRequest) -> None:
        """The call is not read any more; all the rest is done. Raises: StoreError."""
        await self._finish(request, reads=False, fault="the model gave no answer")

    async def _finish(self, request: CallRequest, *, reads: bool, fault: str) -> None:
        tenant_id, call_id = request.tenant_id, request.call_id
        if await self.records.is_kept(tenant_id, call_id):
            return
        call = await self.call_store.get(tenant_id, call_id)
        agent = None if call is None else await self.directory.agent(tenant_id, call.agent_id, call.agent_version)
        if call is None or agent is None:
            return
        analysis, record = await self._analysis(call, agent, reads=reads, fault=fault)
        if not agent.after_call.redacts:
            await self.records.keep(tenant_id, call_id, analysis=record)
            return
        known = analysis.personal if analysis else ()
        turns = redacted_turns(call.turns, known=known, greeting=agent.greeting)
        await self.records.keep(
            tenant_id,
            call_id,
            words=[Words(turn.number, turn.heard, turn.said) for turn in turns],
            transcript=text_of(turns),
            raw=await self._raw(call, agent, analysis),
            analysis=record and _redacted_record(record, known),
        )

    async def _analysis(
        self, call: Call, agent: Agent, *, reads: bool, fault: str
    ) -> tuple[Analysis | None, AnalysisRecord | None]:
        speeches = speeches_of(call.turns)
        if not agent.after_call.analyses or not any(speech.speaker == "caller" for speech in speeches):
            return None, None
        if not reads:
            return None, AnalysisRecord(None, fault)
        tally = Tally()
        asking = Asking(self.model, call.call_id, agent.models, tally)
        try:
            analysis = await self._read(call, agent, asking)
        except Unfit as error:
            logger.warning("call %s: the analysis does not fit: %s", call.call_id, error)
            return None, AnalysisRecord(None, f"no answer fitted: {error}"[:_LONGEST_FAULT], tally.questions())
        finally:
            # Also of what failed, or is going to be asked again: it was used.
            if self.note_usage is not None:
                self.note_usage(call.tenant_id, tally.used)
        return analysis, AnalysisRecord(analysis.to_json(), questions=tally.questions())

    async def _read(self, call: Call, agent: Agent, asking: Asking) -> Analysis:
        """Raises: Unfit, LanguageModelError."""
        wanted = agent.after_call
        mark = prompts.mark_of(call.call_id)
        speeches, suspicious = without_suspicious(speeches_of(call.turns))
        material = prompts.fenced(speeches, mark)
        task = prompts.analysis_task(wanted, agent.language, mark)
        analysis = await asking(task, material, schema_of(wanted), lambda document: read_analysis(document, wanted))
        analysis = replace(analysis, suspicious_turns=suspicious)
        if not wanted.extract:
            return analysis
        try:
            schema = flat(wanted.extract)
            extracted: Mapping[str, Any] = await asking(
                prompts.extraction_task(schema, mark), material, schema, lambda document: document
            )
        except (Unfit, InvalidRequest) as error:
            logger.warning("call %s: what was extracted does not fit: %s", call.call_id, error)
            return replace(analysis, extraction_fault=str(error)[:_LONGEST_FAULT])
        return replace(analysis, extracted=extracted)

    async def _raw(self, call: Call, agent: Agent, analysis: Analysis | None) -> Sealed | None:
        """None where nobody wants it, or nobody could read it again."""
        if not agent.retention.raw or not call.turns:
            return None
        if not self.vault.key_id:
            logger.warning("call %s: what was really said is not kept: no sealing keys are set up", call.call_id)
            return None
        said = [{"number": turn.number, "heard": turn.heard, "said": turn.said} for turn in call.turns]
        plain = dumped({"turns": said, "analysis": analysis.to_json() if analysis else None})
        return await self.vault.seal(plain, purpose=raw_purpose(call.tenant_id, call.call_id))


def _redacted_record(record: AnalysisRecord, known: Sequence[str]) -> AnalysisRecord:
    if record.document is None:
        return record
    document = dict(record.document)
    ours = {name: document.pop(name) for name in ("sentiment", "quality")}
    judged = [{**each, "reason": redacted_value(each["reason"], known=known)} for each in document.pop("judgements")]
    return replace(record, document={**redacted_value(document, known=known), **ours, "judgements": judged})
