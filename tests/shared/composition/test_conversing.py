"""The steps of a turn can be made for every kind of line, whatever carriers are set up."""

from __future__ import annotations

import pytest

from shared.composition import Services
from shared.domain.errors import InvalidRequest
from shared.domain.telephony.lines import Line, Provider
from shared.ports.live_calls import LiveCall
from shared.settings import Settings
from shared.use_cases.hearing.hear import Hear
from shared.use_cases.speaking.speak import Speak
from shared.use_cases.texting.hear_words import HearWords
from shared.use_cases.texting.speak_words import SpeakWords
from tests.shared.composition.test_services import NEEDED

_KEYS = {"OPENAI_API_KEY": "key", "WEB_PUBSUB_CONNECTION_STRING": "Endpoint=http://hub;AccessKey=abc;Version=1.0;"}


async def test_each_step_is_there_for_sound_and_for_words() -> None:
    services = Services(Settings.from_environment(NEEDED | _KEYS))
    assert isinstance(services.hear.of_sound, Hear)
    assert isinstance(services.hear.of_words, HearWords)
    assert isinstance(services.speak.of_sound, Speak)
    assert isinstance(services.speak.of_words, SpeakWords)
    assert services.hear is services.hear
    assert services.take_text_turn.orders is services.transfer_orders
    assert services.calling.order == services.transfer_orders.order
    assert services.text_streams.end_call is services.end_call


async def test_a_line_that_has_no_socket_has_no_text_channel() -> None:
    services = Services(Settings.from_environment(NEEDED | _KEYS))
    live = LiveCall("call-1", "tenant-1", "nora", Provider.CONNECT, "x", Line.CONNECT)
    with pytest.raises(InvalidRequest, match="no_text_channel"):
        services.transfer_orders.channels.open_text(live)
