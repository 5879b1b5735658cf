"""The process that reads one document: `worker KIND LIMITS`, the document comes in, its blocks go out as JSON.

It has the app's code and none of its settings. Whatever a malicious document makes of it ends with it.
"""

from __future__ import annotations

import json
import resource
import sys
from collections.abc import Callable
from typing import Any

from shared.domain.knowledge.blocks import ReadDocument, ReadingLimits, Refused
from shared.domain.knowledge.kinds import DocumentKind

_Read = Callable[[bytes, ReadingLimits], ReadDocument]


def main(kind: str, limits_given: str) -> int:
    """0 with a document or the reason why there is none."""
    limits = ReadingLimits(**json.loads(limits_given))
    _limit(limits)
    answer = _answer(DocumentKind(kind), sys.stdin.buffer.read(limits.document_bytes + 1), limits)
    sys.stdout.write(json.dumps(answer))
    return 0


def _limit(limits: ReadingLimits) -> None:
    """From here on the system ends this process when it wants more."""
    resource.setrlimit(resource.RLIMIT_CPU, (limits.seconds, limits.seconds + 1))
    resource.setrlimit(resource.RLIMIT_AS, (limits.memory_bytes, limits.memory_bytes))
    resource.setrlimit(resource.RLIMIT_CORE, (0, 0))
    resource.setrlimit(resource.RLIMIT_FSIZE, (0, 0))  # it writes no files


def _answer(kind: DocumentKind, data: bytes, limits: ReadingLimits) -> dict[str, Any]:
    try:
        if len(data) > limits.document_bytes:
            raise Refused("document_too_large", f"a document has at most {limits.document_bytes} bytes")
        document = _reader(kind)(data, limits)
    except Refused as refusal:
        return {"code": refusal.code, "message": refusal.message}
    except ImportError:
        raise  # ours, and not the document's fault
    except MemoryError:
        return {"code": "document_too_costly", "message": "reading the document takes too much memory"}
    except Exception as error:  # noqa: BLE001 - a library's fault with a damaged file can be any
        return {"code": "document_damaged", "message": f"the document cannot be read ({type(error).__name__})"}
    blocks = [[str(block.kind), block.level, block.page, block.text] for block in document.blocks]
    return {"title": document.title, "blocks": blocks}


def _reader(kind: DocumentKind) -> _Read:
    """Only what this document needs is loaded."""
    if kind is DocumentKind.PDF:
        from shared.adapters.documents.pdf import read_pdf  # noqa: PLC0415

        return read_pdf
    if kind is DocumentKind.DOCX:
        from shared.adapters.documents.docx_file import read_docx  # noqa: PLC0415

        return read_docx
    if kind is DocumentKind.HTML:
        from shared.adapters.documents.html_page import read_html  # noqa: PLC0415

        return read_html
    if kind is DocumentKind.CSV:
        from shared.adapters.documents.csv_table import read_csv  # noqa: PLC0415

        return read_csv
    from shared.adapters.documents.markdown import read_markdown, read_text  # noqa: PLC0415

    return read_markdown if kind is DocumentKind.MARKDOWN else read_text


if __name__ == "__main__":
    raise SystemExit(main(*sys.argv[1:]))
