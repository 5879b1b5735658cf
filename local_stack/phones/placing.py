"""Places a call through the phones part and follows it on both sides: on the line and in the app's record."""

from __future__ import annotations

import asyncio
import json
import time
from collections.abc import AsyncIterator, Mapping
from dataclasses import asdict, dataclass, field
from pathlib import Path
from typing import Any, Final

import aiohttp

from local_stack.phones.account_of_call import Verdict
from local_stack.phones.app_api import ApiUnreachable, AppApi
from local_stack.phones.call_files import CallFiles
from local_stack.phones.events import CallEvent
from local_stack.phones.operator_token import NoToken
from local_stack.phones.report import CallReport

POLL_S: Final = 0.2
LAST_WORDS_S: Final = 8.0
"""How long the app may take after the call to tell the rest of it."""
_MAX_LINE_BYTES: Final = 4 * 1024 * 1024


class CannotCall(Exception):
    """The call cannot be placed; the message is one line."""


@dataclass
class PlacedCall:
    """One call through the phones part at `phones_url`; `wish` is what its control route takes."""

    session: aiohttp.ClientSession
    phones_url: str
    wish: Mapping[str, Any]
    report: CallReport
    api: AppApi
    last_words_s: float = LAST_WORDS_S
    folder: Path | None = None
    """Where the call is kept, once it is over."""
    _over: asyncio.Event = field(default_factory=asyncio.Event)

    async def follow(self, wanted_turns: int) -> Verdict:
        """Returns when the call is over and all is printed. Raises: CannotCall."""
        result: Mapping[str, Any] | None = None
        polling: asyncio.Task[None] | None = None
        try:
            async for event in self._events():
                if event.name == "call_result":
                    result = event.facts["result"]
                    break
                self.report.on_event(event)
                if event.name == "call_started":
                    polling = asyncio.create_task(self._poll(event.facts["call_sid"]))
            self._over.set()
            if polling is not None and result is not None and result["media_opened"]:
                await polling
        finally:
            if polling is not None:
                polling.cancel()
                await asyncio.gather(polling, return_exceptions=True)
        if result is None:
            raise CannotCall("the phone simulator went away in the middle of the call")
        self.folder = None if result["files"] is None else Path(result["files"]["events"]).parent
        self._write_words(result)
        return self.report.finish(result, wanted_turns)

    async def _events(self) -> AsyncIterator[CallEvent]:
        url = f"{self.phones_url}/_local/calls"
        timeout = aiohttp.ClientTimeout(total=None, sock_connect=5)
        try:
            async with self.session.post(
                url, json=self.wish, timeout=timeout, read_bufsize=_MAX_LINE_BYTES
            ) as response:
                if response.status != 200:
                    raise CannotCall(f"the phone simulator refuses: {await _refusal(response)}")
                async for line in response.content:
                    yield CallEvent.from_json(json.loads(line))
        except aiohttp.ClientConnectorError:
            message = f"no phone simulator at {self.phones_url}: start the stack with `make run`"
            raise CannotCall(message) from None
        except (aiohttp.ClientError, OSError) as error:
            raise CannotCall(f"the phone simulator went away: {error or type(error).__name__}") from None

    async def _poll(self, call_sid: str) -> None:
        """Asks the app every 200 ms; after the call until the app has told all, or its time is up."""
        loop = asyncio.get_running_loop()
        told_all, deadline_s = False, None
        while not told_all:
            over = self._over.is_set()
            if over and deadline_s is None:
                deadline_s = loop.time() + self.last_words_s
            told_all = await self._ask(call_sid) and over
            if deadline_s is not None and loop.time() >= deadline_s:
                break
            await asyncio.sleep(POLL_S)
        if self.report.account.app_call is not None:
            self.report.on_record(self.report.account.app_call, time.time() * 1000, over=True)

    async def _ask(self, call_sid: str) -> bool:
        """Reports what the app knows; true when nothing more is to be expected of it."""
        try:
            call = await self.api.call_of(call_sid)
        except (ApiUnreachable, NoToken) as trouble:
            self.report.on_api_trouble(str(trouble))
            return self.report.account.app_call is None
        if call is None:
            return False
        self.report.on_record(call, time.time() * 1000)
        return call.over

    def _write_words(self, result: Mapping[str, Any]) -> None:
        """Puts the app's words, where they are known, in place of what the line alone could tell."""
        if result["files"] is not None and self.report.transcript:
            path = Path(result["files"]["transcript"])
            path.write_text(self.report.transcript, encoding="utf-8")
        if self.folder is not None and self.report.account.app_call is not None:
            record = json.dumps(asdict(self.report.account.app_call), indent=1, ensure_ascii=False)
            CallFiles(self.folder).app_record.write_text(record + "\n", encoding="utf-8")


async def _refusal(response: aiohttp.ClientResponse) -> str:
    text = await response.text()
    try:
        return str(json.loads(text)["error"])
    except (ValueError, KeyError, TypeError):
        return f"{response.status} {' '.join(text.split())[:200]}"
