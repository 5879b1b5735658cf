"""Which language models think for an agent, in the order in which they are asked."""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum
from typing import Annotated

from annotated_types import Interval, Len

from shared.domain.agents.values import closed


class ModelProvider(StrEnum):
    """An account that the settings describe."""

    AZURE_OPENAI = "azure_openai"
    OPENAI = "openai"
    SARVAM = "sarvam"
    COMPATIBLE = "compatible"
    """Any endpoint that speaks OpenAI's protocol."""


@closed
@dataclass(frozen=True, slots=True, kw_only=True)
class ModelChoice:
    """`model`: its name, on Azure the deployment's; none: the one that the settings name for the provider."""

    provider: ModelProvider
    model: Annotated[str, Len(0, 200)] = ""
    temperature: Annotated[float, Interval(ge=0, le=2)] = 0.3
    max_tokens: Annotated[int, Interval(ge=16, le=4_000)] = 300
