"""Moonshine speech recognition (encoder and merged decoder) on plain onnxruntime."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import numpy.typing as npt

from local_stack.speech.audio import Floats, Pcm
from local_stack.speech.local.onnx_session import open_session

RATE_HZ = 16_000
SHORTEST_SAMPLES = RATE_HZ // 4
"""Shorter recordings are padded: the convolutions need a minimum, and slivers make the model babble."""
SEGMENT_SECONDS = 20
"""Longer recordings are cut at their quietest place before this; the model was trained on up to 30 s."""
TOKENS_PER_SECOND = 6.5
"""More than this is not speech but a loop. Source: https://arxiv.org/abs/2410.15608"""
SILENCE_AFTER_SAMPLES = RATE_HZ * 320 // 1000
"""The last word is heard better with silence after it: of a speech that is cut off 60 ms after its end 4.5 instead of
5.6 % of the words are wrong.
"""
SILENCE_PEAK = 0.004
"""Below this peak there is nothing to hear, and the model would invent a word."""

_START, _END = 1, 2
_LAYERS, _HEADS, _WIDTH = 6, 8, 36  # of the tiny model


class Moonshine:
    """Greedy transcription of English; one instance serves several threads."""

    def __init__(self, folder: Path, threads: int) -> None:
        self._encoder = open_session(folder / "encoder_model.ort", threads)
        self._decoder = open_session(folder / "decoder_model_merged.ort", threads)
        self._vocabulary = read_vocabulary((folder / "tokenizer.bin").read_bytes())
        self._states = [output.name for output in self._decoder.get_outputs()[1:]]

    def transcribe(self, pcm: Pcm) -> str:
        """The words, or an empty string for silence."""
        samples = pcm.at(RATE_HZ).samples
        texts = [self._segment(segment) for segment in split_segments(samples)]
        return " ".join(text for text in texts if text)

    def _segment(self, samples: Floats) -> str:
        if not len(samples) or float(np.abs(samples).max()) < SILENCE_PEAK:
            return ""
        samples = np.pad(samples, (0, max(SILENCE_AFTER_SAMPLES, SHORTEST_SAMPLES - len(samples))))
        audio = samples[np.newaxis, :]
        mask = np.ones(audio.shape, np.int64)  # the decoder wants it per sample too and thins it out itself
        hidden = self._encoder.run(None, {"input_values": audio, "attention_mask": mask})[0]
        limit = int(len(samples) / RATE_HZ * TOKENS_PER_SECOND) + 8
        return decode_tokens(self._greedy(hidden, mask, limit), self._vocabulary)

    def _greedy(self, hidden: Floats, mask: npt.NDArray[np.int64], limit: int) -> list[int]:
        empty = np.zeros((1, _HEADS, 0, _WIDTH), np.float32)
        past = {name.replace("present", "past_key_values"): empty for name in self._states}
        tokens, token = list[int](), _START
        for step in range(limit):
            feeds = {
                "input_ids": np.array([[token]], np.int64),
                "encoder_hidden_states": hidden,
                "encoder_attention_mask": mask,
                "use_cache_branch": np.array([step > 0]),
                **past,
            }
            logits, *states = self._decoder.run(None, feeds)
            token = int(logits[0, -1].argmax())
            if token == _END:
                break
            tokens.append(token)
            for name, state in zip(self._states, states, strict=True):
                if step == 0 or ".decoder." in name:  # the cached branch gives no encoder states back
                    past[name.replace("present", "past_key_values")] = state
        return tokens


def split_segments(samples: Floats) -> list[Floats]:
    """Pieces of at most SEGMENT_SECONDS, cut in the quietest 50 ms of their last third."""
    longest, window = SEGMENT_SECONDS * RATE_HZ, RATE_HZ // 20
    pieces = []
    while len(samples) > longest:
        tail = samples[longest * 2 // 3 : longest]
        blocks = tail[: len(tail) // window * window].reshape(-1, window)
        quietest = int(np.square(blocks).mean(axis=1).argmin())
        cut = longest * 2 // 3 + quietest * window + window // 2
        pieces.append(samples[:cut])
        samples = samples[cut:]
    return [*pieces, samples]


def read_vocabulary(content: bytes) -> list[bytes]:
    """The pieces of `tokenizer.bin`: each is its length (one byte, or two from 128 on) and its bytes."""
    pieces, position = list[bytes](), 0
    while position < len(content):
        length = content[position]
        position += 1
        if length >= 128:
            length += content[position] * 128 - 128
            position += 1
        pieces.append(content[position : position + length])
        position += length
    return pieces


def decode_tokens(tokens: list[int], vocabulary: list[bytes]) -> str:
    """Text of SentencePiece tokens; control tokens are dropped, byte tokens become their byte."""
    text = bytearray()
    for token in tokens:
        piece = vocabulary[token] if token < len(vocabulary) else b""
        if len(piece) == 6 and piece.startswith(b"<0x"):
            text.append(int(piece[3:5], 16))
        elif not (len(piece) > 2 and piece.startswith(b"<") and piece.endswith(b">")):
            text += piece
    return text.decode("utf-8", "replace").replace("\u2581", " ").strip()
