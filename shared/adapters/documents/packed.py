"""Looks into a ZIP before anybody unpacks it: how much is in it, and whether its XML declares entities."""

from __future__ import annotations

import io
import zipfile
import zlib

from shared.domain.knowledge.blocks import ReadingLimits, Refused

_MOST_MEMBERS = 2_000
_PIECE_BYTES = 1 << 16
_LONGEST_MARK = 16
_XML = (".xml", ".rels")


def check_packed(data: bytes, limits: ReadingLimits, *, needed: str) -> None:
    """Unpack all of it, piece by piece, and keep nothing: what a ZIP says of its sizes need not be true.

    Raises: Refused.
    """
    try:
        with zipfile.ZipFile(io.BytesIO(data)) as packed:
            members = packed.infolist()
            if len(members) > _MOST_MEMBERS:
                raise Refused("document_too_costly", f"the document packs more than {_MOST_MEMBERS} files")
            if needed not in packed.namelist():
                raise Refused("document_format", "the file's content is not docx")
            left = limits.expanded_bytes
            for member in members:
                if member.flag_bits & 1:
                    raise Refused("document_encrypted", "the document is protected by a password")
                left = _check_member(packed, member, left)
    except (zipfile.BadZipFile, RuntimeError, EOFError, zlib.error) as error:  # RuntimeError: a method it lacks
        raise Refused("document_damaged", f"the document cannot be unpacked ({type(error).__name__})") from error


def _check_member(packed: zipfile.ZipFile, member: zipfile.ZipInfo, left: int) -> int:
    """How much more there may be."""
    is_xml = member.filename.lower().endswith(_XML)
    before = b""
    with packed.open(member) as content:
        while piece := content.read(_PIECE_BYTES):
            left -= len(piece)
            if left < 0:
                raise Refused("document_too_costly", "the document is packed too densely: it expands without end")
            plain = piece.replace(b"\0", b"")  # also where it is UTF-16
            if is_xml and (b"<!DOCTYPE" in before + plain or b"<!ENTITY" in before + plain):
                raise Refused(
                    "document_damaged", "the document's XML declares entities, which no word processor does"
                )
            before = plain[-_LONGEST_MARK:]
    return left
