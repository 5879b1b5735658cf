"""What the steps of an ingestion say to each other."""

from __future__ import annotations

from enum import StrEnum

OVERTAKEN = -1
"""Given by a step about a revision which is not the document's any more, or which has failed."""


class Deed(StrEnum):
    """What there is to do about a document."""

    READ = "read"
    ERASE = "erase"
    NOTHING = "nothing"
