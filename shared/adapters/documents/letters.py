"""Bytes to text, for formats that are text: by their byte order mark, as UTF-8, or as they say themselves."""

from __future__ import annotations

import codecs

from shared.domain.knowledge.blocks import Refused

_MARKS = (
    (codecs.BOM_UTF8, "utf-8-sig"),
    (codecs.BOM_UTF16_LE, "utf-16"),
    (codecs.BOM_UTF16_BE, "utf-16"),
)
_MOST_STRANGE = 0.02


def text_in(data: bytes, said: str = "") -> str:
    """`said`: the encoding that the document names. Raises: Refused for what is no text."""
    marked = next((name for mark, name in _MARKS if data.startswith(mark)), "")
    for name in dict.fromkeys(name for name in (marked, "utf-8", said, "windows-1252") if name):
        try:
            text = data.decode(name)
        except (UnicodeDecodeError, LookupError):
            continue
        strange = sum(letter < " " and letter not in "\t\n\r\f\v" for letter in text)
        if strange > len(text) * _MOST_STRANGE or "\0" in text:
            break
        return text.replace("\r\n", "\n").replace("\r", "\n")
    raise Refused("document_encoding", "the document is no text that can be read: save it as UTF-8")
