"""CSV, by Python's own reader: one row, one passage. Source: RFC 4180"""

from __future__ import annotations

import csv
import io

from shared.adapters.documents.letters import text_in
from shared.adapters.documents.tables import rows_of
from shared.domain.knowledge.blocks import Block, ReadDocument, ReadingLimits, Refused, collected

_SAMPLE = 8_192
_SEPARATORS = ",;\t|"


def read_csv(data: bytes, limits: ReadingLimits) -> ReadDocument:
    """Raises: Refused."""
    text = text_in(data)
    try:
        dialect: type[csv.Dialect] = csv.Sniffer().sniff(text[:_SAMPLE], delimiters=_SEPARATORS)
    except csv.Error:
        dialect = csv.excel
    csv.field_size_limit(limits.characters)
    blocks = list[Block]()
    try:
        for block in rows_of(csv.reader(io.StringIO(text, newline=""), dialect)):
            blocks.append(block)
            if len(blocks) > limits.blocks:
                break  # `collected` says that it is too much
    except csv.Error as error:
        raise Refused("document_damaged", f"the CSV cannot be read ({error})") from error
    return collected(blocks, limits)
