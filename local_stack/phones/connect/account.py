"""The instance of Amazon Connect that is simulated, and the identifiers that AWS makes up."""

from __future__ import annotations

import re
import uuid
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Final, Self

_INSTANCE: Final = re.compile(r"arn:aws:connect:([a-z0-9-]+):(\d{12}):instance/([0-9a-zA-Z-]{1,100})")
_SHIPPED: Final = Path(__file__).parents[3] / "infra" / "aws"


@dataclass(frozen=True)
class Account:
    """One instance with its flow, its function, and the keys of an IAM user that may use its API."""

    instance_arn: str
    flow_id: str
    access_key_id: str
    secret_access_key: str = field(repr=False)
    webhook_secret: str = field(repr=False)
    flow_file: Path = _SHIPPED / "contact-flow.json"
    gateway_flow_file: Path = _SHIPPED / "contact-flow-gateway.json"
    function_dir: Path = _SHIPPED / "lambda"

    def __post_init__(self) -> None:
        if not _INSTANCE.fullmatch(self.instance_arn):
            raise ValueError("CONNECT_INSTANCE_ARNS names no instance of Amazon Connect")

    @classmethod
    def of(cls, environment: Mapping[str, str]) -> Self | None:
        """None where nothing of it is set. Raises: ValueError."""
        arn = environment.get("CONNECT_INSTANCE_ARNS", "").split(",")[0].strip()
        if not arn:
            return None
        return cls(
            arn,
            environment.get("CONNECT_FLOW_ID", ""),
            environment.get("CONNECT_ACCESS_KEY_ID", ""),
            environment.get("CONNECT_SECRET_ACCESS_KEY", ""),
            environment.get("CONNECT_WEBHOOK_SECRET", ""),
        )

    @property
    def region(self) -> str:
        return self.instance_arn.split(":")[3]

    @property
    def owner(self) -> str:
        return self.instance_arn.split(":")[4]

    @property
    def instance_id(self) -> str:
        return self.instance_arn.rpartition("/")[2]


def new_contact_id() -> str:
    return str(uuid.uuid4())
