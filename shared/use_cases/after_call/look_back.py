"""What an operator and an administrator see of a call that was read."""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from shared.domain.after_call.records import AnalysisRecord, raw_purpose
from shared.domain.errors import NotFound
from shared.ports.after_call_records import AfterCallRecords
from shared.ports.vault import Vault


@dataclass(frozen=True, slots=True)
class LookBack:
    records: AfterCallRecords
    vault: Vault

    async def analysis(self, tenant_id: str, call_id: str) -> AnalysisRecord:
        """Raises: NotFound, also for a call of another tenant, and one that is not read yet."""
        record = await self.records.analysis(tenant_id, call_id)
        if record is None:
            raise NotFound("analysis_unknown", "this call has no analysis, or none yet")
        return record

    async def raw(self, tenant_id: str, call_id: str) -> Mapping[str, Any]:
        """`turns` as they really were, and the whole `analysis`. Raises: NotFound, StoreError."""
        sealed = await self.records.raw(tenant_id, call_id)
        if sealed is None:
            raise NotFound("raw_transcript_unknown", "what was really said in this call is not kept, or not any more")
        opened: Mapping[str, Any] = json.loads(
            await self.vault.unseal(sealed, purpose=raw_purpose(tenant_id, call_id))
        )
        return opened
