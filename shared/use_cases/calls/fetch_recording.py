"""A provider has recorded a call: its recording is fetched, and kept with the call."""

from __future__ import annotations

import asyncio
import logging
from collections.abc import Mapping
from contextlib import aclosing
from dataclasses import dataclass, field, replace
from datetime import datetime

from shared.domain.call import Call, Provider
from shared.domain.errors import InvalidRequest, TelephonyError
from shared.domain.provider_recording import (
    OWN_STORE,
    ProviderRecording,
    RecordingState,
    blob_name,
    is_wav,
    wav_duration_ms,
)
from shared.domain.recording import CONTENT_TYPE
from shared.domain.steps import FetchRequest
from shared.domain.telephony.events import RecordingReady
from shared.ports.call_store import CallStore
from shared.ports.file_store import FileStore
from shared.ports.orchestrations import Orchestrations
from shared.ports.recording_source import RecordingRegister, RecordingSource

logger = logging.getLogger(__name__)

_FOR_GOOD = (RecordingState.KEPT, RecordingState.ELSEWHERE)
LARGEST_BYTES = 256 * 1024 * 1024
"""An hour of both sides at 16 kHz has 230 MB."""
DEADLINE_S = 240.0
"""Well within what a host lets an activity run; what is not fetched by then is begun anew."""


@dataclass(frozen=True, slots=True)
class FetchRecording:
    """`deletes`: whether the provider's own copy is removed once ours is kept."""

    call_store: CallStore
    files: FileStore
    sources: Mapping[Provider, RecordingSource]
    registers: Mapping[Provider, RecordingRegister] = field(default_factory=dict)
    deletes: bool = False
    largest_bytes: int = LARGEST_BYTES
    deadline_s: float = DEADLINE_S

    async def announced(self, event: RecordingReady, orchestrations: Orchestrations, *, call_id: str = "") -> None:
        """Note it, and have it fetched; told twice, it is fetched once. `call_id`: as `NoteProgress` has it. A call
        that we do not know is passed over. Raises: StoreError.
        """
        call = await self._call(event, call_id)
        if call is None:
            logger.info("%s: a recording of a call that we do not know is passed over", event.provider)
            return
        duration_ms = None if event.duration_s is None else round(event.duration_s * 1000)
        recording = ProviderRecording(event.key, event.url, duration_ms=duration_ms)
        await self.call_store.save_provider_recording(call.tenant_id, call.call_id, recording)
        if event.provider in self.sources:
            await orchestrations.start_fetching(FetchRequest(call.tenant_id, call.call_id, event.key))

    async def begun(self, call: Call) -> None:
        """The provider has been told to record: of one that puts it into its customer's own store, the address is
        looked for later (`take_up`). Raises: StoreError.
        """
        if call.provider in self.registers:
            recording = ProviderRecording(OWN_STORE, f"{call.provider}:{call.provider_call_id}")
            await self.call_store.save_provider_recording(call.tenant_id, call.call_id, recording)

    async def take_up(self, orchestrations: Orchestrations, *, before: datetime) -> None:
        """What was announced before this moment, and whose fetching may never have begun. Raises: StoreError."""
        for request in await self.call_store.announced_recordings(before=before):
            await orchestrations.start_fetching(request)

    async def __call__(self, request: FetchRequest) -> RecordingState:
        """How it stands afterwards. May be run again after a crash, at any point.

        Raises: TelephonyError and StoreError (retryable) for what may succeed later.
        """
        call = await self.call_store.get(request.tenant_id, request.call_id)
        recording = _named(call, request.name)
        if call is None or recording is None:
            return RecordingState.LOST
        source, register = self.sources.get(call.provider), self.registers.get(call.provider)
        try:
            if register is not None:
                return await self._locate(request, recording, register, call.provider_call_id)
            if source is None:
                raise InvalidRequest("recordings_not_set_up", f"recordings of {call.provider} cannot be fetched here")
            if recording.state is not RecordingState.KEPT:
                recording = await self._fetch(request, recording, source)
            if self.deletes:
                await source.delete(recording.url)
        except (TelephonyError, InvalidRequest) as error:
            if error.retryable:
                raise
            logger.warning("call %s: its provider's recording is given up: %s", request.call_id, error)
            return await self.give_up(request)
        return recording.state

    async def give_up(self, request: FetchRequest) -> RecordingState:
        """It is not to be had any more; where it is kept already, it remains so. Raises: StoreError."""
        recording = _named(await self.call_store.get(request.tenant_id, request.call_id), request.name)
        if recording is None or recording.state in _FOR_GOOD:
            return RecordingState.LOST if recording is None else recording.state
        lost = replace(recording, state=RecordingState.LOST)
        await self.call_store.save_provider_recording(request.tenant_id, request.call_id, lost)
        return lost.state

    async def _locate(
        self,
        request: FetchRequest,
        recording: ProviderRecording,
        register: RecordingRegister,
        provider_call_id: str,
    ) -> RecordingState:
        if not (url := await register.locate(provider_call_id)):
            raise TelephonyError("recording_unknown", "it is not in its store yet", retryable=True)
        placed = replace(recording, state=RecordingState.ELSEWHERE, url=url)
        await self.call_store.save_provider_recording(request.tenant_id, request.call_id, placed)
        return placed.state

    async def _fetch(
        self, request: FetchRequest, recording: ProviderRecording, source: RecordingSource
    ) -> ProviderRecording:
        sound = await self._read(source, recording.url)
        if not is_wav(sound):
            raise TelephonyError("recording_unusable", "the provider's recording is no WAV")
        blob = blob_name(request.tenant_id, request.call_id, recording.name)
        await self.files.put(blob, sound, content_type=CONTENT_TYPE)
        kept = replace(
            recording,
            state=RecordingState.KEPT,
            duration_ms=wav_duration_ms(sound) or recording.duration_ms,
            container=self.files.container,
            blob=blob,
        )
        await self.call_store.save_provider_recording(request.tenant_id, request.call_id, kept)
        return kept

    async def _read(self, source: RecordingSource, url: str) -> bytes:
        sound = bytearray()
        try:
            async with asyncio.timeout(self.deadline_s), aclosing(source.read(url)) as pieces:
                async for piece in pieces:
                    sound += piece
                    if len(sound) > self.largest_bytes:
                        raise TelephonyError("recording_too_large", f"it has more than {self.largest_bytes} bytes")
        except TimeoutError as error:
            raise TelephonyError("recording_late", "the recording did not come in time", retryable=True) from error
        return bytes(sound)

    async def _call(self, event: RecordingReady, call_id: str) -> Call | None:
        call = await self.call_store.of_provider(event.provider, event.provider_call_id)
        if call is None and call_id:
            call = await self.call_store.of_id(call_id)
        return call if call is not None and call.provider is event.provider else None


def _named(call: Call | None, name: str) -> ProviderRecording | None:
    recordings = () if call is None else call.provider_recordings
    return next((recording for recording in recordings if recording.name == name), None)
