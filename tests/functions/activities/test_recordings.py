"""Fetching as an activity: what may come later is said so, and nothing runs in circles."""

from __future__ import annotations

from types import SimpleNamespace

import pytest

from functions.activities import recordings
from shared.domain.errors import NotFound, StoreError, TelephonyError, VoiceAgentError
from shared.domain.provider_recording import RecordingState
from shared.domain.steps import FetchRequest
from tests.functions.conftest import Installer, user_function

REQUEST = FetchRequest("tenant", "call-1", "recording:RE1")


class FakeFetching:
    def __init__(self, answer: RecordingState | VoiceAgentError) -> None:
        self.answer = answer
        self.asked: list[FetchRequest] = []

    async def __call__(self, request: FetchRequest) -> RecordingState:
        self.asked.append(request)
        if isinstance(self.answer, VoiceAgentError):
            raise self.answer
        return self.answer

    give_up = __call__


def fetching(install: Installer, answer: RecordingState | VoiceAgentError) -> FakeFetching:
    fake = FakeFetching(answer)
    install(recordings, calling=SimpleNamespace(fetch_recording=fake))
    return fake


@pytest.mark.parametrize("state", RecordingState)
async def test_how_it_stands(install: Installer, state: RecordingState) -> None:
    fake = fetching(install, state)
    assert await user_function(recordings.fetch_sound)(REQUEST.to_json()) == state
    assert await user_function(recordings.give_up_recording)(REQUEST.to_json()) == state
    assert fake.asked == [REQUEST, REQUEST]


@pytest.mark.parametrize(
    "error", [TelephonyError("late", "HTTP 404", retryable=True), StoreError("away", "away", retryable=True)]
)
async def test_what_may_succeed_later_is_left_for_later(install: Installer, error: VoiceAgentError) -> None:
    fetching(install, error)
    assert await user_function(recordings.fetch_sound)(REQUEST.to_json()) == ""


async def test_what_never_will_is_told(install: Installer) -> None:
    fetching(install, NotFound("call_unknown", "gone"))
    with pytest.raises(NotFound):
        await user_function(recordings.fetch_sound)(REQUEST.to_json())
