"""Connections to Redis: lazily made, with deadlines, by password in the URL or by Entra token."""

from __future__ import annotations

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from typing import Any

from redis.asyncio import BlockingConnectionPool, Redis
from redis.asyncio.retry import Retry
from redis.backoff import ExponentialBackoff
from redis.exceptions import ConnectionError as RedisConnectionError
from redis.exceptions import RedisError
from redis.exceptions import TimeoutError as RedisTimeoutError

from shared.domain.errors import StoreError

COMMAND_DEADLINE_S = 2.0
CONNECT_DEADLINE_S = 2.0
_CONNECTIONS = 64
"""Of one client; more commands at once than that wait their turn instead of failing."""
KEY_LIFETIME_S = 5 * 3600
"""Longer than the longest call that the settings allow; what a crash leaves behind goes away by itself."""


def connect(url: str, *, entra: bool = False, block_s: float = 0.0, deadline_s: float = COMMAND_DEADLINE_S) -> Redis:
    """A client over a pool of its own; nothing is connected yet.

    `deadline_s`: for one attempt at a command. `block_s`: how long a blocking read may wait on top of it. With
    `entra` the user and password are tokens of the managed identity that AZURE_CLIENT_ID names, renewed by
    redis-entraid.
    """
    options: dict[str, Any] = {
        "protocol": 2,
        "socket_timeout": deadline_s + block_s,
        "socket_connect_timeout": CONNECT_DEADLINE_S,
        "health_check_interval": 30,
        "retry": Retry(ExponentialBackoff(cap=0.2, base=0.02), 2),
        "retry_on_error": [RedisConnectionError],
    }
    if entra:
        from redis_entraid.cred_provider import create_from_default_azure_credential  # noqa: PLC0415 - slow import

        options["credential_provider"] = create_from_default_azure_credential(("https://redis.azure.com/.default",))
    pool = BlockingConnectionPool.from_url(url, max_connections=_CONNECTIONS, timeout=deadline_s, **options)
    return Redis.from_pool(pool)


@asynccontextmanager
async def translated(what: str) -> AsyncIterator[None]:
    """Raises: StoreError (retryable) for whatever Redis raises while doing `what`, or who signs us in there."""
    try:
        yield
    except (RedisConnectionError, RedisTimeoutError, TimeoutError) as error:
        raise StoreError("redis_unavailable", f"{what}: {type(error).__name__}", retryable=True) from error
    except RedisError as error:
        raise StoreError("redis_refused", f"{what}: {error}") from error
    except Exception as error:  # a token that cannot be had comes as an error of the identity's own kind
        raise StoreError("redis_unavailable", f"{what}: {type(error).__name__}", retryable=True) from error
