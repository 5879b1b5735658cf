"""Properties are tried on enough examples to find a fault, few enough to stay quick on a busy machine."""

from __future__ import annotations

from hypothesis import settings

settings.register_profile("quick", max_examples=60, deadline=None, derandomize=True)
settings.load_profile("quick")
