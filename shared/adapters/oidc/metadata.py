"""An issuer's name and public keys, fetched when they are due and kept while the issuer cannot be reached."""

from __future__ import annotations

import asyncio
import json
import logging
import ssl
from collections.abc import Mapping
from dataclasses import dataclass
from functools import cache
from time import monotonic
from typing import Any
from urllib.parse import urlsplit

import httpx
import jwt
from cryptography.hazmat.primitives.asymmetric.rsa import RSAPublicKey

from shared.domain.errors import StoreError

_LOG = logging.getLogger(__name__)
_MAX_DOCUMENT_BYTES = 262_144
_MIN_KEY_BITS = 2048


@dataclass(frozen=True, slots=True)
class Freshness:
    """How long an answer of the issuer stands, in seconds.

    After `refresh_s` it is asked again in the background; while it does not answer, what it said last
    stands until `discard_s`. A key it did not name makes us ask again, at most every `unknown_key_s`; after
    a failure it is left alone for `pause_s`.
    """

    refresh_s: float = 3600.0
    discard_s: float = 86_400.0
    unknown_key_s: float = 60.0
    pause_s: float = 2.0


@dataclass(frozen=True, slots=True)
class _Answer:
    issuer: str
    keys: Mapping[str, RSAPublicKey]
    at: float


class IssuerMetadata:
    """The discovery document at `url` and the keys it points at; `timeout_s` bounds fetching both."""

    def __init__(self, url: str, *, timeout_s: float = 5.0, freshness: Freshness | None = None) -> None:
        self._url = url
        self._timeout_s = timeout_s
        self._freshness = freshness or Freshness()
        self._answer: _Answer | None = None
        self._asked_for_unknown_at = float("-inf")
        self._failed_at = float("-inf")
        self._failure = ""
        self._fetching: asyncio.Task[bool] | None = None

    async def issuer(self) -> str:
        """The issuer's exact name. Raises: StoreError."""
        return (await self._current()).issuer

    async def key(self, key_id: str) -> RSAPublicKey | None:
        """The issuer's key with this `kid`, None if it has none even when asked again. Raises: StoreError."""
        answer = await self._current()
        if key_id in answer.keys or monotonic() - self._asked_for_unknown_at < self._freshness.unknown_key_s:
            return answer.keys.get(key_id)
        if not await self._fetch():
            raise self._unavailable()
        self._asked_for_unknown_at = monotonic()
        return (await self._current()).keys.get(key_id)

    def still_has(self, key_id: str) -> bool:
        """Whether the key is among those known now; asks the issuer in the background if that is due."""
        answer = self._answer
        if answer is None:
            return False
        age_s = monotonic() - answer.at
        if age_s > self._freshness.refresh_s:
            self._start_fetching()
        return age_s < self._freshness.discard_s and key_id in answer.keys

    async def aclose(self) -> None:
        """End what runs in the background in this event loop."""
        task = self._fetching
        if task is not None and not task.done() and task.get_loop() is asyncio.get_running_loop():
            task.cancel()
            await asyncio.gather(task, return_exceptions=True)

    async def _current(self) -> _Answer:
        answer = self._answer
        age_s = monotonic() - answer.at if answer else float("inf")
        if answer is None or age_s >= self._freshness.discard_s:
            if not await self._fetch() or self._answer is None:
                raise self._unavailable()
            return self._answer
        if age_s > self._freshness.refresh_s:
            self._start_fetching()
        return answer

    async def _fetch(self) -> bool:
        """Ask now, together with whoever asks already; whether `_answer` is new."""
        task = self._start_fetching()
        return task is not None and await asyncio.shield(task)

    def _start_fetching(self) -> asyncio.Task[bool] | None:
        """The fetch under way in this event loop, begun if there is none; None in a failure's pause."""
        task = self._fetching
        if task is not None and not task.done() and task.get_loop() is asyncio.get_running_loop():
            return task
        if monotonic() - self._failed_at < self._freshness.pause_s:
            return None
        self._fetching = asyncio.create_task(self._ask())
        return self._fetching

    async def _ask(self) -> bool:
        try:
            async with asyncio.timeout(self._timeout_s):
                self._answer = await _ask_issuer(self._url, self._timeout_s)
            return True
        except (httpx.HTTPError, httpx.InvalidURL, TimeoutError, ValueError, RecursionError) as error:
            self._failed_at = monotonic()
            self._failure = str(error) if isinstance(error, ValueError) else type(error).__name__
            _LOG.warning("the token issuer's keys cannot be fetched: %s", self._failure)
            return False

    def _unavailable(self) -> StoreError:
        return StoreError(
            "issuer_unavailable",
            f"the token issuer's keys cannot be fetched: {self._failure}",
            retryable=True,
        )


async def _ask_issuer(url: str, timeout_s: float) -> _Answer:
    context = await asyncio.to_thread(_tls)
    async with httpx.AsyncClient(verify=context, timeout=timeout_s, follow_redirects=False) as http:
        document = await _json(http, url)
        issuer, keys_url = document.get("issuer"), document.get("jwks_uri")
        if not isinstance(issuer, str) or not isinstance(keys_url, str) or "{" in issuer:
            raise ValueError("the discovery document names no single issuer with keys")
        if urlsplit(url).scheme == "https" and urlsplit(keys_url).scheme != "https":
            raise ValueError("the discovery document leads from https to an open channel")
        keys = _keys_in(await _json(http, keys_url))
    if not keys:
        raise ValueError("the issuer publishes no usable RS256 key")
    return _Answer(issuer, keys, monotonic())


async def _json(http: httpx.AsyncClient, url: str) -> dict[str, Any]:
    """Raises: httpx.HTTPError; ValueError where the answer is no JSON object of bearable size."""
    body = bytearray()
    async with http.stream("GET", url, headers={"Accept": "application/json"}) as response:
        if response.status_code != httpx.codes.OK:
            raise ValueError(f"the issuer answered {response.status_code}")
        async for piece in response.aiter_bytes():
            body += piece
            if len(body) > _MAX_DOCUMENT_BYTES:
                raise ValueError("the issuer's answer is too long")
    document = json.loads(body)
    if not isinstance(document, dict):
        raise ValueError("the issuer's answer is not a JSON object")
    return document


def _keys_in(document: Mapping[str, Any]) -> dict[str, RSAPublicKey]:
    """The RSA signing keys by their id; keys of other kinds and uses are passed over."""
    keys: dict[str, RSAPublicKey] = {}
    listed = document.get("keys")
    for item in listed if isinstance(listed, list) else []:
        if not isinstance(item, dict) or item.get("kty") != "RSA" or not isinstance(item.get("kid"), str):
            continue
        if item.get("use", "sig") != "sig" or item.get("alg", "RS256") != "RS256":
            continue
        try:
            key = jwt.algorithms.RSAAlgorithm.from_jwk(item)
        except (jwt.InvalidKeyError, ValueError):
            continue
        if isinstance(key, RSAPublicKey) and key.key_size >= _MIN_KEY_BITS:
            keys[item["kid"]] = key
    return keys


@cache
def _tls() -> ssl.SSLContext:
    """Loading the trust store takes tens of milliseconds, so it is done once, and off the event loop."""
    return httpx.create_ssl_context()
