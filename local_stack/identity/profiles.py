"""The three kinds of directory we imitate: where their documents lie and what stands in their tokens.

Source: https://learn.microsoft.com/azure/active-directory-b2c/tokens-overview
Source: https://learn.microsoft.com/entra/identity-platform/access-token-claims-reference
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

from local_stack.identity.directory import Api, Client, Directory, User

Kind = Literal["b2c", "ciam", "entra"]

# Lifetimes that the real services use when nothing is configured.
ACCESS_SECONDS = 3600
REFRESH_SECONDS = 14 * 24 * 3600

Claims = dict[str, object]


@dataclass(frozen=True)
class Profile:
    """One authority: a directory, and for B2C one user flow of it."""

    kind: Kind
    tenant_id: str
    path: str
    """The path of the authority's endpoints, e.g. `/b2c/voice.onmicrosoft.com/b2c_1_signin`."""
    issuer: str
    policy: str = ""

    @property
    def tenant_claim(self) -> str:
        """The name of the claim that says which customer somebody belongs to."""
        return "extension_TenantId" if self.kind == "b2c" else "tenant_id"

    def discovery(self, base_url: str) -> dict[str, object]:
        """Return the OpenID Connect metadata document."""
        authority = f"{base_url}{self.path}"
        return {
            "issuer": self.issuer,
            "authorization_endpoint": f"{authority}/oauth2/v2.0/authorize",
            "token_endpoint": f"{authority}/oauth2/v2.0/token",
            "end_session_endpoint": f"{authority}/oauth2/v2.0/logout",
            "jwks_uri": f"{authority}/discovery/v2.0/keys",
            "userinfo_endpoint": f"{authority}/openid/v2.0/userinfo",
            "response_modes_supported": ["query", "fragment"],
            "response_types_supported": ["code"],
            "grant_types_supported": ["authorization_code", "refresh_token", "client_credentials"],
            "code_challenge_methods_supported": ["S256"],
            "scopes_supported": ["openid", "profile", "offline_access"],
            "subject_types_supported": ["pairwise"],
            "id_token_signing_alg_values_supported": ["RS256"],
            "token_endpoint_auth_methods_supported": ["client_secret_post", "client_secret_basic"],
            "claims_supported": ["iss", "sub", "aud", "exp", "nbf", "iat", "oid", "name", "azp"],
        }

    def access_claims(self, user: User, client: Client, api: Api, scopes: list[str], now: int) -> Claims:
        """Return the claims of an access token that `client` uses for `user`."""
        claims = self._user_claims(user, now) | {"aud": api.audience, "azp": client.client_id}
        claims["scp"] = " ".join(scopes)
        if self.kind != "b2c":
            claims |= {"azpacr": "0", "roles": list(user.roles)}
        return claims

    def id_claims(self, user: User, client: Client, nonce: str | None, now: int) -> Claims:
        """Return the claims of an ID token: it is for the client and grants nothing."""
        claims = self._user_claims(user, now) | {"aud": client.client_id, "auth_time": now}
        return claims | ({"nonce": nonce} if nonce else {})

    def daemon_claims(self, client: Client, audience: str, now: int) -> Claims:
        """Return the claims of an application's own token: roles, and neither a user nor `scp`."""
        return self._times(now) | {
            "iss": self.issuer,
            "aud": audience,
            "azp": client.client_id,
            "appid": client.client_id,
            "azpacr": "1",
            "idtyp": "app",
            "oid": client.object_id,
            "sub": client.object_id,
            "tid": self.tenant_id,
            "ver": "2.0",
            **({"roles": list(client.roles)} if client.roles else {}),
            **({self.tenant_claim: client.tenant_id} if client.tenant_id else {}),
        }

    def _user_claims(self, user: User, now: int) -> Claims:
        claims = self._times(now) | {
            "iss": self.issuer,
            "sub": user.object_id,
            "oid": user.object_id,
            "name": user.name,
        }
        if self.kind == "b2c":
            # Custom attributes of B2C are plain texts: several roles stand in one, joined by commas.
            return claims | {
                "ver": "1.0",
                "tfp": self.policy,
                "emails": [user.email],
                "extension_Roles": ",".join(user.roles),
                self.tenant_claim: user.tenant_id,
            }
        return claims | {
            "ver": "2.0",
            "tid": self.tenant_id,
            "preferred_username": user.email,
            self.tenant_claim: user.tenant_id,
        }

    @staticmethod
    def _times(now: int) -> Claims:
        return {"iat": now, "nbf": now, "exp": now + ACCESS_SECONDS}


def build_profiles(directory: Directory, base_url: str) -> dict[str, Profile]:
    """Return every authority by the path of its endpoints (all lower case).

    The issuer of External ID names the tenant's number in the host, although its documents are read under
    the tenant's name: a validator has to take the issuer from the document.
    """
    tenant = directory.ciam_tenant_id
    scheme, host = base_url.split("://", 1)
    entra = Profile(
        "entra",
        directory.entra_tenant_id,
        f"/entra/{directory.entra_tenant_id}",
        f"{base_url}/entra/{directory.entra_tenant_id}/v2.0",
    )
    ciam_issuer = f"{scheme}://{tenant}.ciam.{host}/{tenant}/v2.0"
    profiles = [entra, Profile("ciam", tenant, f"/ciam/{directory.ciam_name}", ciam_issuer)]
    profiles.append(Profile("ciam", tenant, f"/ciam/{tenant}", ciam_issuer))
    for policy in directory.b2c_policies:
        for name in (directory.b2c_domain, directory.b2c_tenant_id):
            issuer = f"{base_url}/{directory.b2c_tenant_id}/v2.0/"
            profiles.append(Profile("b2c", directory.b2c_tenant_id, f"/b2c/{name}/{policy}", issuer, policy.lower()))
    return {profile.path.lower(): profile for profile in profiles}
