"""What stands in the query of a request for a list."""

from __future__ import annotations

from datetime import UTC, datetime

import azure.functions as func

from shared.domain.errors import InvalidRequest

_MAX_PAGE = 200


def limit_in(req: func.HttpRequest) -> int:
    """Raises: InvalidRequest."""
    given = req.params.get("limit", "50")
    if not given.isdecimal() or len(given) > 4 or not 1 <= int(given) <= _MAX_PAGE:
        raise InvalidRequest("limit", f"limit is a whole number from 1 to {_MAX_PAGE}")
    return int(given)


def moment_in(req: func.HttpRequest, name: str) -> datetime | None:
    """Raises: InvalidRequest."""
    given = req.params.get(name)
    if given is None:
        return None
    try:
        moment = datetime.fromisoformat(given)
    except ValueError:
        raise InvalidRequest(name, f"{name} is a moment in ISO 8601") from None
    return moment if moment.tzinfo else moment.replace(tzinfo=UTC)
