"""The sample agents and their scenarios, by name."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import Any

import yaml  # type: ignore[import-untyped]

_HERE = Path(__file__).parent


class UnknownSample(LookupError):
    """There is no sample agent of this name; one line."""

    def __str__(self) -> str:
        return str(self.args[0])


def sample_agents() -> tuple[str, ...]:
    return tuple(sorted(file.stem for file in (_HERE / "agents").glob("*.yaml")))


def sample_agent(name: str) -> Mapping[str, Any]:
    """Its document; `${SAMPLES_URL}` stands in it for the origin of the sample services. Raises: UnknownSample."""
    if name not in sample_agents():
        raise UnknownSample(f"agent: there is no sample agent {name!r}; there are {', '.join(sample_agents())}")
    document: Mapping[str, Any] = yaml.safe_load((_HERE / "agents" / f"{name}.yaml").read_text(encoding="utf-8"))
    return document


def sample_scenarios() -> tuple[Path, ...]:
    return tuple(sorted((_HERE / "scenarios").glob("*.yaml")))
