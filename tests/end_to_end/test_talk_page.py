"""A person talks to the agent on the page: signs in, speaks, reads and hears the answer, and hangs up."""

from __future__ import annotations

import asyncio
import base64
import json
import time
import wave
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from shared.domain.telephony.lines import Line
from tests.end_to_end.browser import BrowserError, Tab, browser_tab, chromium_path
from tests.end_to_end.outside import ask
from tests.end_to_end.scripted_service import ScriptedService
from tests.end_to_end.stack import Stack
from tests.end_to_end.words import word_error_rate, words

pytestmark = [
    pytest.mark.slow,
    pytest.mark.end_to_end,
    pytest.mark.skipif(chromium_path() is None, reason="Chromium is not installed"),
]
_WEB = pytest.mark.parametrize("line", [pytest.param(Line.WEB, id="web")])

VOICE = "librivox-0880"
SHORT_VOICE = "tt-weasels"
SPANISH = "es-ES"
GREETING = "Acme Telephones, this is Nora. How can I help you?"
HEARD_AND_SAID_DIFFER_MS = 1500
LONG_VOICE = "librivox-0870"
MICROPHONE_RATE_HZ = 48_000
# The file starts with the microphone; the agent greets in the meantime.
GREETING_S = 8.0
AFTER_S = 120.0
# The browser's noise suppression and echo cancellation take their toll on a recording.
MAX_WORD_ERROR_RATE = 0.34

# A microphone that speaks when the test tells it to.
SPEAKING_MICROPHONE = """
navigator.mediaDevices.getUserMedia = async () => {
  const context = new AudioContext();
  const microphone = context.createMediaStreamDestination();
  window.speak = async (wav) => {
    const bytes = Uint8Array.from(atob(wav), (letter) => letter.charCodeAt(0));
    const source = context.createBufferSource();
    source.buffer = await context.decodeAudioData(bytes.buffer);
    source.connect(microphone);
    source.start();
  };
  return microphone.stream;
};
"""
# The page asks for an agent of the tests' own.
BILINGUAL_AGENT = """
const ask = window.fetch;
window.fetch = (address, options) =>
  ask(address, String(address).endsWith("/negotiate") ? { ...options, body: '{"agent_id": "bilingual"}' } : options);
"""
# A network that the test cuts and mends.
NETWORK = """
window.sockets = [];
window.cut = () => {
  window.isCut = true;
  for (const socket of window.sockets) socket.close();
};
window.WebSocket = class extends WebSocket {
  constructor(...address) {
    super(...address);
    window.sockets.push(this);
    if (window.isCut) this.close();
  }
};
"""


def spoken(voice: dict[str, Any], path: Path, *, before_s: float, after_s: float) -> Path:
    """Writes the recording at the microphone's rate, between two silences."""
    with wave.open(str(voice["file"])) as source:
        rate_hz, channels = source.getframerate(), source.getnchannels()
        samples = np.frombuffer(source.readframes(source.getnframes()), dtype="<i2")[::channels]
    times = np.arange(int(len(samples) * MICROPHONE_RATE_HZ / rate_hz)) * rate_hz / MICROPHONE_RATE_HZ
    speech = np.interp(times, np.arange(len(samples)), samples)
    silences = [np.zeros(int(seconds * MICROPHONE_RATE_HZ)) for seconds in (before_s, after_s)]
    with wave.open(str(path), "wb") as target:
        target.setnchannels(1)
        target.setsampwidth(2)
        target.setframerate(MICROPHONE_RATE_HZ)
        target.writeframes(np.concatenate([silences[0], speech, silences[1]]).astype("<i2").tobytes())
    return path


async def wait_for_state(tab: Tab, *states: str, within_s: float) -> None:
    listed = json.dumps(states)
    await tab.wait_for(f"{listed}.includes(document.querySelector('main').dataset.state)", within_s=within_s)


