"""Kinesis Video Streams as Amazon Connect uses it: a stream a running contact, reused by later ones, a second late.

Source: https://docs.aws.amazon.com/connect/latest/adminguide/customer-voice-streams.html
"""

from __future__ import annotations

import asyncio
import secrets
import uuid
from collections.abc import AsyncIterator
from dataclasses import dataclass, field
from typing import Final

import numpy as np

from local_stack.phones import g711
from local_stack.phones.connect.account import Account
from local_stack.phones.connect.misbehaviour import Misbehaviour, Misbehaviours
from local_stack.phones.connect.mkv_writer import fragment
from local_stack.phones.phone_line import LineFrame

_FRAMES_A_FRAGMENT: Final = 50
_FRAMES_A_BLOCK: Final = 3
_MOST_FRAGMENTS: Final = 600
_FIRST_NUMBER: Final = 91343852333181432392682062622220590765191907586
_WIDEST_STEP: Final = 10**22
"""Fragment numbers grow, by no fixed step."""


@dataclass(frozen=True)
class Fragment:
    number: int
    contact_id: str
    content: bytes


@dataclass
class VideoStream:
    """One stream. `contact_id`: whose sound goes into it now; empty: it is free."""

    arn: str
    contact_id: str = ""
    ways: Misbehaviours = frozenset()
    next_number: int = _FIRST_NUMBER
    fragments: list[Fragment] = field(default_factory=list)
    written: asyncio.Condition = field(default_factory=asyncio.Condition)
    _said: list[bytes] = field(default_factory=list)
    _heard: list[bytes] = field(default_factory=list)
    _waking: set[asyncio.Task[None]] = field(default_factory=set)

    def take(self, frame: LineFrame) -> None:
        """20 ms of the contact's line."""
        self._said.append(frame.said)
        self._heard.append(frame.heard.payload)
        if len(self._said) >= _FRAMES_A_FRAGMENT:
            self._write(frame.at_ms)

    def _write(self, now_ms: float) -> None:
        said, self._said = self._said, []
        heard, self._heard = self._heard, []
        starts_ms = round(now_ms) - len(said) * g711.FRAME_MS
        blocks = []
        for at in range(0, len(said), _FRAMES_A_BLOCK):
            for track, frames in ((1, said), (2, heard)):
                pcm = g711.decode(b"".join(frames[at : at + _FRAMES_A_BLOCK])).astype(np.dtype("<i2")).tobytes()
                blocks.append((track, at * g711.FRAME_MS, pcm))
        number, self.next_number = self.next_number, self.next_number + 1 + secrets.randbelow(_WIDEST_STEP)
        if Misbehaviour.SOUND_WITH_GAPS in self.ways and not any(map(g711.is_audible, (*said, *heard))):
            return
        before = {"AWS_KINESISVIDEO_FRAGMENT_NUMBER": str(number), "AWS_KINESISVIDEO_SERVER_TIMESTAMP": _s(now_ms),
                  "AWS_KINESISVIDEO_PRODUCER_TIMESTAMP": _s(starts_ms), "ContactId": self.contact_id,
                  "AUDIO_FROM_CUSTOMER": "1", "AUDIO_TO_CUSTOMER": "2",
                  "MimeType": "audio/L16;rate=8000;channels=1;"}  # fmt: skip
        after = {"AWS_KINESISVIDEO_MILLIS_BEHIND_NOW": "0", "AWS_KINESISVIDEO_CONTINUATION_TOKEN": str(number)}
        content = fragment(blocks, starts_ms=starts_ms, before=before, after=after)
        self.fragments.append(Fragment(number, self.contact_id, content))
        del self.fragments[:-_MOST_FRAGMENTS]
        self._wake()

    def end(self, now_ms: float) -> None:
        """The contact is over; the stream waits for another."""
        if self._said:
            self._write(now_ms)
        self.contact_id = ""
        self._wake()

    def _wake(self) -> None:
        async def tell() -> None:
            async with self.written:
                self.written.notify_all()

        task = asyncio.get_running_loop().create_task(tell())
        self._waking.add(task)
        task.add_done_callback(self._waking.discard)

    async def read(self, after: int, silence_s: float) -> AsyncIterator[Fragment]:
        """What comes after a number, as it comes; ends when nothing has come for so long."""
        while True:
            new = [each for each in self.fragments if each.number > after]
            for each in new:
                yield each
                after = each.number
            if not new:
                try:
                    async with asyncio.timeout(silence_s), self.written:
                        await self.written.wait()
                except TimeoutError:
                    return


class VideoStreams:
    """All streams of an account."""

    def __init__(self, account: Account) -> None:
        self._account = account
        self.streams: dict[str, VideoStream] = {}

    def open(self, contact_id: str, ways: Misbehaviours = frozenset()) -> VideoStream:
        """A stream that nobody uses, or a new one."""
        free = next((stream for stream in self.streams.values() if not stream.contact_id), None)
        if free is None:
            name = f"local-connect-contact-{uuid.uuid4()}"
            arn = f"arn:aws:kinesisvideo:{self._account.region}:{self._account.owner}:stream/{name}/1763800000000"
            free = self.streams[arn] = VideoStream(arn)
        free.contact_id, free.ways = contact_id, ways
        return free


def _s(ms: float) -> str:
    return f"{ms / 1000:.3f}"
