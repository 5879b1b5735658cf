"""What the webhooks of every provider have in common: who is let in, what counts, and that no content breaks them."""

from __future__ import annotations

import asyncio
import base64
import dataclasses
import json
from collections.abc import Mapping
from contextlib import suppress
from dataclasses import replace
from enum import Enum
from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from shared.domain.errors import InvalidRequest, Unauthenticated
from tests.contracts.webhook_doors import ADDRESS, BEFORE, BODY, CURRENT, DOORS, STRANGERS, Door, Sent
from tests.fakes.clock import EPOCH_MS, FakeClock

BY_NAME = {door.name: door for door in DOORS}
NOW_S = EPOCH_MS / 1000
BOTH = (CURRENT, BEFORE)


@pytest.fixture(params=DOORS, ids=lambda door: door.name)
def door(request: pytest.FixtureRequest) -> Door:
    given_door: Door = request.param
    return given_door


class _Clock(FakeClock):
    def __init__(self, now_s: float) -> None:
        self._now_ms = now_s * 1000

    def now_ms(self) -> float:
        return self._now_ms


def read(
    door: Door, sent: Sent, secrets: tuple[str, ...] = BOTH, now_s: float = NOW_S, *, times: int = 1
) -> list[Any]:
    reader = door.open(secrets, _Clock(now_s))

    async def reading() -> list[Any]:
        for _ in range(times - 1):
            await reader(sent)
        return await reader(sent)

    return asyncio.run(reading())


def made(door: Door, secret: str = CURRENT, now_s: float = NOW_S) -> Sent:
    return door.sent(door.body_of(door.made[0]), secret, now_s)


def refused(door: Door, sent: Sent, secrets: tuple[str, ...] = BOTH, now_s: float = NOW_S, *, times: int = 1) -> None:
    with pytest.raises((Unauthenticated, InvalidRequest)) as error:
        read(door, sent, secrets, now_s, times=times)
    assert not error.value.retryable


def keyless(door: Door, sent: Sent, secrets: tuple[str, ...] = BOTH) -> None:
    with pytest.raises(Unauthenticated):
        read(door, sent, secrets)


# who is let in


def test_what_the_provider_sends_is_read(door: Door) -> None:
    for document in door.made:
        assert len(read(door, door.sent(door.body_of(document), CURRENT, NOW_S))) > 1


def test_while_the_secret_is_rotated_the_one_before_counts_too(door: Door) -> None:
    assert read(door, made(door))
    if door.name != "twilio-key":  # whose keys have names, so that both are known at once
        assert read(door, made(door, BEFORE))
    keyless(door, made(door, STRANGERS))
    keyless(door, made(door, CURRENT), (BEFORE, ""))


@pytest.mark.filterwarnings("ignore::jwt.warnings.InsecureKeyLengthWarning")
def test_an_empty_secret_opens_nothing(door: Door) -> None:
    keyless(door, made(door, ""), (CURRENT, ""))


def test_each_header_counts(door: Door) -> None:
    sent = made(door)
    for name, value in sent.headers.items():
        rest = {each: text for each, text in sent.headers.items() if each != name}
        changed = value[:-2] + ("AA" if value[-2:] != "AA" else "BB")
        for wrong in ("", changed, value + "0", "é", "\x00", "A" * 10_000):
            refused(door, replace(sent, headers=rest | {name: wrong}))
        if name != "X-Twilio-Webhooks-Signature-Settings":  # without it another secret would have to have signed
            refused(door, replace(sent, headers=rest))
        keyless(door, replace(sent, headers=rest))


def test_without_anything_nobody_comes_in(door: Door) -> None:
    keyless(door, replace(made(door), headers={}))


def test_every_byte_of_the_body_counts(door: Door) -> None:
    if BODY not in door.binds:
        pytest.skip("a secret is shown, and nothing signed")
    sent = made(door)
    for at in range(0, len(sent.body), 7):
        other = bytes([sent.body[at] ^ 1])
        refused(door, replace(sent, body=sent.body[:at] + other + sent.body[at + 1 :]))
    for body in (b"", sent.body[:-1], sent.body + b"&x=y", sent.body * 2):
        refused(door, replace(sent, body=body))


def test_the_address_counts(door: Door) -> None:
    sent = made(door)
    if ADDRESS not in door.binds:
        pytest.skip("it is not covered")
    for path in (sent.path + "0", sent.path.upper(), sent.path[:-1], "/x" + sent.path, ""):
        keyless(door, replace(sent, path=path))


def test_a_repetition(door: Door) -> None:
    sent = made(door)
    if door.is_once:
        refused(door, sent, times=2)
    else:
        assert read(door, sent, times=2)