async def wait_until_said(tab: Tab) -> str:
    """All that the agent says, once it is over: between two sentences it may be silent for a moment."""
    said = ""
    while True:
        await wait_for_state(tab, "listening", within_s=60)
        before, said = said, await all_words(tab, "agent")
        if said == before:
            return said
        await asyncio.sleep(1.5)


async def sign_in(tab: Tab, stack: Stack) -> None:
    await tab.open(f"{stack.app_url}/")
    await tab.click("#sign-in")
    await tab.wait_for(f"location.href.startsWith({json.dumps(stack.identity_url)})", within_s=15)
    await tab.click("button[name=login][value=carl]")
    await wait_for_state(tab, "ready", within_s=15)


async def dial(tab: Tab) -> str:
    """Starts the call and gives its id, from the app's own answer."""
    request: asyncio.Future[str] = asyncio.get_running_loop().create_future()

    def on_response(event: dict[str, Any]) -> None:
        if event["response"]["url"].endswith("/api/realtime/negotiate") and not request.done():
            request.set_result(event["requestId"])

    tab.on("Network.responseReceived", on_response)
    await tab.click("#dial")
    async with asyncio.timeout(20):
        request_id = await request
        # The body is there a moment after the head.
        while True:
            try:
                body = await tab.send("Network.getResponseBody", requestId=request_id)
                return str(json.loads(body["body"])["call_id"])
            except (BrowserError, ValueError):
                await asyncio.sleep(0.05)


async def speak(tab: Tab, voice: dict[str, Any], folder: Path) -> None:
    """Into the microphone that speaks when it is told to."""
    recording = spoken(voice, folder / "voice.wav", before_s=0, after_s=0.1)
    await tab.evaluate(f"window.speak('{base64.b64encode(recording.read_bytes()).decode()}')")


async def hang_up(tab: Tab) -> None:
    await tab.click("#hang-up")
    await wait_for_state(tab, "ended", within_s=5)


async def all_words(tab: Tab, who: str) -> str:
    texts = f"[...document.querySelectorAll('.words.{who} .text')].map(words => words.innerText)"
    return str(await tab.evaluate(f"{texts}.join(' ')"))


async def all_waits(tab: Tab) -> dict[str, int]:
    """Turns and the milliseconds that stand beside their bars."""
    waits: dict[str, int] = await tab.evaluate(
        "Object.fromEntries([...document.querySelectorAll('.wait')].map(wait =>"
        " [wait.closest('li').dataset.turn, parseInt(wait.querySelector('.total').lastChild.textContent)]))"
    )
    return waits


async def ended_call(stack: Stack, call_id: str, token: str) -> dict[str, Any]:
    """What the app's API says of the call once its records are kept."""
    async with asyncio.timeout(30):
        while (record := await stack.get(f"/api/calls/{call_id}", token))["state"] not in {"completed", "failed"}:
            await asyncio.sleep(0.2)
    return record


async def answer_with(tab: Tab, path: str, status: int, problem: dict[str, Any]) -> None:
    """From now on the browser answers requests for `path` itself, with a problem."""
    body = base64.b64encode(json.dumps(problem).encode()).decode()
    headers = [{"name": "Content-Type", "value": "application/problem+json"}]
    tab.on(
        "Fetch.requestPaused",
        lambda event: tab.later(
            "Fetch.fulfillRequest",
            requestId=event["requestId"],
            responseCode=status,
            responseHeaders=headers,
            body=body,
        ),
    )
    await tab.send("Fetch.enable", patterns=[{"urlPattern": f"*{path}"}])


@asynccontextmanager
async def signed_in_tab(stack: Stack, folder: Path, *scripts: str, **options: Any) -> AsyncIterator[Tab]:
    async with browser_tab(folder / "profile", **options) as tab:
        for script in scripts:
            await tab.send("Page.addScriptToEvaluateOnNewDocument", source=script)
        await sign_in(tab, stack)
        yield tab


