"""`python -m benchmarks.knowledge`: how often the right passage is found, and how soon, in English and in Hindi."""

from __future__ import annotations

import argparse
import asyncio
import os
import sys
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager, nullcontext
from dataclasses import asdict
from pathlib import Path
from uuid import uuid4

from benchmarks.knowing.asking import Tally, ask, put_documents, tallies
from benchmarks.measuring.ports import free_ports
from benchmarks.measuring.report import keep, table
from benchmarks.measuring.service import running
from benchmarks.speech import running_service
from shared.adapters.chroma.knowledge import ChromaKnowledge
from shared.adapters.openai.account import OpenAIAccount
from shared.adapters.openai.embeddings import OpenAIEmbeddings
from shared.adapters.openai.wire import OpenAIWire
from shared.domain.agents.knowledge import KnowledgeUse

_READY_WITHIN_S = 30.0


@contextmanager
def running_chroma(models_dir: Path) -> Iterator[str]:
    """An empty one; gives its address."""
    port = free_ports(1)[0]
    url = f"http://127.0.0.1:{port}"
    with tempfile.TemporaryDirectory() as folder:
        command = [sys.executable, "-m", "local_stack.chroma", "--port", str(port), "--state-dir", folder]
        command += ["--models-dir", str(models_dir)]
        with running(command, f"{url}/api/v2/heartbeat", within_s=_READY_WITHIN_S):
            yield url


async def _measure(chroma_url: str, embeddings_url: str, key: str, model: str) -> tuple[int, list[Tally]]:
    knowledge = ChromaKnowledge(chroma_url, index=f"benchmark{uuid4().hex}")
    embeddings = OpenAIEmbeddings(OpenAIWire(OpenAIAccount(embeddings_url, key)), model=model)
    try:
        count = await put_documents(knowledge, embeddings)
        await ask(knowledge, embeddings)  # the first questions of a process wait for connections and caches
        return count, tallies(await ask(knowledge, embeddings))
    finally:
        await knowledge.aclose()
        await embeddings.close()


def main() -> int:
    """Measure, print the table, keep the figures."""
    parser = argparse.ArgumentParser(prog="python -m benchmarks.knowledge", description=__doc__)
    parser.add_argument("--embeddings-url", help="base URL of who makes the vectors; without it the local model")
    parser.add_argument("--embedding-model", default="local")
    parser.add_argument("--chroma-url", help="a running Chroma; without it one is started")
    parser.add_argument("--state-dir", type=Path, default=Path(os.environ.get("LOCAL_STATE_DIR", ".local")))
    options = parser.parse_args()
    key = os.environ.get("OPENAI_API_KEY", "local")
    given, chroma = options.embeddings_url, options.chroma_url
    service = (
        nullcontext(given.removesuffix("/v1")) if given else running_service(free_ports(1)[0], options.state_dir)
    )
    index = nullcontext(chroma) if chroma else running_chroma(options.state_dir / "models")
    with service as service_url, index as chroma_url:
        count, results = asyncio.run(_measure(chroma_url, f"{service_url}/v1", key, options.embedding_model))
    print(f"{count} passages; threshold {KnowledgeUse().threshold}; vector and search together:\n")
    head = ("Questions", "n", "hit@1 %", "hit@5 %", "below threshold %", "p50 ms", "p95 ms")
    print(table(head, [_row(each) for each in results]))
    keep(
        "knowledge",
        {"passages": count, "model": options.embedding_model, "kinds": [asdict(each) for each in results]},
    )
    return 0


def _row(tally: Tally) -> tuple[object, ...]:
    latency = tally.latency_ms
    times = (latency.p50, latency.p95) if latency else (None, None)
    return (tally.kind, tally.count, tally.hit_at_1, tally.hit_at_5, tally.below_threshold, *times)


if __name__ == "__main__":
    raise SystemExit(main())
