"""Measures what a call's sound costs in CPU on its way through the app: each step alone, in µs and per call-second.

    python -m benchmarks media_path [--rounds 7]

Each figure is the best of some rounds, with everything in the caches: beside other work a step costs two to four
times as much. Incoming: 50 frames and 31 pieces for the detector a second. Outgoing: speech half of the time, in
pieces of 200 ms.
"""

from __future__ import annotations

import argparse
import asyncio
import base64
import json
import time
from collections.abc import Awaitable, Callable, Sequence

import numpy as np

from benchmarks.measuring import report
from benchmarks.web_pubsub import running
from local_stack.web_pubsub.defaults import connection_string
from shared.adapters.silero.voice_activity import SileroVoiceActivityDetector
from shared.adapters.twilio.media_codec import TwilioEncoder, TwilioFrameDecoder
from shared.adapters.web_pubsub.service import WebPubSubConnection, WebPubSubService
from shared.domain.audio import Samples
from shared.domain.errors import MediaError
from shared.domain.loudness import Loudness
from shared.domain.resampling import Resampler
from shared.domain.turn_tuning import Tuning
from shared.ports.pipes import Entry
from shared.ports.speech_to_text import Transcription
from shared.ports.voice_activity import VoiceActivity
from shared.use_cases.hearing.listening import Listening

_FRAMES_PER_S = 50.0
_CHUNKS_PER_S = 31.25
_PIECES_PER_S = 2.5
_STREAMS = (1, 4, 16)
_ONCE = 400


def _sound(count: int) -> Samples:
    return np.random.default_rng(1).integers(-9000, 9000, count).astype(np.int16)


def _frame() -> bytes:
    media = {
        "track": "inbound",
        "chunk": "2",
        "timestamp": "5040",
        "payload": base64.b64encode(bytes(range(160))).decode(),
    }
    message = {"event": "media", "sequenceNumber": "4", "media": media, "streamSid": f"MZ{'0' * 32}"}
    return json.dumps(message, separators=(",", ":")).encode()


async def _best_us(rounds: int, step: Callable[[], Awaitable[object]]) -> float:
    """CPU time of this process for one step, with the least disturbance."""
    found = []
    for _ in range(rounds):
        began = time.process_time()
        for _ in range(_ONCE):
            await step()
        found.append((time.process_time() - began) / _ONCE * 1e6)
    return min(found)


def _at_once(step: Callable[[], object]) -> Callable[[], Awaitable[object]]:
    async def taken() -> object:
        return step()

    return taken


async def _codec(rounds: int) -> list[Sequence[object]]:
    decoder, encoder, voice = TwilioFrameDecoder(), TwilioEncoder("MZ1"), Resampler(24_000, 16_000)
    loudness, chunk = Loudness(), _sound(512).tobytes()
    frame, piece, spoken = _frame(), _sound(3200).tobytes(), _sound(4800)
    steps: list[tuple[str, float, Callable[[], object]]] = [
        ("a frame of Twilio's to PCM16 16 kHz", _FRAMES_PER_S, lambda: decoder.decode(frame)),
        ("how loud 32 ms are", _CHUNKS_PER_S, lambda: loudness.quiet_tail_ms(chunk)),
        ("200 ms to a message of Twilio's", _PIECES_PER_S, lambda: encoder.media(piece)),
        ("200 ms of a voice from 24 to 16 kHz", _PIECES_PER_S, lambda: voice.push(spoken)),
    ]
    return [_row(name, await _best_us(rounds, _at_once(step)), per_s) for name, per_s, step in steps]


class _QuietEar:
    """Fills the port `VoiceActivity` at no cost."""

    async def probability(self, pcm: bytes) -> float:
        return 0.0


async def _never_echo(sound: bytes, at_ms: float) -> bool:
    return False


def _no_words() -> Transcription:
    raise AssertionError("nobody speaks")


async def _listening(rounds: int) -> list[Sequence[object]]:
    """All that is done with a frame while the caller is silent, but for the detector."""
    listening = Listening(
        ear=_QuietEar(),
        decoder=TwilioFrameDecoder(),
        tuning=Tuning(),
        open_transcription=_no_words,
        is_echo=_never_echo,
        broken_limit=1,
    )
    entry = Entry("1700000000000-0", {b"d": _frame()})
    each_us = await _best_us(rounds, lambda: listening.take(entry, overlaps=False))
    return [_row("a frame listened to, without a detector", each_us, _FRAMES_PER_S)]


async def _detector(rounds: int) -> list[Sequence[object]]:
    rows = []
    for count in _STREAMS:
        detector = SileroVoiceActivityDetector()
        ears = [detector.open() for _ in range(count)]
        each_us = await _best_us(rounds, _hearing(ears)) / count
        rows.append(_row(f"32 ms for the detector, {count} at once", each_us, _CHUNKS_PER_S))
    return rows


def _hearing(ears: Sequence[VoiceActivity]) -> Callable[[], Awaitable[object]]:
    chunk = _sound(512).tobytes()

    async def hear() -> object:
        return await asyncio.gather(*(ear.probability(chunk) for ear in ears))

    return hear


async def _sending(rounds: int, port: int) -> list[Sequence[object]]:
    """To a connection that is not there: the service's answer costs us the same."""
    message = TwilioEncoder("MZ1").media(_sound(3200).tobytes())
    with running(port):
        service = WebPubSubService("clients", connection_string=connection_string(port))
        connection = WebPubSubConnection(service, "nobody")

        async def send() -> None:
            try:
                await connection.send_text(message)
            except MediaError as error:
                if error.code != "connection_gone":
                    raise

        each_us = await _best_us(rounds, send)
        await service.aclose()
    return [_row("200 ms of sound to Web PubSub", each_us, _PIECES_PER_S)]


def _row(name: str, each_us: float, per_s: float) -> Sequence[object]:
    return [name, round(each_us, 1), round(each_us * per_s / 1000, 2)]


async def measure(rounds: int, port: int) -> list[Sequence[object]]:
    """A row for each step: its name, µs of CPU, ms of CPU per call-second."""
    listened = await _listening(rounds)
    return [*await _codec(rounds), *listened, *await _detector(rounds), *await _sending(rounds, port)]


def main() -> int:
    """Parse the command line and run."""
    parser = argparse.ArgumentParser(prog="python -m benchmarks media_path", description=__doc__)
    parser.add_argument("--rounds", type=int, default=7, help="the best of them counts (default: %(default)s)")
    parser.add_argument("--port", type=int, default=17290, help="first of two free ports (default: %(default)s)")
    options = parser.parse_args()
    rows = asyncio.run(measure(options.rounds, options.port))
    print(report.table(["step", "µs", "ms per call-second"], rows))
    print(f"\nkept in {report.keep('media_path', {'steps': rows})}")
    return 0


if __name__ == "__main__":
    raise SystemExit(main())
