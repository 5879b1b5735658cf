"""Who exists: the tenants, applications and people of the local issuer, read from one file."""

from __future__ import annotations

import json
import os
import re
from dataclasses import dataclass, field
from pathlib import Path
from urllib.parse import urlsplit

_PLACEHOLDER = re.compile(r"\$\{(\w+):-([^}]*)\}")


class DirectoryError(Exception):
    """The file cannot be used; the text is one line that says why."""


@dataclass(frozen=True)
class User:
    """A person who can sign in."""

    login: str
    name: str
    email: str
    object_id: str
    roles: tuple[str, ...]
    tenant_id: str
    """The customer (not the directory) that the person belongs to."""


@dataclass(frozen=True)
class Client:
    """An application: public (no secret, PKCE) or confidential."""

    client_id: str
    name: str
    redirect_uris: tuple[str, ...] = ()
    secret: str | None = field(default=None, repr=False)
    object_id: str = ""
    roles: tuple[str, ...] = ()
    tenant_id: str = ""


@dataclass(frozen=True)
class Api:
    """A resource that access tokens are for."""

    audience: str
    scopes: tuple[str, ...]


@dataclass(frozen=True)
class Directory:
    """Everything the issuer knows."""

    b2c_tenant_id: str
    b2c_domain: str
    b2c_policies: tuple[str, ...]
    ciam_tenant_id: str
    ciam_name: str
    entra_tenant_id: str
    apis: tuple[Api, ...]
    clients: dict[str, Client]
    users: dict[str, User]

    def granted_scopes(self, requested: list[str]) -> tuple[Api | None, list[str]]:
        """Return the API that the `AUDIENCE/scope` words ask for and its known scopes among them."""
        for api in self.apis:
            names = [word.removeprefix("api://").removeprefix(f"{api.audience}/") for word in requested]
            known = [
                name
                for word, name in zip(requested, names, strict=True)
                if name in api.scopes and word.removeprefix("api://") != name
            ]
            if known:
                return api, known
        return None, []

    def allowed_origins(self) -> set[str]:
        """Return the origins of the pages that may read tokens, from their registered addresses."""
        origins = set()
        for client in self.clients.values():
            for address in client.redirect_uris:
                parts = urlsplit(address)
                origins.add(f"{parts.scheme}://{parts.netloc}")
        return origins


def read_directory(path: Path) -> Directory:
    """Read the file; `${NAME:-default}` inside stands for an environment variable.

    Raises:
        DirectoryError: not readable, not JSON, or something is missing.
    """
    try:
        text = path.read_text(encoding="utf-8")
        document = json.loads(_PLACEHOLDER.sub(lambda m: os.environ.get(m[1]) or m[2], text))
        return Directory(
            b2c_tenant_id=document["b2c"]["tenant_id"],
            b2c_domain=document["b2c"]["domain"],
            b2c_policies=tuple(document["b2c"]["policies"]),
            ciam_tenant_id=document["ciam"]["tenant_id"],
            ciam_name=document["ciam"]["name"],
            entra_tenant_id=document["entra"]["tenant_id"],
            apis=tuple(Api(each["audience"], tuple(each["scopes"])) for each in document["apis"]),
            clients={each["client_id"]: _client(each) for each in document["clients"]},
            users={each["login"]: _user(each) for each in document["users"]},
        )
    except OSError as problem:
        raise DirectoryError(f"cannot read {path}: {problem.strerror}") from problem
    except json.JSONDecodeError as problem:
        raise DirectoryError(f"{path} is not JSON: {problem}") from problem
    except (KeyError, TypeError) as problem:
        raise DirectoryError(f"{path}: {problem} is missing or of the wrong kind") from problem


def _client(entry: dict[str, object]) -> Client:
    return Client(
        client_id=str(entry["client_id"]),
        name=str(entry["name"]),
        redirect_uris=_texts(entry.get("redirect_uris")),
        secret=str(entry["secret"]) or None if "secret" in entry else None,
        object_id=str(entry.get("object_id", "")),
        roles=_texts(entry.get("roles")),
        tenant_id=str(entry.get("tenant_id", "")),
    )


def _user(entry: dict[str, object]) -> User:
    return User(
        login=str(entry["login"]),
        name=str(entry["name"]),
        email=str(entry["email"]),
        object_id=str(entry["object_id"]),
        roles=_texts(entry.get("roles")),
        tenant_id=str(entry["tenant_id"]),
    )


def _texts(value: object) -> tuple[str, ...]:
    if value is None:
        return ()
    if not isinstance(value, list):
        raise TypeError(f"{value!r} (a list is wanted)")
    return tuple(str(each) for each in value)
