"""Places calls as a carrier does, many at once, and fetches what the app and the services say of them."""

from __future__ import annotations

import asyncio
import os
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import aiohttp

from benchmarks.calls.own_stack import CALLERS_CORE, OwnStack
from local_stack.phones import utterance
from local_stack.phones.conversation import Plan
from local_stack.phones.measures import Turn
from local_stack.phones.twilio.account import Account
from local_stack.phones.twilio.call import TwilioCall
from local_stack.phones.twilio.options import CallOptions
from local_stack.phones.voices import read_index
from local_stack.supervisor.addresses import ROOT

VOICES = ("vm-nobodyavail.wav", "tt-monkeysintro.wav", "cannot-complete-as-dialed.wav")
"""Recorded people, 2.1 to 2.5 s each, with no pause above 80 ms: nobody's patience ends within them."""
NUMBERS = {500: "+15550100101", 100: "+15550100102"}
"""Whom to call for how much patience, in ms (seed.json)."""
_RECORDS_WITHIN_S = 30.0
_FIRST_CALLER = 14155550200


@dataclass(frozen=True, slots=True)
class Wish:
    """Calls to be placed: so many, begun evenly over `stagger_s`, each with so many turns."""

    calls: int
    turns: int
    pattern: str
    patience_ms: int
    stagger_s: float


@dataclass(frozen=True, slots=True)
class Placed:
    """One call after its end, as the caller and as the app saw it."""

    turns: Sequence[Turn]
    errors: tuple[str, ...]
    lag_p99_ms: float
    duration_s: float
    record: dict[str, Any]


class Caller:
    """Places the calls, on a core apart from the stack's."""

    def __init__(self, stack: OwnStack, session: aiohttp.ClientSession) -> None:
        secrets = stack.secrets
        self._stack = stack
        self._session = session
        self._account = Account(secrets["twilio_account_sid"], secrets["twilio_auth_token"])
        self._headers = {"Authorization": f"Bearer {stack.command('token', '--role', 'operator')}"}
        texts = {voice.file.name: voice for voice in read_index(ROOT / ".local" / "voices")}
        self._utterances = [utterance.from_file(texts[name].file, texts[name].text) for name in VOICES]

    async def place(self, wish: Wish) -> list[Placed]:
        """All calls of the wish; returns when the app has kept the last one's records."""
        pause_s = wish.stagger_s / wish.calls
        return await asyncio.gather(*(self._one(wish, number, number * pause_s) for number in range(wish.calls)))

    async def services(self) -> list[dict[str, Any]]:
        """What the scripted service got, request by request, since it was last asked."""
        url = self._stack.url("speech")
        async with self._session.get(f"{url}/timeline") as answer:
            timeline: dict[str, Any] = await answer.json()
        async with self._session.post(f"{url}/reset"):
            return list(timeline["requests"])

    async def _one(self, wish: Wish, number: int, after_s: float) -> Placed:
        await asyncio.sleep(after_s)
        app = self._stack.url("app")
        options = CallOptions(
            self._account,
            f"+{_FIRST_CALLER + number}",
            NUMBERS[wish.patience_ms],
            f"{app}/api/webhooks/twilio/voice",
            status_url=f"{app}/api/webhooks/twilio/status",
            utterances=[self._utterances[(number + turn) % len(VOICES)] for turn in range(len(VOICES))],
            plan=Plan(turns=wish.turns, pattern=wish.pattern),
        )
        call = TwilioCall(options)
        result = await call.run()
        record, trouble = await self._record(result.call_sid)
        state = call.state
        duration_ms = (state.ended_ms or 0) - (state.answered_ms or state.ended_ms or 0)
        return Placed(result.turns, (*result.errors, *trouble), result.lag_p99_ms, duration_ms / 1000, record)

    async def _record(self, call_sid: str) -> tuple[dict[str, Any], tuple[str, ...]]:
        """The app's record once it is complete, else what there is of it and a complaint."""
        record: dict[str, Any] = {"turns": []}
        try:
            async with asyncio.timeout(_RECORDS_WITHIN_S):
                while record.get("state") not in ("completed", "failed"):
                    await asyncio.sleep(0.5)
                    listed = (await self._ask(f"/api/calls?provider_call_id={call_sid}"))["calls"]
                    record = await self._ask(f"/api/calls/{listed[0]['call_id']}") if listed else record
        except (TimeoutError, aiohttp.ClientError) as error:
            return record, (f"the app has no complete record of the call: {type(error).__name__}",)
        return record, ()

    async def _ask(self, path: str) -> dict[str, Any]:
        async with self._session.get(self._stack.url("app") + path, headers=self._headers) as answer:
            answer.raise_for_status()
            document: dict[str, Any] = await answer.json()
            return document


def stay_on_callers_core() -> None:
    """From here on this process, which is the callers, runs apart from the stack."""
    os.sched_setaffinity(0, {CALLERS_CORE})