@_WEB
async def test_a_person_is_heard_and_hears_the_answer(
    stack: Stack, operator: str, tmp_path: Path, proved: Callable[[], None]
) -> None:
    voice = stack.voice(VOICE)
    microphone = spoken(voice, tmp_path / "microphone.wav", before_s=GREETING_S, after_s=AFTER_S)
    async with signed_in_tab(stack, tmp_path, microphone=microphone) as tab:
        call_id = await dial(tab)
        await wait_for_state(tab, "speaking", within_s=30)
        await tab.wait_for("!!document.querySelector('li[data-turn=\"0\"] .agent')", within_s=10)

        await tab.wait_for("!!document.querySelector('.words.caller')", within_s=45)
        await tab.wait_for("!!document.querySelector('li:not([data-turn=\"0\"]) .agent')", within_s=60)
        await wait_for_state(tab, "speaking", within_s=30)
        said = await wait_until_said(tab)
        heard = await all_words(tab, "caller")
        assert word_error_rate(voice["text"], heard) <= MAX_WORD_ERROR_RATE, heard
        assert await tab.text("#elapsed") not in {"", "0:00"}
        await tab.wait_for("!!document.querySelector('.wait')", within_s=10)
        waited = await all_waits(tab)

        await hang_up(tab)
        assert "You hung up" in await tab.text("#hint")
        await tab.wait_for("document.querySelector('#dial').checkVisibility()", within_s=5)
        assert not [line for line in tab.console if "Content Security Policy" in line]

    record = await ended_call(stack, call_id, operator)
    assert record["end_reason"] == "caller_hung_up"
    told = [turn for turn in record["turns"] if turn["said"]]
    assert " ".join(turn["said"] for turn in told).split() == said.split()
    # The page has reported the marks of what was really played.
    assert all(turn["moments"]["playback_ended_ms"] > turn["moments"]["first_frame_sent_ms"] for turn in told)
    latencies = {str(turn["number"]): turn["latency"]["total_ms"] for turn in record["turns"] if turn["latency"]}
    assert latencies
    # Half a millisecond may be rounded either way.
    assert waited == pytest.approx({number: latencies[number] for number in waited}, abs=0.6)
    proved()


@_WEB
async def test_the_agent_can_be_interrupted(
    stack: Stack, operator: str, tmp_path: Path, proved: Callable[[], None]
) -> None:
    async with signed_in_tab(stack, tmp_path, SPEAKING_MICROPHONE, BILINGUAL_AGENT) as tab:
        call_id = await dial(tab)
        await wait_for_state(tab, "speaking", within_s=30)
        began_s = time.monotonic()
        await speak(tab, stack.voice(LONG_VOICE), tmp_path)
        await tab.wait_for("!!document.querySelector('.agent.interrupted')", within_s=15)
        spoke_ms = (time.monotonic() - began_s) * 1000
        await tab.wait_for("!!document.querySelector('.words.caller')", within_s=45)
        await hang_up(tab)
    greeting = (await ended_call(stack, call_id, operator))["turns"][0]
    assert greeting["outcome"] == "interrupted"
    heard = words(greeting["said"])
    assert words(GREETING)[: len(heard)] == heard
    assert 0 < len(heard) < len(words(GREETING)), "what was thrown away was not heard"
    assert abs(await stack.audible_ms(greeting["said"]) - spoke_ms) < HEARD_AND_SAID_DIFFER_MS, greeting["said"]
    proved()