def test_a_request_is_good_for_as_long_as_it_says(door: Door) -> None:
    if door.window_s is None:
        pytest.skip("it does not say when it was made")
    before_s, after_s = door.window_s
    for made_at_s in (NOW_S - before_s, NOW_S, NOW_S + after_s):
        assert read(door, made(door, now_s=made_at_s))
    for made_at_s in (0, NOW_S - before_s - 1, NOW_S + after_s + 1, 2 * NOW_S):
        keyless(door, made(door, now_s=made_at_s))


@pytest.mark.parametrize("size", [300_000, 2_000_000])
def test_what_is_too_large_is_not_read(door: Door, size: int) -> None:
    body = door.body_of({**door.made[0], "filler": "x" * size})
    if not door.name.startswith("sarvam"):
        refused(door, door.sent(body, CURRENT, NOW_S))
    elif size > 1024 * 1024:
        assert len(read(door, door.sent(body, CURRENT, NOW_S))) == 1, "the outline for the log, and nothing else"


def test_another_content_type(door: Door) -> None:
    if door.name in ("connect", "sarvam", "sarvam-result"):
        pytest.skip("whose body is JSON, whatever it is called")
    sent = made(door)
    for content_type in ("", "text/plain", "multipart/form-data; boundary=x", "application/xml"):
        refused(door, replace(sent, content_type=content_type))


# content

_HALVES = st.sampled_from(["\ud83d", "so \udc00", "\x00", "\u202e", "é" * 300, "9" * 400, "1e999", "-1", "٣"])
_PLAIN = st.none() | st.booleans() | st.integers() | st.floats() | st.text(max_size=20) | _HALVES
_JUNK = st.recursive(
    _PLAIN | st.just(10**5000 // 10**1000),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=8) | _HALVES, inner, max_size=3),
    max_leaves=8,
)
_LESS = settings(max_examples=50, deadline=None, derandomize=True, suppress_health_check=list(HealthCheck))


@st.composite
def spoiled(draw: st.DrawFn, whole: Any) -> Any:
    """The same document with parts of it gone, or something else."""
    fate = draw(st.integers(0, 9))
    if fate == 0:
        return draw(_JUNK)
    if isinstance(whole, Mapping):
        kept = {name: draw(spoiled(part)) for name, part in whole.items() if draw(st.integers(0, 9))}
        return kept | draw(st.dictionaries(st.text(max_size=8), _PLAIN, max_size=1))
    if isinstance(whole, list):
        return [draw(spoiled(part)) for part in whole]
    return draw(_JUNK) if fate == 1 else whole


def plain(value: Any) -> Any:
    """All that was read, also what is not shown."""
    if dataclasses.is_dataclass(value) and not isinstance(value, type):
        return {each.name: plain(getattr(value, each.name)) for each in dataclasses.fields(value)}
    if isinstance(value, Enum):
        return value.value
    if isinstance(value, Mapping):
        return {str(name): plain(part) for name, part in value.items()}
    if isinstance(value, list | tuple | set | frozenset):
        return [plain(part) for part in value]
    return value


@pytest.mark.parametrize("name", list(BY_NAME))
@given(data=st.data())
@_LESS
def test_whatever_is_in_a_document_it_is_read_or_refused(name: str, data: st.DataObject) -> None:
    """And what is read can be written again: to a store, to a provider, into an answer."""
    door = BY_NAME[name]
    whole = data.draw(st.sampled_from(door.made))
    document = data.draw(spoiled(whole))
    try:
        body = door.body_of(document if isinstance(document, dict) else {"x": document})
        found = read(door, door.sent(body, CURRENT, NOW_S))
    except (InvalidRequest, Unauthenticated):
        return
    json.dumps(plain(found), ensure_ascii=False).encode()


@pytest.mark.parametrize("name", list(BY_NAME))
@given(
    body=st.binary(max_size=300)
    | st.sampled_from([b"[" * 60_000, b"1" * 60_000, b"%ff=%fe", b"&&=", b"\xef\xbb\xbf{}"])
)
@_LESS
def test_no_bytes_break_the_reading(name: str, body: bytes) -> None:
    door = BY_NAME[name]
    with suppress(InvalidRequest, Unauthenticated):
        read(door, door.sent(body, CURRENT, NOW_S))


@pytest.mark.parametrize("name", list(BY_NAME))
@given(headers=st.dictionaries(st.text(max_size=20), st.text(max_size=60)), token=st.text(max_size=80))
@_LESS
def test_no_headers_let_anybody_in(name: str, headers: dict[str, str], token: str) -> None:
    door = BY_NAME[name]
    sent = made(door)
    encoded = "Bearer " + base64.urlsafe_b64encode(token.encode(errors="replace")).decode()
    for wrong in (headers, *(headers | dict.fromkeys(sent.headers, each) for each in (token, encoded))):
        with pytest.raises((Unauthenticated, InvalidRequest)):
            read(door, replace(sent, headers=wrong))
