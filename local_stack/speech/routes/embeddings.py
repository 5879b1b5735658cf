"""`POST /v1/embeddings`. Source: https://platform.openai.com/docs/api-reference/embeddings/create"""

from __future__ import annotations

import base64
from typing import Any

import numpy as np
from aiohttp import web

from local_stack.speech.errors import ApiError
from local_stack.speech.routes.requests import context_of, read_json, ready_backend, text_field, timed

MAX_INPUTS = 2048


async def embed(request: web.Request) -> web.StreamResponse:
    """Texts in; unit vectors out, as numbers or base64 of little-endian float32."""
    async with timed(request, "embedding") as entry:
        backend = ready_backend(request)
        body = await read_json(request)
        texts = _read_input(body.get("input"))
        encoding = text_field(body, "encoding_format", "float")
        if encoding not in ("float", "base64"):
            raise ApiError(400, "encoding_format must be float or base64", param="encoding_format")
        vectors, tokens = await backend.embedder.embed(texts, context_of(request, entry))
        data = [
            {"object": "embedding", "index": index, "embedding": _encode(vector, encoding)}
            for index, vector in enumerate(vectors)
        ]
        usage = {"prompt_tokens": tokens, "total_tokens": tokens}
        model = text_field(body, "model", backend.model_ids()[-1])
        return web.json_response({"object": "list", "data": data, "model": model, "usage": usage})


def _read_input(value: Any) -> list[str]:
    texts = [value] if isinstance(value, str) else value
    if not isinstance(texts, list) or not 0 < len(texts) <= MAX_INPUTS:
        raise ApiError(400, f"input must be a string or 1 to {MAX_INPUTS} strings", param="input")
    if not all(isinstance(text, str) and text for text in texts):
        raise ApiError(400, "input must hold strings that are not empty (token ids are not supported)", param="input")
    return texts


def _encode(vector: list[float], encoding: str) -> list[float] | str:
    if encoding == "float":
        return vector
    return base64.b64encode(np.asarray(vector, dtype="<f4").tobytes()).decode()
