"""all-MiniLM-L6-v2 sentence embeddings on plain onnxruntime."""

from __future__ import annotations

from pathlib import Path

import numpy as np
from tokenizers import Tokenizer

from local_stack.speech.local.onnx_session import open_session

MAX_TOKENS = 256
BATCH = 16


class MiniLm:
    """English texts to unit vectors with 384 dimensions."""

    def __init__(self, folder: Path, threads: int) -> None:
        self._session = open_session(folder / "model.onnx", threads)
        self._inputs = {node.name for node in self._session.get_inputs()}
        self._tokenizer = Tokenizer.from_file(str(folder / "tokenizer.json"))
        self._tokenizer.enable_truncation(MAX_TOKENS)
        self._tokenizer.enable_padding()

    def embed(self, texts: list[str]) -> tuple[list[list[float]], int]:
        """Vectors in the order of the texts, and the number of tokens read."""
        vectors, tokens = list[list[float]](), 0
        for start in range(0, len(texts), BATCH):
            encoded = self._tokenizer.encode_batch(texts[start : start + BATCH])
            mask = np.array([item.attention_mask for item in encoded], np.int64)
            feeds = {"input_ids": np.array([item.ids for item in encoded], np.int64), "attention_mask": mask}
            if "token_type_ids" in self._inputs:
                feeds["token_type_ids"] = np.zeros_like(mask)
            hidden = self._session.run(None, feeds)[0]
            if hidden.ndim == 3:  # per token: the sentence is their mean
                weights = mask[:, :, np.newaxis]
                hidden = (hidden * weights).sum(axis=1) / weights.sum(axis=1)
            norms = np.linalg.norm(hidden, axis=1, keepdims=True)
            vectors.extend((hidden / norms).astype(float).tolist())
            tokens += int(mask.sum())
        return vectors, tokens
