"""The door: a bearer token becomes somebody, or the request is refused."""

from __future__ import annotations

import azure.functions as func

from shared.composition import services
from shared.domain.errors import Unauthenticated
from shared.domain.principal import Principal, Role

_BEARER = "bearer "


async def require(req: func.HttpRequest, *roles: Role) -> Principal:
    """Raises: Unauthenticated, Forbidden."""
    authorization = req.headers.get("authorization", "")
    if authorization[: len(_BEARER)].lower() != _BEARER:
        raise Unauthenticated("token_missing", "a bearer token is needed")
    principal = await services().token_validator.validate(authorization[len(_BEARER) :].strip())
    principal.require(*roles)
    return principal
