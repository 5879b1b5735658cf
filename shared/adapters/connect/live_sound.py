"""Follows a contact's sound in its Kinesis video stream: about a second late, one way.

Source: https://docs.aws.amazon.com/connect/latest/adminguide/customer-voice-streams.html,
https://docs.aws.amazon.com/kinesisvideostreams/latest/dg/API_dataplane_GetMedia.html
"""

from __future__ import annotations

import asyncio
import logging
from collections.abc import AsyncGenerator, Iterator
from contextlib import aclosing
from dataclasses import dataclass, field
from urllib.parse import quote

from shared.adapters.connect.aws_api import AwsApi
from shared.adapters.connect.documents import child, text
from shared.adapters.connect.mkv import FragmentBegan, MkvEvent, MkvReader, Sounded, Tagged, TrackNamed
from shared.domain.audio import bytes_of, samples_of
from shared.domain.errors import MediaError, TelephonyError
from shared.domain.resampling import Resampler
from shared.ports.live_sound import Side, SoundPiece, SoundSource

logger = logging.getLogger(__name__)

_SERVICE = "kinesisvideo"
"""Also of `GetMedia`, whose endpoint is another for each stream."""
_SILENCE_S = 20.0
"""A contact's stream has a fragment each second, also where nobody speaks."""
_PAUSE_S = 0.5
_LINE_HZ, _INSIDE_HZ = 8000, 16_000
_SIDES = {"AUDIO_FROM_CUSTOMER": Side.CALLER, "AUDIO_TO_CUSTOMER": Side.AGENT, "Track_audio/L16": Side.CALLER}
_TOKEN, _ERROR = "AWS_KINESISVIDEO_CONTINUATION_TOKEN", "AWS_KINESISVIDEO_ERROR_CODE"


class ConnectLiveSound:
    """Fills the port `LiveSound`."""

    def __init__(self, api: AwsApi, *, instance_id: str, silence_s: float = _SILENCE_S) -> None:
        self._api = api
        self._instance_id = instance_id
        self._silence_s = silence_s

    async def follow(self, source: SoundSource, *, place: str = "") -> AsyncGenerator[SoundPiece, None]:
        """A stream that falls silent, or is closed, is followed again for as long as the contact lasts."""
        while True:
            fragments = _Fragments(source.provider_call_id, place)
            async with aclosing(self._read(source, fragments)) as pieces:
                async for piece in pieces:
                    yield piece
            if fragments.is_over or await self._is_over(source.provider_call_id):
                return
            place = fragments.place
            await asyncio.sleep(_PAUSE_S)

    async def _is_over(self, contact_id: str) -> bool:
        """Raises: MediaError."""
        path = f"/contacts/{quote(self._instance_id, safe='')}/{quote(contact_id, safe='')}"
        try:
            answer = await self._api.ask("DescribeContact", "GET", path)
        except TelephonyError as error:
            raise MediaError("live_sound_away", str(error), retryable=error.retryable) from error
        return bool(child(answer, "Contact").get("DisconnectTimestamp"))

    async def _read(self, source: SoundSource, fragments: _Fragments) -> AsyncGenerator[SoundPiece, None]:
        """Raises: MediaError."""
        selector = {"StartSelectorType": "FRAGMENT_NUMBER", "AfterFragmentNumber": source.start}
        if fragments.place:
            selector = {"StartSelectorType": "CONTINUATION_TOKEN", "ContinuationToken": fragments.place}
        try:
            body = {"StreamARN": source.stream, "APIName": "GET_MEDIA"}
            found = await self._api.ask("GetDataEndpoint", "POST", "/getDataEndpoint", body, service=_SERVICE)
            url = f"{text(found, 'DataEndpoint').rstrip('/')}/getMedia"
            wanted = {"StreamARN": source.stream, "StartSelector": selector}
            async with self._api.stream(
                "GetMedia", url, wanted, service=_SERVICE, silence_s=self._silence_s
            ) as pieces:
                async for data in pieces:
                    for piece in fragments.take(data):
                        yield piece
                    if fragments.is_over:
                        return
        except TelephonyError as error:
            raise MediaError("live_sound_away", str(error), retryable=error.retryable) from error


@dataclass
class _Fragments:
    """Makes pieces out of fragments. A stream is used again by other contacts: with the first tag of another one ours
    is over, and no sound of a fragment counts before its tags have said whose it is.
    """

    contact_id: str
    place: str
    is_over: bool = False
    _reader: MkvReader = field(default_factory=MkvReader)
    _sides: dict[int, Side] = field(default_factory=dict)
    _resamplers: dict[Side, Resampler] = field(default_factory=dict)

    def take(self, data: bytes) -> Iterator[SoundPiece]:
        for event in self._reader.feed(data):
            piece = self._take(event)
            if self.is_over:
                return
            if piece is not None:
                yield piece

    def _take(self, event: MkvEvent) -> SoundPiece | None:
        match event:
            case FragmentBegan():
                self._sides = {}
            case TrackNamed(number, name):
                if name in _SIDES:
                    self._sides[number] = _SIDES[name]
            case Tagged("ContactId", contact_id):
                self.is_over = contact_id != self.contact_id
            case Tagged(name, token) if name == _TOKEN:
                self.place = token
            case Tagged(name, code) if name == _ERROR:
                logger.warning("the live sound of a contact has ended: %s", code[:40])
                self.is_over = True
            case Sounded(track, at_ms, payload) if track in self._sides:
                return self._piece(self._sides[track], at_ms, payload)
            case _:
                pass
        return None

    def _piece(self, side: Side, at_ms: int, payload: bytes) -> SoundPiece:
        resampler = self._resamplers.setdefault(side, Resampler(_LINE_HZ, _INSIDE_HZ))
        return SoundPiece(side, at_ms, bytes_of(resampler.push(samples_of(payload))), self.place)
