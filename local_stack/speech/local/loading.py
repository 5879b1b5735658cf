"""The local backend: loads the models side by side and gives each its own threads."""

from __future__ import annotations

import asyncio
import logging
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from pathlib import Path
from typing import TypeVar

from local_stack.speech.audio import Pcm
from local_stack.speech.backend import Context, Hearing
from local_stack.speech.errors import ApiError
from local_stack.speech.local.chat import LocalChat
from local_stack.speech.local.e5 import E5
from local_stack.speech.local.espeak_voice import LIBRARY, EspeakVoice
from local_stack.speech.local.hibari_voice import HibariVoice
from local_stack.speech.local.llama import Llama
from local_stack.speech.local.minilm import MiniLm
from local_stack.speech.local.moonshine import Moonshine
from local_stack.speech.local.pieces import StretchInPieces
from local_stack.speech.local.speaking import LocalSynthesizer, Voice
from local_stack.speech.local.tool_choice import ToolChooser

HEARING_THREADS = 2
"""Utterances that are transcribed at once."""

_LANGUAGE_MODEL = "qwen2.5-coder-0.5b-instruct"
_LANGUAGE_FILE = "qwen2.5-coder-0.5b-instruct-q4_k_m.gguf"
_FILES = (
    _LANGUAGE_FILE,
    "moonshine-tiny-en/encoder_model.ort",
    "moonshine-tiny-en/decoder_model_merged.ort",
    "moonshine-tiny-en/tokenizer.bin",
    "hibari/hibari.onnx",
    "e5/multilingual-e5-small-q4.bin",
    "minilm/model.onnx",
    "minilm/tokenizer.json",
)
_MODEL_IDS = [_LANGUAGE_MODEL, "moonshine-tiny-en", "hibari", "multilingual-e5-small"]

_log = logging.getLogger(__name__)

_T = TypeVar("_T")


class LocalTranscriber:
    """Moonshine on threads of its own."""

    languages = frozenset(("en",))

    def __init__(self, model: Moonshine) -> None:
        self._model = model
        self._threads = ThreadPoolExecutor(HEARING_THREADS, thread_name_prefix="hearing")

    async def transcribe(self, hearing: Hearing, context: Context) -> str:
        """The words of the recording."""
        return await self._hear(hearing.pcm)

    def begin_stretch(self, rate_hz: int) -> StretchInPieces:
        """Speech that is transcribed while it comes in."""
        return StretchInPieces(self._hear, rate_hz)

    async def _hear(self, pcm: Pcm) -> str:
        return await asyncio.get_running_loop().run_in_executor(self._threads, self._model.transcribe, pcm)


class LocalEmbedder:
    """E5 on a thread of its own."""

    def __init__(self, model: E5) -> None:
        self._model = model
        self._threads = ThreadPoolExecutor(1, thread_name_prefix="embedding")

    async def embed(self, texts: list[str], context: Context) -> tuple[list[list[float]], int]:
        """Unit vectors and the number of tokens."""
        return await asyncio.get_running_loop().run_in_executor(self._threads, self._model.embed, texts)


@dataclass(slots=True)
class _Loaded:
    transcriber: LocalTranscriber | None = None
    synthesizer: LocalSynthesizer | None = None
    chat_model: LocalChat | None = None
    embedder: LocalEmbedder | None = None


class LocalBackend:
    """Real models from the state folder's `models`."""

    def __init__(self, models_dir: Path, threads: int) -> None:
        self._models_dir = models_dir
        self._threads = threads
        self._loaded = _Loaded()
        self._loading: asyncio.Task[None] | None = None

    @property
    def transcriber(self) -> LocalTranscriber:
        return _there(self._loaded.transcriber)

    @property
    def synthesizer(self) -> LocalSynthesizer:
        return _there(self._loaded.synthesizer)

    @property
    def chat_model(self) -> LocalChat:
        return _there(self._loaded.chat_model)

    @property
    def embedder(self) -> LocalEmbedder:
        return _there(self._loaded.embedder)

    def model_ids(self) -> list[str]:
        """The names of the models in use, the language model first."""
        return list(_MODEL_IDS)

    def pending(self) -> list[str]:
        """The models that are not there yet. Raises ApiError 500 when one could not be loaded."""
        if self._loading is not None and self._loading.done():
            problem = None if self._loading.cancelled() else self._loading.exception()
            if isinstance(problem, BaseExceptionGroup):
                problem = problem.exceptions[0]
            if problem is not None:
                raise ApiError(500, f"a model could not be loaded: {problem}", code="model_not_loaded")
        names = ("transcriber", "synthesizer", "chat_model", "embedder")
        return [name for name in names if getattr(self._loaded, name) is None]

    async def start(self) -> None:
        """Load in the background."""
        self._loading = asyncio.create_task(self._load())

    async def close(self) -> None:
        """Stop replies under way."""
        if self._loading is not None:
            self._loading.cancel()
            await asyncio.wait([self._loading])
        if self._loaded.chat_model is not None:
            self._loaded.chat_model.stop()

    async def _load(self) -> None:
        folder, loaded = self._models_dir, self._loaded
        for name in _FILES:
            if not (folder / name).is_file():
                raise FileNotFoundError(f"{folder / name} is missing; python -m local_stack.models fetches it")

        async def hearing() -> None:
            model = await asyncio.to_thread(Moonshine, folder / "moonshine-tiny-en", 1)
            loaded.transcriber = LocalTranscriber(model)

        async def speaking() -> None:
            model = await asyncio.to_thread(HibariVoice, folder / "hibari" / "hibari.onnx", 1)
            await asyncio.to_thread(model.synthesize, "Ready.", 1.0)
            loaded.synthesizer = LocalSynthesizer([*_voices_of_india(folder / "espeak"), model])

        async def embedding() -> None:
            loaded.embedder = LocalEmbedder(
                await asyncio.to_thread(E5, folder / "e5" / "multilingual-e5-small-q4.bin")
            )

        async def choosing() -> MiniLm:
            return await asyncio.to_thread(MiniLm, folder / "minilm", 1)

        async def language() -> Llama:
            # A thread of its own: the model lowers the priority of the thread that loads it.
            with ThreadPoolExecutor(1, thread_name_prefix="language") as thread:
                path = folder / _LANGUAGE_FILE
                work: Callable[[], Llama] = lambda: Llama(path, self._threads)  # noqa: E731
                return await asyncio.get_running_loop().run_in_executor(thread, work)

        async with asyncio.TaskGroup() as group:
            group.create_task(hearing())
            group.create_task(speaking())
            group.create_task(embedding())
            meaning, words = group.create_task(choosing()), group.create_task(language())
        loaded.chat_model = LocalChat(words.result(), ToolChooser(meaning.result()))
        _log.info("models loaded from %s", folder)


def _voices_of_india(folder: Path) -> list[Voice]:
    """None where its library is missing or made for another machine: all else works without it."""
    try:
        return [EspeakVoice(folder)]
    except OSError as error:
        _log.warning("no voice for languages of India (%s): %s", folder / LIBRARY, error)
        return []


def _there(model: _T | None) -> _T:
    if model is None:
        raise ApiError(503, "still loading", code="loading")
    return model
