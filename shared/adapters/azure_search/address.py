"""Where the index is, and as whom one gets at it."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class SearchAddress:
    """Without `api_key` it is the managed identity `client_id`, or whom the environment names. `semantic`: whether
    the service's own model orders what was found, which it charges for.
    """

    endpoint: str
    index: str = "knowledge"
    api_key: str = ""
    client_id: str = ""
    semantic: bool = False
