"""Words for a person are kept by us; the address at which they are asked for says nothing and holds for a while."""

from __future__ import annotations

from urllib.parse import parse_qsl, urlsplit

import pytest

from shared.adapters.vonage.own_links import OwnLinks
from shared.adapters.vonage.whispers import LIFETIME_S, Whisper, Whispers
from shared.domain.errors import Unauthenticated
from shared.domain.telephony.commands import Transfer, TransferKind
from tests.fakes.clock import FakeClock
from tests.fakes.memory import FakeShortMemory

LINKS = OwnLinks("https://voice.example.com/", "secret")
WORDS = "Asha Rao, +44 20 7946 0000, about an invoice"
WARM = Transfer("+447700900001", TransferKind.WARM, WORDS, language="hi")


class Watch(FakeClock):
    """`passed_s`: how much later it is."""

    passed_s = 0.0

    def now_ms(self) -> float:
        return super().now_ms() + self.passed_s * 1000


def parts(url: str) -> tuple[str, str, str]:
    query = dict(parse_qsl(urlsplit(url).query, strict_parsing=True))
    assert query.keys() == {"id", "until", "mac"}
    return query["id"], query["until"], query["mac"]


async def test_the_address_holds_no_word_of_it() -> None:
    whispers = Whispers(FakeShortMemory(), LINKS, FakeClock())
    url = await whispers.keep(WARM)
    assert not any(word in url for word in ("Asha", "invoice", "447700900001"))
    assert await whispers.of(*parts(url)) == Whisper(WORDS, "hi")
    assert await whispers.of(*parts(url)) == Whisper(WORDS, "hi"), "Vonage may ask again"
    assert parts(await whispers.keep(WARM))[0] != parts(url)[0]


async def test_it_holds_for_a_while() -> None:
    watch = Watch()
    whispers = Whispers(FakeShortMemory(), LINKS, watch)
    url = await whispers.keep(WARM)
    watch.passed_s = LIFETIME_S - 1
    assert (await whispers.of(*parts(url))).text == WORDS
    watch.passed_s = LIFETIME_S + 1
    with pytest.raises(Unauthenticated, match="vonage_link"):
        await whispers.of(*parts(url))


async def test_what_is_forgotten_is_not_told() -> None:
    clock = FakeClock()
    url = await Whispers(FakeShortMemory(), LINKS, clock).keep(WARM)
    with pytest.raises(Unauthenticated, match="vonage_link"):
        await Whispers(FakeShortMemory(), LINKS, clock).of(*parts(url))


async def test_an_address_that_is_not_ours() -> None:
    memory, clock = FakeShortMemory(), FakeClock()
    whispers = Whispers(memory, LINKS, clock)
    whisper_id, until, mac = parts(await whispers.keep(WARM))
    forged = parts(await Whispers(memory, OwnLinks("https://voice.example.com", "other"), clock).keep(WARM))
    tampered = [
        (whisper_id + "A", until, mac),
        (whisper_id, str(int(until) + 1), mac),
        (whisper_id, until, mac[:-1]),
        (whisper_id, until, "é"),
        ("\ud800", "x", mac),
        ("", "", ""),
        forged,
    ]
    for address in tampered:
        with pytest.raises(Unauthenticated, match="vonage_link"):
            await whispers.of(*address)


@pytest.mark.parametrize("transfer", [None, Transfer("+447700900001"), Transfer("+447700900001", TransferKind.WARM)])
async def test_where_nothing_is_whispered(transfer: Transfer | None) -> None:
    assert await Whispers(FakeShortMemory(), LINKS, FakeClock()).keep(transfer) == ""
