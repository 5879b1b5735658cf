"""A headless Chromium with a microphone that plays a file, driven over its own debugging protocol."""

from __future__ import annotations

import asyncio
import base64
import itertools
import json
import shutil
import time
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager, suppress
from pathlib import Path
from typing import Any

import aiohttp

START_DEADLINE_S = 30.0
COMMAND_DEADLINE_S = 20.0
END_DEADLINE_S = 5.0
POLL_S = 0.05

_FLAGS = (
    "--headless",
    "--no-sandbox",
    "--disable-gpu",
    "--disable-quic",
    "--disable-dev-shm-usage",
    "--no-first-run",
    "--disable-background-networking",
    "--disable-component-update",
    "--disable-sync",
    "--autoplay-policy=no-user-gesture-required",
    "--use-fake-device-for-media-stream",
    "--remote-debugging-port=0",
    "--window-size=1180,800",
)


def chromium_path() -> str | None:
    """Where Debian's Chromium, or another one, is installed; None if there is none."""
    return next(
        (path for name in ("chromium", "chromium-browser", "google-chrome") if (path := shutil.which(name))),
        None,
    )


class BrowserError(AssertionError):
    """The browser refused a command, or the page did not become what was waited for."""


class Tab:
    """One page, over one connection of the debugging protocol.

    Source: https://chromedevtools.github.io/devtools-protocol/
    """

    def __init__(self, socket: aiohttp.ClientWebSocketResponse) -> None:
        self._socket = socket
        self._numbers = itertools.count(1)
        self._answers: dict[int, asyncio.Future[dict[str, Any]]] = {}
        self._handlers: dict[str, Callable[[dict[str, Any]], None]] = {}
        self._sent: set[asyncio.Task[dict[str, Any]]] = set()
        self._reader = asyncio.create_task(self._read())
        self.console: list[str] = []

    async def send(self, method: str, **params: Any) -> dict[str, Any]:
        """The result of one command. Raises: BrowserError."""
        number = next(self._numbers)
        answer = self._answers[number] = asyncio.get_running_loop().create_future()
        await self._socket.send_json({"id": number, "method": method, "params": params})
        async with asyncio.timeout(COMMAND_DEADLINE_S):
            message = await answer
        if "error" in message:
            raise BrowserError(f"{method}: {message['error']['message']}")
        return message["result"]

    def later(self, method: str, **params: Any) -> None:
        """Sends a command whose answer nobody waits for; for use in handlers of events."""
        task = asyncio.create_task(self.send(method, **params))
        self._sent.add(task)
        task.add_done_callback(self._sent.discard)

    def on(self, event: str, handler: Callable[[dict[str, Any]], None]) -> None:
        self._handlers[event] = handler

    async def evaluate(self, expression: str) -> Any:
        """The value of a JavaScript expression; a promise is awaited. Raises: BrowserError if it throws."""
        result = await self.send(
            "Runtime.evaluate", expression=expression, returnByValue=True, awaitPromise=True, userGesture=True
        )
        if "exceptionDetails" in result:
            raise BrowserError(f"{expression}: {result['exceptionDetails']}")
        return result["result"].get("value")

    async def open(self, url: str) -> None:
        result = await self.send("Page.navigate", url=url)
        if result.get("errorText"):
            raise BrowserError(f"{url}: {result['errorText']}")

    async def wait_for(self, expression: str, *, within_s: float) -> Any:
        """The first truthy value of the expression. Raises: BrowserError with what the page shows instead."""
        until = time.monotonic() + within_s
        while time.monotonic() < until:
            # While the page navigates there is no document to ask; the next round asks the new one.
            with suppress(BrowserError):
                if value := await self.evaluate(expression):
                    return value
            await asyncio.sleep(POLL_S)
        shown = await self.evaluate("location.href + '\\n' + document.body.innerText")
        raise BrowserError(
            f"not within {within_s} s: {expression}\nThe page shows: {shown}\nIts console: {self.console}"
        )

    async def click(self, selector: str, *, within_s: float = 10.0) -> None:
        """Clicks the middle of the element as a mouse does, once it is visible and enabled."""
        name = json.dumps(selector)
        visible = f"(e => e && !e.disabled && e.checkVisibility())(document.querySelector({name}))"
        await self.wait_for(visible, within_s=within_s)
        box = await self.evaluate(
            f"(e => {{ e.scrollIntoView({{block: 'center'}}); const r = e.getBoundingClientRect();"
            f" return [r.x + r.width / 2, r.y + r.height / 2] }})(document.querySelector({name}))"
        )
        for kind in ("mousePressed", "mouseReleased"):
            await self.send("Input.dispatchMouseEvent", type=kind, x=box[0], y=box[1], button="left", clickCount=1)

    async def text(self, selector: str) -> str:
        return str(await self.evaluate(f"document.querySelector({json.dumps(selector)})?.innerText ?? ''"))

    async def screenshot(self, path: Path) -> None:
        shot = await self.send("Page.captureScreenshot", format="png")
        path.write_bytes(base64.b64decode(shot["data"]))

    async def _read(self) -> None:
        await self._take_messages()
        for answer in self._answers.values():
            if not answer.done():
                answer.set_exception(BrowserError("the browser has closed"))

    @staticmethod
    def _settle(answer: asyncio.Future[dict[str, Any]], message: dict[str, Any]) -> None:
        """One that waited for the answer may have given up by now."""
        if not answer.done():
            answer.set_result(message)

    async def _take_messages(self) -> None:
        async for frame in self._socket:
            message = json.loads(frame.data)
            if "id" in message:
                self._settle(self._answers.pop(message["id"]), message)
                continue
            method, params = message["method"], message["params"]
            if method == "Runtime.exceptionThrown":
                self.console.append(json.dumps(params["exceptionDetails"].get("exception", {}).get("description")))
            elif method == "Log.entryAdded":
                self.console.append(f"{params['entry']['level']}: {params['entry']['text']}")
            elif handler := self._handlers.get(method):
                handler(params)


