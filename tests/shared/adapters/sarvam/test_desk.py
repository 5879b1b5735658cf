"""Who may knock at the door of Sarvam's voice agents, and in which turn an utterance is."""

from __future__ import annotations

import pytest

from shared.adapters.sarvam.desk import SarvamDesk
from shared.adapters.sarvam.passes import call_pass
from shared.domain.errors import InvalidRequest, Unauthenticated
from tests.fakes.clock import FakeClock
from tests.shared.adapters.sarvam.bodies import body, internal, signed

SECRET = "s3cret-of-32-characters-or-more-x"
BEFORE = "the-secret-before-that-is-long-too"
SIGNING = "what-the-platform-signs-its-results-with"


class FakeMemory:
    """Fills the port `ShortMemory`."""

    def __init__(self) -> None:
        self.kept: dict[str, dict[str, str]] = {}

    async def note(self, name: str, facts: dict[str, str]) -> None:
        self.kept.setdefault(name, {}).update(facts)

    async def facts(self, name: str) -> dict[str, str]:
        return dict(self.kept.get(name, {}))


def desk(*secrets: str, clock: FakeClock | None = None) -> SarvamDesk:
    return SarvamDesk(secrets or (SECRET,), FakeMemory(), clock or FakeClock())  # type: ignore[arg-type]


def bearer(secret: str) -> str:
    return f"Bearer {secret}"


def test_who_knows_the_secret_may_knock() -> None:
    desk().check(bearer(SECRET))
    rotating = desk(SECRET, BEFORE)
    rotating.check(bearer(SECRET))
    rotating.check(f"bearer  {BEFORE} ")


@pytest.mark.parametrize(
    "given",
    [
        "",
        SECRET,
        f"Basic {SECRET}",
        *map(
            bearer,
            (
                "",
                BEFORE,
                SECRET[:-1],
                SECRET + "x",
                SECRET.upper(),
                *(SECRET[:at] + "_" + SECRET[at + 1 :] for at in (0, 15, 32)),
                "\ud800",
                "x" * 100_000,
            ),
        ),
    ],
)
def test_nobody_else_may(given: str) -> None:
    with pytest.raises(Unauthenticated):
        desk(SECRET, "").check(given)


@pytest.mark.parametrize("secrets", [("short",), (SECRET, "short"), ("", ""), ()])
def test_a_secret_that_can_be_guessed_is_none(secrets: tuple[str, ...]) -> None:
    with pytest.raises(InvalidRequest):
        SarvamDesk(secrets, FakeMemory(), FakeClock())  # type: ignore[arg-type]


async def test_where_results_are_signed_our_secret_is_not_enough() -> None:
    clock, body_of_result = FakeClock(), b'{"attempt_id": "a-1"}'
    signing = SarvamDesk((SECRET,), FakeMemory(), clock, (SIGNING, "", BEFORE))  # type: ignore[arg-type]
    for secret in (SIGNING, BEFORE):
        signing.check_result(signed(body_of_result, secret, clock.now_ms()), body_of_result)
    for headers in ({}, {"authorization": bearer(SECRET)}, signed(b"{}", SIGNING, clock.now_ms())):
        with pytest.raises(Unauthenticated):
            signing.check_result(headers, body_of_result)
    desk().check_result({"authorization": bearer(SECRET)}, body_of_result)
    with pytest.raises(Unauthenticated):
        desk().check_result(signed(body_of_result, SIGNING, clock.now_ms()), body_of_result)


def test_a_pass_is_good_for_one_call() -> None:
    one = desk(SECRET, BEFORE)
    for secret in (SECRET, BEFORE):
        one.check_call("call-1", call_pass(secret, "call-1"))
    for call_id, given in (
        ("call-2", call_pass(SECRET, "call-1")),
        ("call-1", call_pass(SIGNING, "call-1")),
        ("call-1", SECRET),
        ("call-1", ""),
        ("", ""),
    ):
        with pytest.raises(Unauthenticated):
            one.check_call(call_id, given)


async def test_the_turn_is_that_after_the_one_we_told() -> None:
    one = desk()
    for told, expected in ((0, 1), (1, 2), (7, 8)):
        utterance, turn = await one.utterance(body("Hello.", internal_variables=internal(told)))
        assert (turn, utterance.told) == (expected, 0)
        assert (await one.utterance(body("Hello.", internal_variables=internal(told))))[1] == expected


async def test_who_comes_for_the_rest_is_still_in_the_turn() -> None:
    utterance, turn = await desk().utterance(body("", internal_variables=internal(3, told=2)))
    assert (turn, utterance.told, utterance.words) == (3, 2, "")
    _, after = await desk().utterance(body("Wait!", internal_variables=internal(3, told=2)))
    assert after == 4


async def test_an_agent_that_forgets_is_told_apart_by_its_words() -> None:
    clock = FakeClock()
    one = desk(clock=clock)
    turns = [(await one.utterance(body(words)))[1] for words in ("One.", "One.", "Two.", "", "Two.")]
    assert turns == [1, 1, 2, 3, 2]
    await clock.sleep_ms(10_000)
    assert (await one.utterance(body("Two.")))[1] == 3


def test_the_log_tells_what_a_body_is_like_and_nothing_that_was_said() -> None:
    outline = SarvamDesk.outline(b'{"status":"connected","user_phone_number":"+919800000002","a b":1}')
    assert outline == "66 bytes, status, user_phone_number"
    assert SarvamDesk.outline(b"secret words") == "12 bytes, nothing that can be read"
    assert SarvamDesk.outline(b"") == "0 bytes, nothing that can be read"
