"""How a tool can fail, by what is known of what happened."""

from __future__ import annotations

from shared.domain.errors import ToolError


class OutcomeUnknown(ToolError):
    """It was asked, and nobody knows whether it did anything."""

    def __init__(self, message: str) -> None:
        super().__init__("tool_outcome_unknown", message)


def not_asked(message: str) -> ToolError:
    """Nothing has happened, and it may be asked later."""
    return ToolError("tool_unavailable", message, retryable=True)


def refused(message: str) -> ToolError:
    """It has said no, which is an outcome."""
    return ToolError("tool_refused", message)
