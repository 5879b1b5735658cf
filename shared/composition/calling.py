"""The part of composition for what is done with calls besides talking: numbers, dialling, commands, ends."""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Mapping
from dataclasses import dataclass
from functools import cached_property

from shared.adapters.postgres.number_allotments import PostgresNumberAllotments
from shared.adapters.postgres.numbers import PostgresNumbers
from shared.adapters.postgres.pool import PostgresPool
from shared.domain.limits import CallLimits
from shared.domain.telephony.commands import Transfer
from shared.domain.telephony.lines import Provider
from shared.ports.call_control import CallControl
from shared.ports.call_store import CallStore
from shared.ports.clock import Clock
from shared.ports.directory import Directory
from shared.ports.file_store import FileStore
from shared.ports.live_calls import LiveCalls
from shared.ports.outbound_calls import OutboundCalls
from shared.ports.recording_source import RecordingRegister, RecordingSource
from shared.ports.text_channel import TextChannels
from shared.use_cases.calls.allow_transfer import AllowTransfer
from shared.use_cases.calls.close_unreported import CloseUnreported
from shared.use_cases.calls.command_call import CommandCall
from shared.use_cases.calls.dial_out import DialOut
from shared.use_cases.calls.end_call import EndCall
from shared.use_cases.calls.end_overdue import EndOverdue
from shared.use_cases.calls.fetch_recording import FetchRecording
from shared.use_cases.calls.keep_delegated import KeepDelegated
from shared.use_cases.calls.meet_machine import MeetMachine
from shared.use_cases.calls.note_progress import NoteProgress
from shared.use_cases.calls.place_call import PlaceCall
from shared.use_cases.delegating.take_result import TakeResult


@dataclass(frozen=True)
class Calling:
    """Each part is made when it is first used. `order`: see `CommandCall`."""

    pool: PostgresPool
    call_store: CallStore
    live_calls: LiveCalls
    directory: Directory
    controls: Mapping[Provider, CallControl]
    end_call: EndCall
    order: Callable[[str, Transfer], Awaitable[None]]
    outbound_calls: OutboundCalls
    allow_transfer: AllowTransfer
    channels: TextChannels
    limits: CallLimits
    clock: Clock
    files: FileStore
    recording_sources: Mapping[Provider, RecordingSource]
    recording_registers: Mapping[Provider, RecordingRegister]
    deletes_recordings: bool

    @cached_property
    def keep_delegated(self) -> KeepDelegated:
        return KeepDelegated(self.call_store, self.live_calls, self.files)

    @cached_property
    def take_result(self) -> TakeResult:
        return TakeResult(self.call_store, self.note_progress, self.keep_delegated)

    @cached_property
    def numbers(self) -> PostgresNumbers:
        return PostgresNumbers(self.pool)

    @cached_property
    def number_allotments(self) -> PostgresNumberAllotments:
        return PostgresNumberAllotments(self.pool)

    @cached_property
    def note_progress(self) -> NoteProgress:
        meet_machine = MeetMachine(self.directory, self.live_calls, self.outbound_calls, self.controls, self.end_call)
        return NoteProgress(self.call_store, self.live_calls, self.end_call, meet_machine, self.clock)

    @cached_property
    def fetch_recording(self) -> FetchRecording:
        return FetchRecording(
            self.call_store,
            self.files,
            self.recording_sources,
            self.recording_registers,
            deletes=self.deletes_recordings,
        )

    @cached_property
    def place_call(self) -> PlaceCall:
        return PlaceCall(self.directory, self.numbers, self.outbound_calls, self.controls, self.clock)

    @cached_property
    def dial_out(self) -> DialOut:
        return DialOut(self.call_store, self.outbound_calls, self.controls, self.clock)

    @cached_property
    def command_call(self) -> CommandCall:
        return CommandCall(
            call_store=self.call_store,
            live_calls=self.live_calls,
            directory=self.directory,
            controls=self.controls,
            end_call=self.end_call,
            order=self.order,
            allow_transfer=self.allow_transfer,
            channels=self.channels,
            recordings=self.fetch_recording,
        )

    @cached_property
    def end_overdue(self) -> EndOverdue:
        return EndOverdue(self.call_store, self.outbound_calls, self.end_call, self.clock)

    @cached_property
    def close_unreported(self) -> CloseUnreported:
        return CloseUnreported(self.call_store, self.controls, self.dial_out, self.end_call, self.limits, self.clock)
