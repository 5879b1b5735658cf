"""Every line says what it can do, and what it cannot is refused with what to do instead."""

from __future__ import annotations

import pytest

from shared.domain.telephony.lines import CAPABILITIES, Capability, Line, Unsupported, require

_WAYS = {Capability.AUDIO, Capability.TEXT_STREAM, Capability.TEXT_TURNS}


@pytest.mark.parametrize("line", Line)
def test_words_take_one_way(line: Line) -> None:
    ways = CAPABILITIES[line] & _WAYS
    assert len(ways) == 1
    assert line.carries_text == (ways != {Capability.AUDIO})


@pytest.mark.parametrize("line", Line)
def test_a_line_belongs_to_the_provider_of_its_name(line: Line) -> None:
    assert line.value.startswith(line.provider.value)


def test_what_a_line_can_do_is_not_refused() -> None:
    require(Line.TWILIO, Capability.WARM_TRANSFER)


def test_what_it_cannot_is_refused_with_an_alternative() -> None:
    with pytest.raises(Unsupported, match="connect has no warm transfer; instead: a cold transfer") as refused:
        require(Line.CONNECT, Capability.WARM_TRANSFER)
    assert refused.value.code == "unsupported"
    assert refused.value.alternative.startswith("a cold transfer")


def test_without_an_alternative_it_says_only_that() -> None:
    with pytest.raises(Unsupported, match=r"twilio has no live listening$"):
        require(Line.TWILIO, Capability.LIVE_LISTENING)
