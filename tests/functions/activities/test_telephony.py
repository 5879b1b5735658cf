"""Dialling as activities: what may be mended is tried again, and a doubt is told as a doubt."""

from __future__ import annotations

import asyncio
from types import SimpleNamespace

import pytest

from functions.activities import telephony
from shared.domain.errors import NotFound, TelephonyError, VoiceAgentError
from shared.domain.steps import CallRequest
from shared.domain.telephony.outbound import AttemptState
from tests.functions.conftest import Installer, user_function

REQUEST = CallRequest("tenant", "call-1")
BUSY = TelephonyError("busy", "HTTP 429", retryable=True)


class FakeDialling:
    """Each method gives the next answer."""

    def __init__(self, *answers: AttemptState | VoiceAgentError) -> None:
        self.answers = list(answers)
        self.asked: list[tuple[str, CallRequest]] = []

    async def __call__(self, request: CallRequest) -> AttemptState:
        return self._next("dial", request)

    async def reconcile(self, request: CallRequest) -> AttemptState:
        return self._next("reconcile", request)

    async def give_up(self, request: CallRequest) -> AttemptState:
        return self._next("give_up", request)

    def _next(self, what: str, request: CallRequest) -> AttemptState:
        self.asked.append((what, request))
        answer = self.answers.pop(0)
        if isinstance(answer, VoiceAgentError):
            raise answer
        return answer


@pytest.fixture(autouse=True)
def no_pause(monkeypatch: pytest.MonkeyPatch) -> None:
    async def sleep(seconds: float) -> None:
        """Takes no time."""

    monkeypatch.setattr(asyncio, "sleep", sleep)


def dialling(install: Installer, *answers: AttemptState | VoiceAgentError) -> FakeDialling:
    fake = FakeDialling(*answers)
    install(telephony, calling=SimpleNamespace(dial_out=fake))
    return fake


@pytest.mark.parametrize("state", [AttemptState.DIALLED, AttemptState.UNCERTAIN, AttemptState.FAILED])
async def test_how_it_went(install: Installer, state: AttemptState) -> None:
    fake = dialling(install, state)
    assert await user_function(telephony.dial_out)(REQUEST.to_json()) == state
    assert fake.asked == [("dial", REQUEST)]


async def test_a_busy_provider_is_asked_again(install: Installer) -> None:
    fake = dialling(install, BUSY, BUSY, AttemptState.DIALLED)
    assert await user_function(telephony.dial_out)(REQUEST.to_json()) == "dialled"
    assert len(fake.asked) == 3


@pytest.mark.parametrize("answers", [(BUSY,) * 4, (NotFound("call_unknown", "no such call"),)])
async def test_what_fails_for_good_is_a_doubt(install: Installer, answers: tuple[VoiceAgentError, ...]) -> None:
    fake = dialling(install, *answers)
    assert await user_function(telephony.dial_out)(REQUEST.to_json()) == "uncertain"
    assert fake.answers == []


@pytest.mark.parametrize(("answer", "state"), [(AttemptState.DIALLED, "dialled"), (BUSY, "uncertain")])
async def test_finding_out(install: Installer, answer: AttemptState | VoiceAgentError, state: str) -> None:
    fake = dialling(install, answer)
    assert await user_function(telephony.find_dialled)(REQUEST.to_json()) == state
    assert fake.asked == [("reconcile", REQUEST)]


async def test_giving_up(install: Installer) -> None:
    dialling(install, AttemptState.FAILED)
    assert await user_function(telephony.give_up_dialling)(REQUEST.to_json()) == "failed"
    dialling(install, BUSY)
    with pytest.raises(TelephonyError):  # the engine tries again
        await user_function(telephony.give_up_dialling)(REQUEST.to_json())
