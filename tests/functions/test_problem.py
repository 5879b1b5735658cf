"""Everything that goes wrong over HTTP has one format, the right status, and one line in the log."""

from __future__ import annotations

import logging

import azure.functions as func
import pytest

from functions.problem import answer, problem, refused, status_of
from shared.domain.errors import (
    Conflict,
    Forbidden,
    InvalidRequest,
    LanguageModelError,
    MediaError,
    NotFound,
    SpeechToTextError,
    StoreError,
    TelephonyError,
    TextToSpeechError,
    Unauthenticated,
    VoiceAgentError,
)
from tests.functions.conftest import assert_problem

STAGES = [StoreError, TelephonyError, MediaError, SpeechToTextError, LanguageModelError, TextToSpeechError]


@pytest.mark.parametrize(
    ("error", "status"),
    [
        (InvalidRequest("x", "m"), 400),
        (InvalidRequest("body_too_large", "m"), 413),
        (InvalidRequest("settings", "m"), 500),
        (Unauthenticated("x", "m"), 401),
        (Forbidden("x", "m"), 403),
        (NotFound("x", "m"), 404),
        (Conflict("x", "m"), 409),
        *[(kind("x", "m", retryable=True), 503) for kind in STAGES],
        *[(kind("x", "m"), 502) for kind in STAGES],
    ],
    ids=repr,
)
def test_statuses(error: VoiceAgentError, status: int) -> None:
    assert status_of(error) == status
    assert_problem(problem(error), status, error.code)


def test_who_may_try_again_is_told_when() -> None:
    assert problem(StoreError("x", "m", retryable=True)).headers["Retry-After"] == "1"
    assert "Retry-After" not in problem(StoreError("x", "m")).headers


def test_who_is_unknown_is_told_how_to_become_known() -> None:
    assert problem(Unauthenticated("x", "m")).headers["WWW-Authenticate"] == "Bearer"
    assert "WWW-Authenticate" not in problem(Forbidden("x", "m")).headers


@pytest.mark.parametrize(
    ("error", "level"),
    [(NotFound("gone", "not here"), "INFO"), (StoreError("slow", "no answer", retryable=True), "ERROR")],
)
async def test_a_failure_is_one_line_without_a_trace(
    error: VoiceAgentError, level: str, caplog: pytest.LogCaptureFixture
) -> None:
    async def deed() -> func.HttpResponse:
        raise error

    with caplog.at_level(logging.INFO):
        response = await answer("find it", deed)
    assert response.status_code == status_of(error)
    assert [(record.levelname, record.getMessage(), record.exc_info) for record in caplog.records] == [
        (level, f"find it refused: {error}", None)
    ]


async def test_what_goes_well_passes() -> None:
    async def deed() -> func.HttpResponse:
        return func.HttpResponse("fine", status_code=201)

    assert (await answer("do it", deed)).status_code == 201


async def test_a_mistake_of_ours_is_not_dressed_up() -> None:
    async def deed() -> func.HttpResponse:
        raise KeyError("bug")

    with pytest.raises(KeyError):
        await answer("do it", deed)


def test_what_was_sent_makes_no_lines_of_its_own(caplog: pytest.LogCaptureFixture) -> None:
    caplog.set_level(logging.INFO)
    refused("place call", InvalidRequest("unknown_field", "unknown: a\nERROR all is lost\r\x1b[2J\u2028b"))
    (line,) = caplog.messages
    assert line == "place call refused: unknown_field: unknown: a ERROR all is lost  [2J b"
