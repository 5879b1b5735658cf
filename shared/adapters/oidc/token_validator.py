"""Fills `TokenValidator` for OpenID Connect issuers: signature, issuer, audience, lifetime, kind, claims."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from time import time
from typing import Any

import jwt

from shared.adapters.oidc.claims import principal_of, require_access_token
from shared.adapters.oidc.metadata import Freshness, IssuerMetadata
from shared.adapters.oidc.profile import TokenProfile
from shared.domain.errors import StoreError, Unauthenticated
from shared.domain.principal import Principal

_ALGORITHM = "RS256"
_LEEWAY_S = 60
_MAX_TOKEN_BYTES = 16_384
_MAX_KEY_ID_BYTES = 256

# The first that fits names the fault; the base class stands last.
_FAULTS: tuple[tuple[type[Exception], str, str], ...] = (
    (jwt.ExpiredSignatureError, "token_expired", "the token has expired"),
    (jwt.ImmatureSignatureError, "token_not_yet_valid", "the token is not valid yet"),
    (jwt.InvalidIssuedAtError, "token_not_yet_valid", "the token's time of issue is not a time"),
    (jwt.InvalidAudienceError, "token_audience", "the token is for another audience"),
    (jwt.InvalidIssuerError, "token_issuer", "the token is of another issuer"),
    (jwt.MissingRequiredClaimError, "token_claims", "the token lacks a claim that it must have"),
    (jwt.InvalidSignatureError, "token_signature", "the token's signature is wrong"),
    (jwt.InvalidAlgorithmError, "token_algorithm", "the token is not signed with RS256"),
    (jwt.PyJWTError, "token_malformed", "the token cannot be read"),
)


@dataclass(frozen=True, slots=True)
class _Accepted:
    principal: Principal
    metadata: IssuerMetadata
    key_id: str
    until: float


class OidcTokenValidator:
    """Checks access tokens by a `TokenProfile`.

    `cache_entries` tokens that were found good are remembered until they expire or their key is withdrawn: for
    the bearer that comes again with every frame of audio. `timeout_s` bounds fetching keys.
    """

    def __init__(
        self,
        profile: TokenProfile,
        *,
        timeout_s: float = 5.0,
        cache_entries: int = 0,
        freshness: Freshness | None = None,
    ) -> None:
        self._profile = profile
        self._cache_entries = cache_entries
        self._accepted: dict[str, _Accepted] = {}
        self._sources = {
            policy: IssuerMetadata(url, timeout_s=timeout_s, freshness=freshness)
            for policy, url in profile.metadata_urls.items()
        }

    async def validate(self, token: str) -> Principal:
        if len(token) > _MAX_TOKEN_BYTES:
            raise Unauthenticated("token_too_long", "the token is too long")
        if not self._cache_entries:
            return (await self._check(token)).principal
        known = self._accepted.get(token)
        if known is not None:
            if time() < known.until and known.metadata.still_has(known.key_id):
                return known.principal
            self._accepted.pop(token, None)
        accepted = await self._check(token)
        self._remember(token, accepted)
        return accepted.principal

    async def ping(self) -> None:
        for metadata in self._sources.values():
            await self._issuer_of(metadata)

    async def aclose(self) -> None:
        """End what runs in the background in this event loop."""
        for metadata in self._sources.values():
            await metadata.aclose()

    async def _check(self, token: str) -> _Accepted:
        key_id, policy = self._read_unverified(token)
        metadata, key = await self._key_of(key_id, policy)
        issuer = await self._issuer_of(metadata)
        try:
            claims = jwt.decode(
                token,
                key,
                algorithms=[_ALGORITHM],
                audience=self._profile.audience,
                issuer=issuer,
                leeway=_LEEWAY_S,
                options={"require": ["exp", "iss", "aud", "sub"], "strict_aud": True},
            )
        except jwt.PyJWTError as error:
            raise _fault(error) from None
        if policy is None and claims.get("scp"):
            raise Unauthenticated("token_policy", "the token of a person does not name its policy")
        require_access_token(claims, self._profile)
        until = float(claims["exp"]) + _LEEWAY_S
        return _Accepted(principal_of(claims, self._profile), metadata, key_id, until)

    async def _key_of(self, key_id: str, policy: str | None) -> tuple[IssuerMetadata, Any]:
        """The key, and whose it is. A service's token names no policy: any allowed one may have signed it."""
        sources = list(self._sources.values()) if policy is None else [self._sources.get(policy)]
        if sources == [None]:
            raise Unauthenticated("token_policy", "the token is of a policy that is not allowed")
        for metadata in sources:
            if metadata is not None and (key := await metadata.key(key_id)) is not None:
                return metadata, key
        raise Unauthenticated("token_key", "the token is signed with a key that its issuer does not have")

    def _read_unverified(self, token: str) -> tuple[str, str | None]:
        """The key's id and the policy, which only say with which key to check; nothing is believed yet.

        Keys that a token brings or points at itself (`jwk`, `jku`, `x5c`, `x5u`) are not looked at.
        """
        try:
            header = jwt.get_unverified_header(token)
            claims = jwt.decode(token, options={"verify_signature": False})
        except (jwt.PyJWTError, ValueError, RecursionError) as error:
            raise _fault(error) from None
        if header.get("alg") != _ALGORITHM:
            raise Unauthenticated("token_algorithm", "the token is not signed with RS256")
        key_id = header.get("kid")
        if not isinstance(key_id, str) or not 0 < len(key_id) <= _MAX_KEY_ID_BYTES:
            raise Unauthenticated("token_key", "the token does not say with which key it is signed")
        return key_id, self._policy_in(claims)

    def _policy_in(self, claims: Mapping[str, Any]) -> str | None:
        if "" in self._sources:
            return ""
        policy = claims.get("tfp", claims.get("acr"))
        return policy.lower() if isinstance(policy, str) else None

    async def _issuer_of(self, metadata: IssuerMetadata) -> str:
        issuer = await metadata.issuer()
        if self._profile.issuer not in (None, issuer):
            raise StoreError("issuer_mismatch", "the issuer calls itself otherwise than the settings say")
        return issuer

    def _remember(self, token: str, accepted: _Accepted) -> None:
        if len(self._accepted) >= self._cache_entries:
            self._accepted.pop(next(iter(self._accepted)))
        self._accepted[token] = accepted


def _fault(error: Exception) -> Unauthenticated:
    for kind, code, message in _FAULTS:
        if isinstance(error, kind):
            return Unauthenticated(code, message)
    return Unauthenticated("token_malformed", "the token cannot be read")
