"""What a provider has recorded becomes ours: once, whole, and never anything else."""

from __future__ import annotations

import asyncio
import io
import wave
from collections.abc import AsyncGenerator
from dataclasses import replace
from datetime import UTC, datetime, timedelta

import pytest

from shared.domain.errors import InvalidRequest, StoreError, TelephonyError, VoiceAgentError
from shared.domain.provider_recording import ProviderRecording, RecordingState, blob_name
from shared.domain.steps import FetchRequest
from shared.domain.telephony.events import RecordingReady
from shared.domain.telephony.lines import Provider
from shared.use_cases.calls.fetch_recording import FetchRecording
from tests.fakes.call import CALL_ID, CALL_SID, TENANT_ID, House

URL = "https://api.example.com/RE1"
NAME = "recording:RE1"
BLOB = f"provider_recordings/{TENANT_ID}/{CALL_ID}/RE1.wav"
READY = RecordingReady(Provider.TWILIO, CALL_SID, NAME, URL, duration_s=3.0)
REQUEST = FetchRequest(TENANT_ID, CALL_ID, NAME)


def sound(duration_ms: int = 1500) -> bytes:
    kept = io.BytesIO()
    with wave.open(kept, "wb") as opened:
        opened.setnchannels(2)
        opened.setsampwidth(2)
        opened.setframerate(8000)
        opened.writeframes(bytes(duration_ms * 8 * 4))
    return kept.getvalue()


class Source:
    """Fills the port `RecordingSource`; `errors` are raised first, one a try, each after the first piece."""

    def __init__(self, content: bytes) -> None:
        self.content = content
        self.errors: list[VoiceAgentError] = []
        self.read_urls: list[str] = []
        self.deleted: list[str] = []
        self.is_quiet = False

    async def read(self, url: str) -> AsyncGenerator[bytes, None]:
        self.read_urls.append(url)
        yield self.content[:100]
        if self.is_quiet:
            await asyncio.Event().wait()
        if self.errors:
            raise self.errors.pop(0)
        yield self.content[100:]

    async def delete(self, url: str) -> bool:
        self.deleted.append(url)
        if self.errors:
            raise self.errors.pop(0)
        return True


class Desk:
    def __init__(self, *, deletes: bool = False, largest_bytes: int = 100_000) -> None:
        self.house = House(provider=Provider.TWILIO)
        self.source = Source(sound())
        files, sources = self.house.files, {Provider.TWILIO: self.source}
        self.fetch = FetchRecording(
            self.house.call_store, files, sources, deletes=deletes, largest_bytes=largest_bytes
        )

    async def announce(self, event: RecordingReady = READY) -> None:
        await self.fetch.announced(event, self.house.orchestrations)

    async def recordings(self) -> tuple[ProviderRecording, ...]:
        call = await self.house.call_store.get(TENANT_ID, CALL_ID)
        assert call is not None
        return call.provider_recordings


@pytest.fixture
async def desk() -> Desk:
    made = Desk()
    await made.house.ring()
    return made


async def test_news_of_a_recording_is_noted_and_it_is_to_be_fetched_once(desk: Desk) -> None:
    await desk.announce()
    await desk.announce()
    assert await desk.recordings() == (ProviderRecording(NAME, URL, duration_ms=3000),)
    assert desk.house.orchestrations.fetches == [REQUEST]
    assert desk.source.read_urls == [], "the provider waits for our answer"


async def test_it_is_kept_with_the_call_of_its_tenant(desk: Desk) -> None:
    await desk.announce()
    assert await desk.fetch(REQUEST) is RecordingState.KEPT
    assert await desk.house.files.get(BLOB) == desk.source.content
    container = desk.house.files.container
    assert await desk.recordings() == (ProviderRecording(NAME, URL, RecordingState.KEPT, 1500, container, BLOB),)
    assert desk.source.deleted == [], "unless that is wanted"


async def test_what_broke_off_is_fetched_again_from_its_beginning(desk: Desk) -> None:
    await desk.announce()
    desk.source.errors = [TelephonyError("away", "HTTP 500", retryable=True)]
    with pytest.raises(TelephonyError):
        await desk.fetch(REQUEST)
    assert await desk.house.files.get(BLOB) is None
    assert [one.state for one in await desk.recordings()] == [RecordingState.ANNOUNCED]
    assert await desk.fetch(REQUEST) is RecordingState.KEPT
    assert await desk.house.files.get(BLOB) == desk.source.content


async def test_a_crash_before_it_was_noted_repeats_it(desk: Desk, monkeypatch: pytest.MonkeyPatch) -> None:
    await desk.announce()

    async def crash(*_: object) -> None:
        raise StoreError("away", "the database is away", retryable=True)

    with monkeypatch.context() as patched:
        patched.setattr(desk.house.call_store, "save_provider_recording", crash)
        with pytest.raises(StoreError):
            await desk.fetch(REQUEST)
    assert await desk.fetch(REQUEST) is RecordingState.KEPT
    assert len(desk.source.read_urls) == 2
    assert await desk.house.files.get(BLOB) == desk.source.content


async def test_what_is_kept_is_not_fetched_again_nor_announced_away(desk: Desk) -> None:
    await desk.announce()
    await desk.fetch(REQUEST)
    await desk.announce()
    assert await desk.fetch(REQUEST) is RecordingState.KEPT
    assert await desk.fetch.give_up(REQUEST) is RecordingState.KEPT
    assert len(desk.source.read_urls) == 1


