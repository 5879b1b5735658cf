"""What we send to programs: JSON that nobody keeps."""

from __future__ import annotations

import json
from collections.abc import Mapping
from typing import Any

import azure.functions as func


def json_answer(
    document: Mapping[str, Any],
    *,
    status: int = 200,
    headers: Mapping[str, str] | None = None,
    mimetype: str = "application/json",
) -> func.HttpResponse:
    return func.HttpResponse(
        json.dumps(document),
        status_code=status,
        mimetype=mimetype,
        headers={"Cache-Control": "no-store", **(headers or {})},
    )