async def _debugging_port(profile: Path, process: asyncio.subprocess.Process) -> int:
    """The port that Chromium chose; it writes it into its profile once it listens."""
    file = profile / "DevToolsActivePort"
    until = time.monotonic() + START_DEADLINE_S
    while time.monotonic() < until and process.returncode is None:
        if file.is_file() and (lines := file.read_text().splitlines()):
            return int(lines[0])
        await asyncio.sleep(POLL_S)
    raise BrowserError("Chromium did not start")


async def _end(process: asyncio.subprocess.Process) -> None:
    """Waits for a browser that was asked to close; makes it if it does not."""
    for force in (lambda: None, process.terminate, process.kill):
        if process.returncode is None:
            force()
        with suppress(TimeoutError):
            async with asyncio.timeout(END_DEADLINE_S):
                await process.wait()
                return


@asynccontextmanager
async def browser_tab(
    profile: Path, *, microphone: Path | None = None, allow_microphone: bool = True
) -> AsyncIterator[Tab]:
    """A tab in a browser of its own; `microphone` is a WAV file that is played once, then there is silence.

    The file starts when the page opens the microphone.
    """
    binary = chromium_path()
    if binary is None:
        raise BrowserError("Chromium is not installed: apt-get install chromium")
    flags = [*_FLAGS, f"--user-data-dir={profile}"]
    flags.append("--use-fake-ui-for-media-stream" + ("" if allow_microphone else "=deny"))
    if microphone is not None:
        flags.append(f"--use-file-for-fake-audio-capture={microphone}%noloop")
    process = await asyncio.create_subprocess_exec(
        binary, *flags, "about:blank", stdout=asyncio.subprocess.DEVNULL, stderr=asyncio.subprocess.DEVNULL
    )
    try:
        port = await _debugging_port(profile, process)
        async with aiohttp.ClientSession() as session:
            async with session.get(f"http://127.0.0.1:{port}/json/list") as response:
                pages = [target for target in await response.json() if target["type"] == "page"]
            async with session.ws_connect(pages[0]["webSocketDebuggerUrl"], max_msg_size=0) as socket:
                tab = Tab(socket)
                for domain in ("Page", "Runtime", "Log", "Network"):
                    await tab.send(f"{domain}.enable")
                try:
                    yield tab
                finally:
                    with suppress(BrowserError, TimeoutError, ConnectionError):
                        await tab.send("Browser.close")
    finally:
        await _end(process)
