"""Where OpenAI, Azure OpenAI, or whoever speaks their protocol, is asked, and as whom."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class OpenAIAccount:
    """With `azure_endpoint` it is Azure OpenAI with the managed identity, else `base_url` and a key.

    `key_header`: which header bears the key, where it is not `Authorization`. `retries`: how often a request that
    failed by chance is made again; 0 where another provider is quicker to ask.
    """

    base_url: str = ""
    api_key: str = ""
    azure_endpoint: str = ""
    azure_api_version: str = ""
    client_id: str = ""
    key_header: str = ""
    retries: int = 1
