"""The part of composition for what follows a call: reading it, hiding, telling, and deleting in time."""

from __future__ import annotations

from dataclasses import dataclass
from functools import cached_property, partial

from shared.adapters.aes_gcm.vault import AesGcmVault, read_keys
from shared.adapters.postgres.analyses import PostgresAfterCallRecords
from shared.adapters.postgres.pool import PostgresPool
from shared.adapters.postgres.retention import PostgresRetentionStore
from shared.adapters.postgres.webhooks import PostgresWebhooks
from shared.adapters.safe_http.web import check_address
from shared.domain.agents.after_call import Retention
from shared.ports.call_store import CallStore
from shared.ports.clock import Clock
from shared.ports.directory import Directory
from shared.ports.file_store import FileStore
from shared.ports.language_model import LanguageModel
from shared.ports.web_requests import WebRequests
from shared.settings import Settings
from shared.use_cases.after_call.delete_overdue import DeleteOverdue
from shared.use_cases.after_call.deliver_webhook import DeliverWebhook
from shared.use_cases.after_call.edit_endpoints import EditEndpoints
from shared.use_cases.after_call.finish_call import FinishCall, NoteUsage
from shared.use_cases.after_call.look_back import LookBack
from shared.use_cases.after_call.take_up_calls import TakeUpCalls
from shared.use_cases.after_call.tell_events import TellEvents


@dataclass(frozen=True)
class AfterCalls:
    """Each part is made when it is first used. `note_usage`: who counts what reading calls takes; None: nobody."""

    settings: Settings
    pool: PostgresPool
    call_store: CallStore
    directory: Directory
    files: FileStore
    model: LanguageModel
    web: WebRequests
    clock: Clock
    note_usage: NoteUsage | None = None

    @cached_property
    def vault(self) -> AesGcmVault:
        return AesGcmVault(read_keys(self.settings.sealing_keys))

    @cached_property
    def _records(self) -> PostgresAfterCallRecords:
        return PostgresAfterCallRecords(self.pool)

    @cached_property
    def _retention(self) -> PostgresRetentionStore:
        usual = Retention()
        return PostgresRetentionStore(
            self.pool, recordings=usual.recordings, transcripts=usual.transcripts, raw=usual.raw
        )

    @cached_property
    def _webhooks(self) -> PostgresWebhooks:
        return PostgresWebhooks(self.pool)

    @cached_property
    def finish(self) -> FinishCall:
        return FinishCall(self.call_store, self.directory, self._records, self.model, self.vault, self.note_usage)

    @cached_property
    def look_back(self) -> LookBack:
        return LookBack(self._records, self.vault)

    @cached_property
    def tell(self) -> TellEvents:
        return TellEvents(self._webhooks, self.call_store, self.directory, self._records, self.clock)

    @cached_property
    def deliver(self) -> DeliverWebhook:
        return DeliverWebhook(self._webhooks, self.vault, self.web, self.clock)

    @cached_property
    def endpoints(self) -> EditEndpoints:
        check = partial(check_address, loopback=self.settings.web_loopback == "on")
        return EditEndpoints(self._webhooks, self.vault, self.clock, check)

    @cached_property
    def delete_overdue(self) -> DeleteOverdue:
        return DeleteOverdue(self._retention, self.files, self.vault, self.clock)

    @cached_property
    def take_up(self) -> TakeUpCalls:
        return TakeUpCalls(self._retention, self.clock)
