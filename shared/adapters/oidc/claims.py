"""What a token's verified claims say: that it is an access token, and of whom."""

from __future__ import annotations

import re
from collections.abc import Mapping
from typing import Any

from shared.adapters.oidc.profile import Bearer, TokenProfile
from shared.domain.errors import Unauthenticated
from shared.domain.principal import Principal, Role

_DAEMON_ROLES_CLAIM = "roles"
_MAX_IDENTIFIER_CHARACTERS = 128


def require_access_token(claims: Mapping[str, Any], profile: TokenProfile) -> None:
    """Refuse ID tokens and tokens of clients that may not come. Raises: Unauthenticated.

    An access token for a person has `scp`, one for a service `roles` without `scp`; an ID token has no `scp`
    and names no client beside its audience. A managed identity needs neither: its client id says it all.
    Source: https://learn.microsoft.com/entra/identity-platform/access-token-claims-reference
    """
    client = claims.get("azp", claims.get("appid"))
    if profile.client_ids and not (isinstance(client, str) and client in profile.client_ids):
        raise Unauthenticated("token_client", "the token is of a client that may not come here")
    if client is not None and client == claims["aud"]:
        raise Unauthenticated("token_kind", "the token is made for the client, not for this API")
    if profile.bearer is Bearer.KNOWN_SERVICE:
        if claims.get("scp"):
            raise Unauthenticated("token_kind", "the token is a person's, where a service's is needed")
        return
    if _is_daemon(claims) and (not claims.get(_DAEMON_ROLES_CLAIM) or client is None):
        raise Unauthenticated("token_kind", "the token is not an access token")


def principal_of(claims: Mapping[str, Any], profile: TokenProfile) -> Principal:
    """Raises: Unauthenticated if the token does not say who comes, or for which tenant."""
    subject = claims["sub"]
    if not isinstance(subject, str) or not 0 < len(subject) <= _MAX_IDENTIFIER_CHARACTERS:
        raise Unauthenticated("token_subject", "the token does not say whose it is")
    if profile.bearer is Bearer.KNOWN_SERVICE:
        return Principal(subject=subject, tenant_id="", roles=frozenset(), is_daemon=True)
    is_daemon = _is_daemon(claims)
    return Principal(
        subject=subject,
        tenant_id=_tenant_in(claims, profile.tenant_claims),
        roles=_roles_in(claims, (_DAEMON_ROLES_CLAIM,) if is_daemon else profile.role_claims),
        is_daemon=is_daemon,
    )


def _is_daemon(claims: Mapping[str, Any]) -> bool:
    return not claims.get("scp")


def _tenant_in(claims: Mapping[str, Any], names: tuple[str, ...]) -> str:
    """The one tenant that the claims name: two that differ are worse than none."""
    named = {claims[name] for name in names if isinstance(claims.get(name), str) and claims[name]}
    if len(named) != 1:
        raise Unauthenticated("token_tenant", "the token does not name one tenant")
    tenant_id = str(named.pop())
    if len(tenant_id) > _MAX_IDENTIFIER_CHARACTERS:
        raise Unauthenticated("token_tenant", "the token does not name one tenant")
    return tenant_id


def _roles_in(claims: Mapping[str, Any], names: tuple[str, ...]) -> frozenset[Role]:
    """The roles we know, from the first claim that is there: a list, or a string with commas or spaces."""
    value = next((claims[name] for name in names if claims.get(name)), ())
    if isinstance(value, str):
        value = re.split(r"[,\s]+", value)
    if not isinstance(value, list | tuple):
        return frozenset()
    spelled = {name.strip().lower() for name in value if isinstance(name, str)}
    return frozenset(role for role in Role if role.value in spelled)