@pytest.mark.parametrize("content", [b"", b"<html>no sound</html>" * 10, sound(20_000)])
async def test_what_is_no_recording_or_too_large_is_given_up(desk: Desk, content: bytes) -> None:
    await desk.announce()
    desk.source.content = content
    assert await desk.fetch(REQUEST) is RecordingState.LOST
    assert await desk.house.files.get(BLOB) is None
    assert [one.state for one in await desk.recordings()] == [RecordingState.LOST]


async def test_an_address_that_is_not_the_providers_is_given_up(desk: Desk) -> None:
    await desk.announce()
    desk.source.errors = [InvalidRequest("recording_foreign", "not ours")]
    assert await desk.fetch(REQUEST) is RecordingState.LOST


async def test_a_source_that_is_quiet_is_tried_later(desk: Desk) -> None:
    await desk.announce()
    desk.source.is_quiet = True
    slow = replace(desk.fetch, deadline_s=0.01)
    with pytest.raises(TelephonyError) as raised:
        await slow(REQUEST)
    assert (raised.value.code, raised.value.retryable) == ("recording_late", True)


async def test_the_providers_copy_is_removed_only_once_ours_is_kept() -> None:
    desk = Desk(deletes=True)
    await desk.house.ring()
    await desk.announce()
    assert await desk.fetch(REQUEST) is RecordingState.KEPT
    assert desk.source.deleted == [URL]
    desk.source.errors = [TelephonyError("away", "HTTP 500", retryable=True)]
    with pytest.raises(TelephonyError):
        await desk.fetch(REQUEST)
    desk.source.errors = [TelephonyError("refused", "HTTP 403")]
    assert await desk.fetch(REQUEST) is RecordingState.KEPT, "ours is there all the same"
    assert len(desk.source.read_urls) == 1


async def test_a_recording_of_a_call_that_is_not_ours_is_passed_over(desk: Desk) -> None:
    await desk.announce(replace(READY, provider_call_id="CA2"))
    await desk.announce(replace(READY, provider=Provider.VONAGE))
    assert await desk.recordings() == ()
    assert desk.house.orchestrations.fetches == []
    assert await desk.fetch(REQUEST) is RecordingState.LOST
    assert desk.source.read_urls == []


async def test_what_was_announced_and_never_begun_is_taken_up(desk: Desk, monkeypatch: pytest.MonkeyPatch) -> None:
    async def crash(*_: object) -> None:
        raise StoreError("engine_refused", "away", retryable=True)

    orchestrations = desk.house.orchestrations
    with monkeypatch.context() as patched:
        patched.setattr(orchestrations, "start_fetching", crash)
        with pytest.raises(StoreError):
            await desk.announce()
    now = datetime.now(UTC)
    await desk.fetch.take_up(orchestrations, before=now - timedelta(minutes=10))
    assert orchestrations.fetches == [], "it may just be beginning"
    await desk.fetch.take_up(orchestrations, before=now + timedelta(minutes=10))
    assert orchestrations.fetches == [REQUEST]
    await desk.fetch(REQUEST)
    orchestrations.fetches.clear()
    await desk.fetch.take_up(orchestrations, before=now + timedelta(minutes=10))
    assert orchestrations.fetches == [], "it is kept"


async def test_what_lies_in_a_store_that_is_not_ours_is_known_by_its_address(desk: Desk) -> None:
    class Register:
        def __init__(self) -> None:
            self.places = ["", "s3://bucket/a.wav", "s3://bucket/b.wav"]

        async def locate(self, provider_call_id: str) -> str:
            assert provider_call_id == CALL_SID
            return self.places.pop(0)

    fetch = replace(desk.fetch, sources={}, registers={Provider.TWILIO: Register()})
    call = await desk.house.call_store.get(TENANT_ID, CALL_ID)
    assert call is not None
    await fetch.begun(call)
    await fetch.take_up(desk.house.orchestrations, before=datetime.now(UTC) + timedelta(minutes=10))
    (request,) = desk.house.orchestrations.fetches
    with pytest.raises(TelephonyError) as raised:
        await fetch(request)
    assert raised.value.retryable, "it is put there a while after the call"
    assert await fetch(request) is RecordingState.ELSEWHERE
    assert [(one.state, one.url) for one in await desk.recordings()] == [("elsewhere", "s3://bucket/a.wav")]
    await fetch.begun(call)
    assert await fetch.give_up(request) is RecordingState.ELSEWHERE
    assert [one.url for one in await desk.recordings()] == ["s3://bucket/a.wav"]


async def test_a_provider_that_keeps_recordings_itself_tells_when_there_is_one(desk: Desk) -> None:
    call = await desk.house.call_store.get(TENANT_ID, CALL_ID)
    assert call is not None
    await desk.fetch.begun(call)
    assert await desk.recordings() == ()


async def test_a_call_that_has_no_name_yet_is_known_by_ours(desk: Desk) -> None:
    event = replace(READY, provider_call_id="CA2")
    await desk.fetch.announced(event, desk.house.orchestrations, call_id=CALL_ID)
    assert len(await desk.recordings()) == 1


@pytest.mark.parametrize("name", ["recording:../../other/call", "recording:", "recording:" + "a" * 200])
def test_no_name_leads_out_of_the_call(name: str) -> None:
    folder, _, file = blob_name("t", "c", name).rpartition("/")
    assert folder == "provider_recordings/t/c"
    assert file.removesuffix(".wav").isalnum()
    assert blob_name("t", "c", name) == blob_name("t", "c", name) != blob_name("t", "c", name + "b")