@_WEB
async def test_the_call_is_an_operators_too(
    scripted_stack: Stack, scripted_operator: str, tmp_path: Path, proved: Callable[[], None]
) -> None:
    """The services go by a script: of the models of this machine none hears Spanish."""
    stack, operator, voice = scripted_stack, scripted_operator, scripted_stack.voice(SHORT_VOICE)
    exchange = {"voice": SHORT_VOICE, "heard": voice["text"], "reply": "A technician comes today."}
    await ScriptedService(stack.speech_url).give([exchange])
    async with signed_in_tab(stack, tmp_path, SPEAKING_MICROPHONE, BILINGUAL_AGENT) as tab:
        call_id = await dial(tab)
        await wait_for_state(tab, "speaking", within_s=30)
        switched = await ask(
            stack, operator, "POST", f"/api/calls/{call_id}/language", document={"language": SPANISH}
        )
        assert switched == (202, {"language": SPANISH})
        await wait_for_state(tab, "listening", within_s=30)
        await speak(tab, voice, tmp_path)
        await tab.wait_for("!!document.querySelector('li:not([data-turn=\"0\"]) .agent')", within_s=90)
        assert (await ask(stack, operator, "POST", f"/api/calls/{call_id}/hangup"))[0] == 202
        await wait_for_state(tab, "ended", within_s=10)
        assert "You hung up" not in await tab.text("#hint")
    record = await ended_call(stack, call_id, operator)
    assert (record["end_reason"], record["language"]) == ("operator_hung_up", SPANISH)
    asked = [
        one for one in await ScriptedService(stack.speech_url).requests() if one["details"].get("call_id") == call_id
    ]
    assert f"{SPANISH}: answer in it" in [one for one in asked if one["kind"] == "llm"][-1]["details"]["instructions"]
    proved()


async def test_a_lost_connection_is_told_and_comes_back(stack: Stack, tmp_path: Path) -> None:
    async with signed_in_tab(stack, tmp_path, NETWORK) as tab:
        await tab.click("#dial")
        await wait_for_state(tab, "speaking", within_s=30)
        await wait_for_state(tab, "listening", within_s=30)
        await tab.evaluate("window.cut()")
        await tab.wait_for("document.querySelector('#notice-title').innerText == 'Connection lost'", within_s=10)
        await tab.evaluate("window.isCut = false")
        await tab.wait_for("document.querySelector('#notice').hidden", within_s=20)
        assert await tab.text("#state") == "Listening"
        await hang_up(tab)


async def test_a_refusal_is_shown_with_its_reason(stack: Stack, tmp_path: Path) -> None:
    async with signed_in_tab(stack, tmp_path) as tab:
        problem = {"title": "No agent is free", "status": 503, "detail": "Try again in a minute."}
        await answer_with(tab, "/api/realtime/negotiate", 503, problem)
        await tab.click("#dial")
        await tab.wait_for("document.querySelector('#notice').innerText.includes('No agent is free')", within_s=10)
        assert "Try again in a minute." in await tab.text("#notice")
        await wait_for_state(tab, "ready", within_s=5)


async def test_a_token_that_is_refused_leads_back_to_the_sign_in(stack: Stack, tmp_path: Path) -> None:
    async with signed_in_tab(stack, tmp_path) as tab:
        problem = {"title": "Unauthenticated", "status": 401, "detail": "The token has expired."}
        await answer_with(tab, "/api/realtime/negotiate", 401, problem)
        await tab.click("#dial")
        await wait_for_state(tab, "signed_out", within_s=10)
        assert "The token has expired." in await tab.text("#notice")


async def test_without_a_microphone_no_call_is_made(stack: Stack, tmp_path: Path) -> None:
    async with signed_in_tab(stack, tmp_path, allow_microphone=False) as tab:
        asked: list[str] = []
        tab.on("Network.requestWillBeSent", lambda event: asked.append(event["request"]["url"]))
        await tab.click("#dial")
        await tab.wait_for(
            "document.querySelector('#notice').innerText.includes('microphone is blocked')", within_s=10
        )
        await wait_for_state(tab, "ready", within_s=5)
        assert not [url for url in asked if url.endswith("/negotiate")]


async def test_a_sign_in_that_fails_says_so(stack: Stack, tmp_path: Path) -> None:
    async with browser_tab(tmp_path / "profile") as tab:
        await tab.open(f"{stack.app_url}/?error=access_denied&error_description=Not+today&state=unknown")
        await tab.wait_for("document.querySelector('#notice').innerText.includes('Sign-in failed')", within_s=15)
        await wait_for_state(tab, "signed_out", within_s=5)
        assert await tab.evaluate("location.search") == ""
