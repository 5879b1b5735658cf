"""A call on a line that carries words, from the control door to the picture."""

from __future__ import annotations

import json
from pathlib import Path

import aiohttp
import pytest

from local_stack.phones import wav
from local_stack.phones.exchange import Setup
from local_stack.phones.plot import write_picture
from local_stack.phones.server import make_app
from local_stack.phones.switchboard import NoSuchLine, Switchboard, open_switchboard
from local_stack.phones.twilio.call_book import CallBook
from tests.local_stack.phones.spoken_words import ToneSpeech
from tests.local_stack.phones.switchboards import twilio_only
from tests.local_stack.phones.test_server import serving_phones
from tests.local_stack.phones.twilio.calling import ACCOUNT
from tests.local_stack.phones.twilio.text_app import TextApp, serving
from tests.local_stack.phones.twilio.voice_app import tone

TURN = '<Gather input="speech" action="/turn" speechTimeout="auto"><Say>Hello</Say></Gather>'


async def test_the_line_is_chosen_and_the_picture_shows_the_words(tmp_path: Path) -> None:
    wav.write(tmp_path / "said.wav", tone(0.5, 600), 8000)
    switchboard = twilio_only(CallBook(ACCOUNT, tmp_path, speech=ToneSpeech(words=["which folder"])))
    wish = {"provider": "twilio-gather", "utterances": [{"file": str(tmp_path / "said.wav")}], "quiet_ms": 200}
    async with serving(TextApp()) as app, serving_phones(make_app(switchboard, app.origin)) as url:
        app.twiml("/api/webhooks/twilio/voice", TURN)
        app.twiml("/turn", TURN)
        async with aiohttp.ClientSession() as session, session.post(f"{url}/_local/calls", json=wish) as response:
            events = [json.loads(line) async for line in response.content]
    assert events[0]["to"] == "+15550100013"
    result = events[-1]["result"]
    turn = result["turns"][1]
    assert (turn["understood"], turn["spoken"], result["media_opened"]) == ("which folder", "Hello", True)
    assert 0 <= turn["words_to_audio_ms"] < turn["response_ms"]
    picture, stereo = write_picture(Path(result["files"]["events"]).parent)
    assert picture.stat().st_size > 10_000
    assert stereo.is_file()


async def test_a_line_that_nobody_serves_is_refused(tmp_path: Path) -> None:
    switchboard = Switchboard([])
    with pytest.raises(NoSuchLine, match="Vonage is not set up"):
        switchboard.serving("vonage")
    with pytest.raises(NoSuchLine, match="no line 'pigeon'"):
        switchboard.serving("pigeon")
    async with (
        serving_phones(make_app(twilio_only(CallBook(ACCOUNT, None)), "http://localhost:1")) as url,
        aiohttp.ClientSession() as session,
        session.post(f"{url}/_local/calls", json={"provider": "pigeon", "speaks": False}) as response,
    ):
        assert response.status == 400
        assert "no line 'pigeon'" in (await response.json())["error"]


def test_accounts_come_from_the_environment() -> None:
    sub = "AC" + "b" * 32
    environment = {
        "TWILIO_ACCOUNT_SID": ACCOUNT.sid,
        "TWILIO_AUTH_TOKEN": ACCOUNT.auth_token,
        "TWILIO_SHARED_KEYS": '{"SK1":"secret"}',
        "TWILIO_SUBACCOUNTS": json.dumps({sub: {"tokens": ["current", "before"]}}),
    }
    switchboard = open_switchboard(Setup(environment, "http://localhost:1", None, ToneSpeech()))
    exchange = switchboard.serving("twilio-relay")
    assert exchange is switchboard.serving("twilio")
    book = exchange.book  # type: ignore[attr-defined]
    assert book.account.shared_keys == {"SK1": "secret"}
    assert (book.accounts[sub].auth_token, book.accounts[sub].owner_sid) == ("current", ACCOUNT.sid)


@pytest.mark.parametrize("name", ["TWILIO_SHARED_KEYS", "TWILIO_SUBACCOUNTS"])
def test_a_setting_that_cannot_be_read_is_one_clear_line(name: str) -> None:
    environment = {"TWILIO_ACCOUNT_SID": ACCOUNT.sid, "TWILIO_AUTH_TOKEN": "t", name: "[1"}
    with pytest.raises(ValueError, match=f"{name} is not a JSON object"):
        open_switchboard(Setup(environment, "http://localhost:1", None, ToneSpeech()))
