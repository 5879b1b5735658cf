"""Where the files are, and as whom one gets at them."""

from __future__ import annotations

from dataclasses import dataclass

from shared.domain.errors import InvalidRequest


@dataclass(frozen=True, slots=True)
class BlobAddress:
    """A container, by connection string (local) or by account URL and identity (Azure).

    `client_id` names a user-assigned managed identity; without it the environment decides.
    Raises: InvalidRequest unless exactly one of `connection_string` and `account_url` is given.
    """

    container: str
    connection_string: str | None = None
    account_url: str | None = None
    client_id: str | None = None

    def __post_init__(self) -> None:
        if (self.connection_string is None) == (self.account_url is None):
            raise InvalidRequest("files_address", "the file store needs a connection string or an account URL")
