from __future__ import annotations

import asyncio
import json
import subprocess
from pathlib import Path
from typing import Any

import pytest
from aiohttp import ClientSession, web
from aiohttp.test_utils import TestServer, unused_port

from local_stack.phones import call, wav
from local_stack.phones.placing import CannotCall
from local_stack.phones.synthetic_voice import CannotSpeak, speak
from tests.local_stack.phones.test_server import phones
from tests.local_stack.phones.twilio.voice_app import VoiceApp, running, tone


async def token() -> str:
    return "operator-token"


@pytest.fixture
def recording(tmp_path: Path) -> Path:
    path = tmp_path / "question.wav"
    wav.write(path, tone(0.3, 600), 8000)
    return path


async def place(app: VoiceApp, state_dir: Path, *words: str) -> int:
    """Runs the command's own path against the small app, with a token that is given."""
    async with phones(app.origin, state_dir) as (url, _):
        options = call.arguments().parse_args(["--app-url", app.origin, "--phones-url", url, *words])
        assert call.checked(options) is None
        return await call.place(options, call.recordings(options), token)


async def test_0_when_answered_heard_and_replied_to(
    recording: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    async with running(VoiceApp()) as app:
        assert await place(app, tmp_path, "--audio", str(recording)) == 0
    out = capsys.readouterr().out
    assert 'caller ▸ "which folder"' in out
    assert 'agent  ▸ "a beep"' in out
    assert "transcript " in out
    assert "first frame heard " in out
    assert "✔ answered, heard 1 of 1, replied to 1 of 1" in out
    assert app.api_requests[0]["Authorization"] == "Bearer operator-token"
    (folder,) = (tmp_path / "calls").iterdir()
    assert (folder / "transcript.txt").read_text().startswith("agent: hello\n")
    assert str(folder / "agent.wav") in out


async def test_1_when_the_app_heard_nothing(
    recording: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    async with running(VoiceApp(transcript="")) as app:
        assert await place(app, tmp_path, "--audio", str(recording)) == 1
    assert "✘ not understood: no transcript of utterance 1" in capsys.readouterr().out


async def test_1_when_the_api_gives_no_answer_and_the_line_is_still_printed(
    recording: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    async with running(VoiceApp(api_status=403)) as app:
        assert await place(app, tmp_path, "--audio", str(recording)) == 1
    out = capsys.readouterr().out
    assert "agent  ♪ is heard" in out
    assert "answered 403" in out.splitlines()[-1]


async def test_1_when_the_call_is_not_answered(
    recording: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    async with running(VoiceApp(twiml="<Response><Reject/></Response>", record_known=False)) as app:
        assert await place(app, tmp_path, "--audio", str(recording)) == 1
    assert "✘ not answered: the app rejected the call: rejected" in capsys.readouterr().out


async def test_more_turns_than_recordings_start_again(recording: Path, tmp_path: Path) -> None:
    async with running(VoiceApp(greeting_s=0.1, reply_s=0.1)) as app:
        assert await place(app, tmp_path, "--audio", str(recording), "--turns", "2") == 0
    assert [turn["number"] for turn in app.turns] == [0, 1, 2]


async def test_text_is_spoken_by_the_speech_service(
    recording: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    wishes: list[dict[str, Any]] = []

    async def speak(request: web.Request) -> web.Response:
        wishes.append(await request.json())
        return web.Response(body=recording.read_bytes(), content_type="audio/wav")

    speech = web.Application()
    speech.router.add_post("/v1/audio/speech", speak)
    async with running(VoiceApp()) as app, TestServer(speech) as server:
        url = str(server.make_url("")).rstrip("/")
        assert await place(app, tmp_path, "--say", "What time is it?", "--speech-url", url) == 0
    assert (wishes[0]["input"], wishes[0]["response_format"]) == ("What time is it?", "wav")
    assert '(spoken: "What time is it?")' in capsys.readouterr().out


async def test_no_phone_simulator_is_one_clear_line(recording: Path) -> None:
    nowhere = f"http://127.0.0.1:{unused_port()}"
    options = call.arguments().parse_args(["--audio", str(recording), "--phones-url", nowhere])
    with pytest.raises(CannotCall, match="start the stack with `make run`"):
        await call.place(options, call.recordings(options), token)


@pytest.mark.parametrize(
    ("words", "reason"),
    [
        (["--audio", "missing.wav"], "missing.wav: No such file"),
        (["--audio", "text.wav"], "text.wav: not a WAV file"),
        (["--audio", "question.wav", "--turns", "0"], "--turns"),
        (["--audio", "question.wav", "--to", "911"], "not a phone number"),
        (["--say", "  "], "--say has no text"),
        (["--state-dir", "empty"], "no recorded voices"),
        (["--provider", "pigeon"], "invalid choice: 'pigeon'"),
        (["--loud"], "--loud"),
        (["--turns", "many"], "--turns"),
    ],
)
def test_2_for_wrong_usage(
    words: list[str], reason: str, recording: Path, monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
) -> None:  # fmt: skip
    monkeypatch.chdir(recording.parent)
    Path("text.wav").write_text("this is text")
    try:
        status = call.main(words)
    except SystemExit as left:
        status = int(str(left.code))
    assert status == 2
    message = capsys.readouterr().err
    assert reason in message
    assert message.startswith("call: ")
    assert message.count("\n") == 1


def test_1_without_a_speech_service(monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]) -> None:
    url = f"http://127.0.0.1:{unused_port()}"
    assert call.main(["--say", "Hello", "--speech-url", url]) == 1
    assert "no speech service at" in capsys.readouterr().err


def test_without_a_recording_the_first_of_the_index_are_spoken(recording: Path) -> None:
    voices = recording.parent / "voices"
    voices.mkdir()
    recording.rename(voices / "question.wav")
    entries = [{"file": "question.wav", "text": f"Number {n}?", "seconds": 2.0} for n in range(4)]
    (voices / "index.json").write_text(json.dumps(entries))
    options = call.arguments().parse_args(["--state-dir", str(recording.parent)])
    assert [said["text"] for said in call.recordings(options)] == ["Number 0?", "Number 1?"]


async def test_an_interrupted_command_hangs_up(recording: Path, tmp_path: Path) -> None:
    async with running(VoiceApp(greeting_s=5.0)) as app:
        calling = asyncio.create_task(place(app, tmp_path, "--audio", str(recording)))
        async with asyncio.timeout(20):
            while not app.events("media"):
                await asyncio.sleep(0.01)
        calling.cancel()
        with pytest.raises(asyncio.CancelledError):
            await calling
        await app.wait_until_hung_up()
    assert app.messages[-1]["event"] == "stop"


async def test_a_text_without_words_has_a_reason_of_its_own() -> None:
    async def silence(_: web.Request) -> web.Response:
        return web.Response(body=bytes(44))

    app = web.Application()
    app.router.add_post("/v1/audio/speech", silence)
    async with TestServer(app) as server, ClientSession() as session:
        with pytest.raises(CannotSpeak, match="nothing to say"):
            await speak(session, str(server.make_url("/")), "😀")


def test_options_of_make_reach_the_command_as_they_were_written(tmp_path: Path) -> None:
    text = 'She said "hi", it`s $5 & $(id); done'
    echo = tmp_path / "python"
    echo.write_text("#!/bin/sh\nprintf '%s\\n' \"$@\"\n")
    echo.chmod(0o755)
    words = ["make", "call", "PYTHON=true", f"VENV={tmp_path}", f"SAY={text}", "TURNS=2"]
    root = Path(__file__).parents[3]
    printed = subprocess.run(words, cwd=root, capture_output=True, text=True, check=True, timeout=20).stdout
    assert printed.splitlines()[-2:] == [f"--say={text}", "--turns=2"]


async def test_a_picture_and_a_stereo_file_where_they_are_asked_for(
    recording: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    async with running(VoiceApp()) as app:
        assert await place(app, tmp_path, "--audio", str(recording), "--plot") == 0
    (folder,) = (tmp_path / "calls").iterdir()
    assert (folder / "call.png").stat().st_size > 1000
    assert (folder / "call.wav").exists()
    assert json.loads((folder / "app.json").read_text())["turns"][1]["heard"] == "which folder"
    assert str(folder / "call.png") in capsys.readouterr().out


async def test_the_caller_can_interrupt_and_can_cough_into_a_reply(recording: Path, tmp_path: Path) -> None:
    words = ("--audio", str(recording), "--turns", "2", "--pattern", "bm", "--backchannel", "cough")
    async with running(VoiceApp(reply_s=3.0)) as app:
        assert await place(app, tmp_path, *words) == 0
    (folder,) = (tmp_path / "calls").iterdir()
    events = json.loads((folder / "events.json").read_text())["events"]
    assert [event["interrupts"] for event in events if event["event"] == "caller_started"] == [False, True]
    assert [event["label"] for event in events if event["event"] == "caller_murmured"] == ["cough (synthetic)"]


@pytest.mark.parametrize(("pattern", "complaint"), [("bx", "made of p"), ("pm", "what is murmured")])
def test_a_pattern_that_cannot_be_is_refused(
    pattern: str, complaint: str, capsys: pytest.CaptureFixture[str]
) -> None:
    assert call.main(["--pattern", pattern]) == 2
    assert complaint in capsys.readouterr().err
