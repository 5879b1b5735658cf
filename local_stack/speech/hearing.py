"""What a connection that takes sound as it comes needs of whoever transcribes it."""

from __future__ import annotations

import base64
import binascii
import logging
from typing import Protocol, runtime_checkable

import numpy as np

from local_stack.speech.audio import Floats, Pcm
from local_stack.speech.backend import Context, Hearing, Transcriber
from local_stack.speech.errors import ApiError

_log = logging.getLogger(__name__)


class HearingStream(Protocol):
    """One stretch of speech, from its first sound to the moment at which its words are wanted."""

    @property
    def seconds(self) -> float:
        """How much was fed."""

    def feed(self, samples: Floats) -> None:
        """The next mono samples in [-1, 1]."""

    async def words(self, context: Context) -> str:
        """The words of all that was fed; asked for once, and nothing is fed afterwards. Raises ApiError."""


class WholeStretch:
    """Transcribes when the words are wanted, all at once."""

    def __init__(self, transcriber: Transcriber, rate_hz: int, call_key: str = "") -> None:
        self._transcriber = transcriber
        self._rate_hz = rate_hz
        self._call_key = call_key
        self._fed: list[Floats] = []
        self._length = 0

    @property
    def seconds(self) -> float:
        return self._length / self._rate_hz

    def feed(self, samples: Floats) -> None:
        self._fed.append(samples)
        self._length += len(samples)

    async def words(self, context: Context) -> str:
        samples = np.concatenate(self._fed) if self._fed else np.zeros(0, np.float32)
        return await self._transcriber.transcribe(Hearing(Pcm(samples, self._rate_hz), self._call_key), context)


@runtime_checkable
class EarlyTranscriber(Protocol):
    """A transcriber that begins before it has heard all."""

    def begin_stretch(self, rate_hz: int) -> HearingStream: ...


def check_language(transcriber: Transcriber, asked: str) -> None:
    """`asked`: a tag, "" for whatever is spoken. Raises ApiError 400 where it would be heard as another language:
    wrong words are worse than none.
    """
    language = asked.partition("-")[0].lower()
    heard = transcriber.languages
    if heard is None or language in ("", "auto", "unknown") or language in heard:
        return
    refusal = f"the model here hears {', '.join(sorted(heard))} only, not {asked}: that needs a provider's model"
    _log.warning("%s", refusal)
    raise ApiError(400, refusal, param="language", code="language_not_heard")


def open_stretch(transcriber: Transcriber, rate_hz: int) -> HearingStream:
    """In pieces while it comes, where the transcriber can do that; as a whole where it cannot."""
    if isinstance(transcriber, EarlyTranscriber):
        return transcriber.begin_stretch(rate_hz)
    return WholeStretch(transcriber, rate_hz)


def read_samples(audio: str) -> Floats:
    """Base64 of PCM16 little-endian. Raises ApiError 400."""
    content = _content(audio)
    pcm = np.frombuffer(content[: len(content) & ~1], dtype="<i2")
    return (pcm / np.float32(32768.0)).astype(np.float32)


def read_mulaw(audio: str) -> Floats:
    """Base64 of µ-law. Raises ApiError 400. Source: ITU-T G.711, table 2a"""
    code = ~np.frombuffer(_content(audio), dtype=np.uint8)
    exponent, mantissa = (code >> 4) & 0x07, code & 0x0F
    magnitude = ((mantissa.astype(np.int32) << 3) + 0x84 << exponent) - 0x84
    return (np.where(code & 0x80, -magnitude, magnitude) / np.float32(32768.0)).astype(np.float32)


def _content(audio: str) -> bytes:
    try:
        return base64.b64decode(audio, validate=True)
    except binascii.Error as error:
        raise ApiError(400, f"audio is not base64: {error}", code="invalid_audio") from error
