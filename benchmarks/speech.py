"""`python -m benchmarks.speech`: how quick the local speech and language service is on this machine."""

from __future__ import annotations

import argparse
import io
import json
import os
import statistics
import sys
import time
import wave
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

from openai import OpenAI
from openai.types.chat import ChatCompletionMessageParam

from benchmarks.measuring.service import running

SENTENCES = (
    "Your order left our warehouse this morning, and it should arrive on Friday.",
    "Is there anything else that I can do for you today?",
    "We are open from Monday to Saturday, between nine in the morning and six in the evening.",
)
QUESTIONS = (
    "Hello, are you open on Sunday?",
    "How long does an order take?",
    "Can I send it back?",
    "Thank you, bye.",
)
SHOP = (
    "You are Ava, a friendly phone agent for an outdoor shop that sells tents and bicycles. Answer in one or two "
    "short sentences. The shop is open Monday to Saturday from nine to six and closed on Sunday. Orders take three "
    "to five days. Returns are free within thirty days."
)
READY_WITHIN_S = 60.0


@dataclass(frozen=True, slots=True)
class Figure:
    """One measured quantity over its repetitions."""

    name: str
    unit: str
    median: float
    lowest: float
    highest: float
    count: int


def figure(name: str, unit: str, values: list[float]) -> Figure:
    """Median and range of the values."""
    median, lowest, highest = (round(value, 3) for value in (statistics.median(values), min(values), max(values)))
    return Figure(name, unit, median, lowest, highest, len(values))


def measure_hearing(client: OpenAI, voices_dir: Path, rounds: int) -> list[Figure]:
    """Time per transcription of the recorded voices, and as a share of their length."""
    times_ms, shares = list[float](), list[float]()
    for voice in json.loads((voices_dir / "index.json").read_text(encoding="utf-8")) * rounds:
        content = (voices_dir / voice["file"]).read_bytes()
        began_s = time.perf_counter()
        client.audio.transcriptions.create(model="stt", file=("voice.wav", content))
        taken_s = time.perf_counter() - began_s
        times_ms.append(taken_s * 1000)
        with wave.open(io.BytesIO(content)) as recording:
            shares.append(taken_s * recording.getframerate() / recording.getnframes())
    return [figure("STT", "ms", times_ms), figure("STT real-time factor", "", shares)]


def measure_speaking(client: OpenAI, rounds: int) -> list[Figure]:
    """Time to the first audio, and the whole time as a share of the audio's length."""
    firsts_ms, shares = list[float](), list[float]()
    for text in (*SENTENCES, " ".join(SENTENCES)) * rounds:
        began_s = time.perf_counter()
        received, first_ms = 0, 0.0
        speech = client.audio.speech.with_streaming_response
        with speech.create(model="tts", voice="heart", input=text, response_format="pcm") as answer:
            for piece in answer.iter_bytes():
                first_ms = first_ms or (time.perf_counter() - began_s) * 1000
                received += len(piece)
        firsts_ms.append(first_ms)
        shares.append((time.perf_counter() - began_s) * 48_000 / received)
    return [figure("TTS first audio", "ms", firsts_ms), figure("TTS real-time factor", "", shares)]


def measure_thinking(client: OpenAI, rounds: int) -> list[Figure]:
    """Time to the first token without and with a cached beginning, and tokens per second."""
    cold_ms, warm_ms, speeds = list[float](), list[float](), list[float]()
    for number in range(rounds):
        # A beginning of its own for each conversation: nothing of it can be cached.
        messages: list[ChatCompletionMessageParam] = [{"role": "system", "content": f"Call {time.time_ns()}. {SHOP}"}]
        for question in QUESTIONS:
            messages.append({"role": "user", "content": question})
            first_ms, speed, reply = _stream_reply(client, messages, seed=number)
            (cold_ms if len(messages) == 2 else warm_ms).append(first_ms)
            speeds.extend([speed] if speed else [])
            messages.append({"role": "assistant", "content": reply})
    return [
        figure("LLM first token, cold", "ms", cold_ms),
        figure("LLM first token, warm", "ms", warm_ms),
        figure("LLM tokens per second", "1/s", speeds),
    ]


def _stream_reply(
    client: OpenAI, messages: list[ChatCompletionMessageParam], seed: int
) -> tuple[float, float | None, str]:
    began_s = time.perf_counter()
    moments_s, reply = list[float](), ""
    stream = client.chat.completions.create(model="llm", messages=messages, stream=True, max_tokens=60, seed=seed)
    for chunk in stream:
        if chunk.choices and (piece := chunk.choices[0].delta.content):
            moments_s.append(time.perf_counter())
            reply += piece
    speed = (len(moments_s) - 1) / (moments_s[-1] - moments_s[0]) if len(moments_s) > 2 else None
    return (moments_s[0] - began_s) * 1000, speed, reply


@contextmanager
def running_service(port: int, state_dir: Path) -> Iterator[str]:
    """The local service as a process of its own; gives its address when it is ready."""
    url = f"http://127.0.0.1:{port}"
    command = [sys.executable, "-m", "local_stack.speech", "--port", str(port), "--state-dir", str(state_dir)]
    with running(command, f"{url}/health", within_s=READY_WITHIN_S):
        yield url


def print_table(figures: list[Figure]) -> None:
    """The figures for the eye."""
    print(f"{'':28}{'median':>10}{'lowest':>10}{'highest':>10}{'n':>5}")
    for item in figures:
        print(f"{item.name:28}{item.median:10.3g}{item.lowest:10.3g}{item.highest:10.3g}{item.count:5} {item.unit}")


def main() -> int:
    """Measure, print the table, write and print the JSON."""
    parser = argparse.ArgumentParser(prog="python -m benchmarks.speech", description=__doc__)
    parser.add_argument("--url", help="a running service; without it one is started")
    parser.add_argument("--port", type=int, default=17390, help="of the service that is started")
    parser.add_argument("--state-dir", type=Path, default=Path(os.environ.get("LOCAL_STATE_DIR", ".local")))
    parser.add_argument("--rounds", type=int, default=3)
    parser.add_argument("--out", type=Path, default=Path("benchmarks/results/speech.json"))
    options = parser.parse_args()
    if options.url:
        figures = _measure(options.url, options)
    else:
        with running_service(options.port, options.state_dir) as url:
            figures = _measure(url, options)
    print_table(figures)
    load = [round(value, 2) for value in os.getloadavg()]
    report: dict[str, Any] = {"cores": os.cpu_count(), "load": load, "figures": [asdict(item) for item in figures]}
    options.out.parent.mkdir(parents=True, exist_ok=True)
    options.out.write_text(json.dumps(report, indent=1) + "\n", encoding="utf-8")
    print(json.dumps(report))
    return 0


def _measure(url: str, options: argparse.Namespace) -> list[Figure]:
    with OpenAI(base_url=f"{url}/v1", api_key="local", max_retries=0, timeout=120) as client:
        return [
            *measure_hearing(client, options.state_dir / "voices", options.rounds),
            *measure_speaking(client, options.rounds),
            *measure_thinking(client, options.rounds),
        ]


if __name__ == "__main__":
    sys.exit(main())
