"""What a token must be to open a door: one description for each kind of issuer."""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum
from urllib.parse import parse_qs, urlsplit

from shared.domain.errors import InvalidRequest

_ROLES_CLAIM = "roles"


class Bearer(StrEnum):
    """Who comes with the token: people and services with roles, or one known service without."""

    WITH_ROLES = "with_roles"
    KNOWN_SERVICE = "known_service"


@dataclass(frozen=True, slots=True)
class TokenProfile:
    """The rules of one issuer's access tokens.

    `metadata_urls` maps a policy (lower case; B2C signs per policy and names it in `tfp` or `acr`) to its
    discovery document; "" where the issuer knows no policies. `issuer`, where set, must be what discovery
    says; where not, what discovery says is the issuer. `client_ids`, where set, are the only clients (`azp`,
    `appid`) that may come. `role_claims` and `tenant_claims` name the claims that may bear them.
    """

    metadata_urls: dict[str, str]
    audience: str
    bearer: Bearer = Bearer.WITH_ROLES
    issuer: str | None = None
    client_ids: frozenset[str] = frozenset()
    role_claims: tuple[str, ...] = (_ROLES_CLAIM,)
    tenant_claims: tuple[str, ...] = ()


def b2c_profile(metadata_urls: list[str], audience: str) -> TokenProfile:
    """Azure AD B2C: a discovery document for each allowed policy (user flow); no other policy's tokens count.

    Source: https://learn.microsoft.com/azure/active-directory-b2c/tokens-overview
    """
    by_policy = {_policy_of(url): url for url in metadata_urls}
    if not by_policy:
        raise InvalidRequest("auth_profile", "B2C needs the metadata address of at least one policy")
    return TokenProfile(
        metadata_urls=by_policy,
        audience=audience,
        role_claims=("extension_Roles", _ROLES_CLAIM),
        tenant_claims=("extension_TenantId", "tenant_id"),
    )


def external_id_profile(metadata_url: str, audience: str) -> TokenProfile:
    """Entra External ID. Its issuer's host may differ from the discovery address's: discovery decides."""
    return TokenProfile(
        metadata_urls={"": metadata_url},
        audience=audience,
        role_claims=(_ROLES_CLAIM, "extension_Roles"),
        tenant_claims=("tenant_id", "extension_TenantId"),
    )


def upstream_profile(issuer: str, audience: str, client_id: str, *, metadata_url: str | None = None) -> TokenProfile:
    """A managed identity that calls us: Web PubSub's, with the client id of that identity.

    Source: https://learn.microsoft.com/azure/azure-web-pubsub/howto-use-managed-identity
    """
    return TokenProfile(
        metadata_urls={"": metadata_url or issuer.rstrip("/") + "/.well-known/openid-configuration"},
        audience=audience,
        bearer=Bearer.KNOWN_SERVICE,
        issuer=issuer,
        client_ids=frozenset({client_id}),
    )


def _policy_of(metadata_url: str) -> str:
    """The policy in `…/TENANT/POLICY/v2.0/.well-known/…` or in `…?p=POLICY`. Raises: InvalidRequest."""
    address = urlsplit(metadata_url)
    if named := parse_qs(address.query).get("p"):
        return named[0].lower()
    parts = address.path.strip("/").split("/")
    if parts[-2:] != [".well-known", "openid-configuration"] or len(parts) < 4 or parts[-3] != "v2.0":
        raise InvalidRequest("auth_profile", f"{metadata_url} is not a B2C policy's metadata address")
    return parts[-4].lower()
