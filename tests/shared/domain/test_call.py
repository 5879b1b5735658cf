"""A call's state moves forward only; a failure has a code; roles open doors."""

from __future__ import annotations

import itertools

import pytest

from shared.domain import errors, pipe_names
from shared.domain.call import Agent, CallState, moves_forward
from shared.domain.principal import Principal, Role

_COURSE = [
    {CallState.CREATED},
    {CallState.QUEUED},
    {CallState.RINGING},
    {CallState.IN_PROGRESS},
    {CallState.COMPLETED, CallState.BUSY, CallState.NO_ANSWER, CallState.CANCELED, CallState.FAILED},
]
_FORWARD = {
    pair for earlier, later in itertools.combinations(_COURSE, 2) for pair in itertools.product(earlier, later)
}


@pytest.mark.parametrize("pair", list(itertools.product(CallState, CallState)))
def test_every_pair_of_states(pair: tuple[CallState, CallState]) -> None:
    assert moves_forward(*pair) == (pair in _FORWARD)


def test_every_error_says_where_what_and_whether_again() -> None:
    kinds = {kind for kind in vars(errors).values() if isinstance(kind, type) and kind is not errors.VoiceAgentError}
    kinds = {kind for kind in kinds if issubclass(kind, errors.VoiceAgentError)}
    assert {kind.stage for kind in kinds} == {
        "request", "identity", "telephony", "media", "speech_to_text", "language_model", "text_to_speech",
        "translation", "store", "call", "tool", "knowledge",
    }  # fmt: skip
    for kind in kinds:
        error = kind("a_code", "a message", retryable=True)
        assert (str(error), error.code, error.retryable) == ("a_code: a message", "a_code", True)
        assert not kind("a_code", "a message").retryable


@pytest.mark.parametrize(
    ("roles", "allowed", "passes"),
    [
        ({Role.CALLER}, (Role.CALLER,), True),
        ({Role.CALLER}, (Role.OPERATOR,), False),
        ({Role.CALLER}, (Role.OPERATOR, Role.CALLER), True),
        ({Role.ADMIN}, (Role.OPERATOR,), True),
        ({Role.ADMIN}, (), True),
        ({Role.PLATFORM}, (Role.PLATFORM,), True),
        ({Role.ADMIN, Role.OPERATOR, Role.CALLER}, (Role.PLATFORM,), False),
        ({Role.PLATFORM}, (Role.ADMIN,), False),
        ({Role.PLATFORM}, (Role.CALLER, Role.OPERATOR), False),
        (set(), (Role.CALLER, Role.OPERATOR), False),
        ({Role.OPERATOR}, (), False),
    ],
)
def test_roles(roles: set[Role], allowed: tuple[Role, ...], passes: bool) -> None:
    principal = Principal("subject", "tenant", frozenset(roles))
    if passes:
        principal.require(*allowed)
    else:
        with pytest.raises(errors.Forbidden, match="role_missing"):
            principal.require(*allowed)


def test_all_pipes_of_a_call_share_a_hash_slot_and_no_name() -> None:
    names = [pipe_names.frames("c1"), pipe_names.events("c1"), pipe_names.call_prefix("c1")]
    names += [pipe_names.turn("c1", turn, pipe) for turn in (1, 11) for pipe in pipe_names.TURN_PIPES]
    assert len(set(names)) == len(names)
    assert all("{c1}" in name for name in names)


@pytest.mark.parametrize(("set_s", "counts_ms"), [(1, 1_000), (60, 60_000), (600, 600_000), (3600, 600_000)])
def test_no_silence_outlasts_a_turn(set_s: int, counts_ms: int) -> None:
    agent = Agent(agent_id="nora", tenant_id="acme", name="Nora", persona="", greeting="", silence_limit_s=set_s)
    assert agent.quiet_limit_ms == counts_ms
