"""The ways in which a call can be told to misbehave."""

from __future__ import annotations

from enum import StrEnum


class Misbehaviour(StrEnum):
    FOREIGN_BEARER = "foreign-bearer"
    """All requests bear a secret that is not ours."""
    CUT_BEARER = "cut-bearer"
    """The secret lacks its last letter."""
    REPEATED_TURNS = "repeated-turns"
    """Each turn is asked twice, one after the other; what is answered the second time counts."""
    FORGETFUL = "forgetful"
    """The context that is handed back loses what the app has put into its internal variables."""
    EMPTY_END = "empty-end"
    """The on-end hook has an empty body, and comes again and again."""
    EMPTY_RESULT = "empty-result"
    MALFORMED_RESULT = "malformed-result"
    REPEATED_RESULT = "repeated-result"
    RESULT_FIRST = "result-first"
    """The result is told before the end."""
    CAMPAIGN_RESULT = "campaign-result"
    """The result has the form of a campaign's."""
    NO_END = "no-end"
    NO_RESULT = "no-result"
