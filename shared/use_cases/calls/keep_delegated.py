"""A provider's own agent has led a conversation, or has spoken for ours: keep what it tells when it is over."""

from __future__ import annotations

import json
import logging
from dataclasses import asdict, dataclass

from shared.domain.call import Call
from shared.domain.telephony.delegated import Delegated, turns_of
from shared.domain.telephony.lines import Provider
from shared.domain.transcript import text_of
from shared.ports.call_store import CallStore
from shared.ports.file_store import FileStore
from shared.ports.live_calls import LiveCalls

logger = logging.getLogger(__name__)

_CONTENT_TYPE = "application/json"


@dataclass(frozen=True, slots=True)
class KeepDelegated:
    call_store: CallStore
    live_calls: LiveCalls
    files: FileStore

    async def __call__(
        self, provider: Provider, provider_call_id: str, told: Delegated, *, call_id: str = ""
    ) -> None:
        """Keep its variables and its transcript in a file; where nobody of ours took part, its speeches become the
        call's turns. Told again it writes the same. A call that we do not know is passed over. Raises: StoreError.
        """
        call = await self._call(provider, provider_call_id, call_id)
        if call is None:
            logger.info("%s: what is told of a call that we do not know is passed over", provider)
            return
        if told.variables or told.transcript or told.failure_reason:
            name = f"delegated/{call.tenant_id}/{call.call_id}.json"
            text = json.dumps(asdict(told), ensure_ascii=False, default=str)
            await self.files.put(name, text.encode(), content_type=_CONTENT_TYPE)
        if told.transcript:
            await self._keep_turns(call, told)

    async def _call(self, provider: Provider, provider_call_id: str, call_id: str) -> Call | None:
        call = await self.call_store.of_provider(provider, provider_call_id)
        if call is None and call_id:
            call = await self.call_store.of_id(call_id)
        return call if call is not None and call.provider is provider else None

    async def _keep_turns(self, call: Call, told: Delegated) -> None:
        if await self.live_calls.get(call.call_id) is not None:
            return  # its own records are being kept
        known = await self.call_store.get(call.tenant_id, call.call_id)
        if known is None or any(turn.heard for turn in known.turns):
            return
        turns = turns_of(told.transcript)
        for turn in turns:
            await self.call_store.save_turn(call.tenant_id, call.call_id, turn)
        await self.call_store.save_transcript(call.tenant_id, call.call_id, text_of(turns))
