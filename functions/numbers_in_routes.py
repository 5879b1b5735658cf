"""The number that an address names, with its provider."""

from __future__ import annotations

import azure.functions as func

from shared.domain.errors import InvalidRequest
from shared.domain.telephony.lines import Provider


def number_in(req: func.HttpRequest) -> tuple[Provider, str]:
    """Of a route `{provider}/{number}`. Raises: InvalidRequest."""
    try:
        return Provider(req.route_params["provider"]), req.route_params["number"]
    except ValueError:
        raise InvalidRequest("provider", f"provider is one of {', '.join(Provider)}") from None
