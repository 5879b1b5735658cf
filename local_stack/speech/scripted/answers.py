"""The three steps and the embeddings of scripted mode, each on its exact schedule."""

from __future__ import annotations

import json
import zlib
from collections.abc import AsyncGenerator
from typing import Any

import numpy as np

from local_stack.speech.backend import (
    SPEECH_RATE_HZ,
    Asking,
    ChatEvent,
    Context,
    Finished,
    Hearing,
    Speaking,
    TextDelta,
    ToolCall,
)
from local_stack.speech.routes.chat_request import message_text
from local_stack.speech.scripted.director import Cue, Director
from local_stack.speech.scripted.findings import found
from local_stack.speech.scripted.schedule import before_answer, before_piece, until
from local_stack.speech.scripted.script import Script, split_tokens
from local_stack.speech.scripted.tones import tone
from local_stack.speech.scripted.tool_results import with_results

FIRST_PIECE_MS = 100
PIECE_INTERVAL_MS = 40
SHORTEST_AUDIO_MS = 400
_NOTED_MESSAGES = 8
DIMENSIONS = 384


class ScriptedTranscriber:
    """Gives the transcript of the turn after `stt_ms`."""

    languages = None

    def __init__(self, director: Director) -> None:
        self._director = director

    async def transcribe(self, hearing: Hearing, context: Context) -> str:
        """What the script's caller says in this turn."""
        cue = self._director.cue_transcript(hearing.pcm, hearing.call_key, context)
        await before_answer(cue.fault)
        late_ms = await before_piece(cue.fault, 0)
        await until(context.complete_s + (cue.latencies.stt_ms + late_ms) / 1000)
        if cue.fault is not None and cue.fault.kind == "empty":
            return ""
        text = cue.text(cue.exchange.heard)
        self._director.transcript_given(cue, text, hearing.call_key)
        return text


class ScriptedChat:
    """Gives the tokens of the turn: the first after `ttft_ms`, each further one `token_ms` later."""

    def __init__(self, director: Director) -> None:
        self._director = director

    async def reply(self, asking: Asking, context: Context) -> AsyncGenerator[ChatEvent, None]:
        """The turn's tool call, or its tokens."""
        cue = self._director.cue_reply(asking, context)
        context.entry.details["last_messages"] = [
            {"role": message.get("role"), "content": message_text(message)}
            for message in (*asking.messages[:1], *asking.messages[1:][-_NOTED_MESSAGES:])
        ]
        await before_answer(cue.fault)
        start_s = context.complete_s + cue.latencies.ttft_ms / 1000
        prompt_tokens = sum(len(message_text(message).split()) for message in asking.messages)
        call = cue.exchange.tool_call
        if call and asking.tools and asking.messages[-1].get("role") != "tool":
            await until(start_s)
            if first := call.get("say"):
                yield TextDelta(str(first))
            yield ToolCall(str(call["name"]), json.dumps(call.get("arguments", {})))
            yield Finished("tool_calls", prompt_tokens, 1)
            return
        tokens = _tokens(cue, asking, self._director.script)
        for index, token in enumerate(tokens):
            start_s += await before_piece(cue.fault, index) / 1000
            await until(start_s + index * cue.latencies.token_ms / 1000)
            yield TextDelta(token)
        if not tokens:
            await until(start_s)
        cut_short = asking.max_tokens is not None and asking.max_tokens == len(tokens)
        yield Finished("length" if cut_short else "stop", prompt_tokens, len(tokens))


def _tokens(cue: Cue, asking: Asking, script: Script) -> list[str]:
    if cue.fault is not None and cue.fault.kind == "empty":
        return []
    if asking.json_schema is not None:
        document = found(asking.json_schema, asking.messages, script.finds, script.dialogue)
        return list(split_tokens(json.dumps(document, ensure_ascii=False)))
    tokens = [with_results(cue.text(token), asking.messages) for token in cue.exchange.reply]
    return tokens[: asking.max_tokens]


class ScriptedSynthesizer:
    """Gives a tone: its first 100 ms after `tts_first_byte_ms`, the rest at the scripted rate."""

    def __init__(self, director: Director) -> None:
        self._director = director

    async def synthesize(self, speaking: Speaking, context: Context) -> AsyncGenerator[bytes, None]:
        """The tone of the turn's number; where there is none, of the request's own number."""
        cue = self._director.cue_speech(speaking.text, context)
        context.entry.details["text"] = speaking.text[:80]
        await before_answer(cue.fault)
        start_s = context.complete_s + cue.latencies.tts_first_byte_ms / 1000
        if cue.fault is not None and cue.fault.kind == "empty":
            await until(start_s)
            return
        length_ms = max(len(speaking.text) * cue.latencies.tts_ms_per_char / speaking.speed, SHORTEST_AUDIO_MS)
        audio = tone(cue.number if cue.number is not None else context.entry.number, _bytes(length_ms))
        if cue.fault is not None and cue.fault.kind == "silent":
            audio = bytes(len(audio))
        step = max(_bytes(PIECE_INTERVAL_MS * cue.latencies.tts_rate_x_realtime), 2)
        position, index = 0, 0
        while position < len(audio):
            start_s += await before_piece(cue.fault, index) / 1000
            await until(start_s + index * PIECE_INTERVAL_MS / 1000)
            size = _bytes(FIRST_PIECE_MS) if index == 0 else step
            yield audio[position : position + size]
            position, index = position + size, index + 1


def _bytes(milliseconds: float) -> int:
    return int(milliseconds * SPEECH_RATE_HZ / 1000) * 2


class ScriptedEmbedder:
    """Vectors from the words of a text: equal texts are equal, texts that share words are near."""

    async def embed(self, texts: list[str], context: Context) -> tuple[list[list[float]], int]:
        """Unit vectors and the number of words."""
        return [_vector(text) for text in texts], sum(len(text.split()) for text in texts)


def _vector(text: str) -> list[float]:
    vector = np.zeros(DIMENSIONS)
    for word in text.lower().split() or [""]:
        rng: Any = np.random.default_rng(zlib.crc32(word.strip(".,;:!?").encode()))
        vector += rng.standard_normal(DIMENSIONS)
    return [float(value) for value in vector / np.linalg.norm(vector)]
