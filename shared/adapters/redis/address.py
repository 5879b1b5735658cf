"""Where a Redis is and as whom we come: the setting REDIS_URL in parts."""

from __future__ import annotations

from dataclasses import dataclass
from urllib.parse import unquote, urlsplit

from shared.domain.errors import InvalidRequest

_DEFAULT_PORT = 6379


@dataclass(frozen=True, slots=True)
class RedisAddress:
    """`user` may be empty where there is a password: that of the default user."""

    host: str
    port: int
    tls: bool
    user: str
    password: str
    database: int

    @classmethod
    def parse(cls, url: str) -> RedisAddress:
        """`redis[s]://[[user]:password@]host[:port][/database]`, user and password percent-encoded.

        Raises: InvalidRequest that does not repeat the URL, which may hold a password.
        """
        try:
            parts = urlsplit(url)
            database = int(parts.path.strip("/") or 0)
            port = parts.port or _DEFAULT_PORT
        except ValueError:
            raise InvalidRequest("redis_url_invalid", "port or database of the Redis URL is no number") from None
        if parts.scheme not in ("redis", "rediss") or not parts.hostname or database < 0:
            raise InvalidRequest("redis_url_invalid", "a Redis URL is redis://host:port/number or rediss://…")
        user, password = unquote(parts.username or ""), unquote(parts.password or "")
        return cls(parts.hostname, port, parts.scheme == "rediss", user, password, database)
