"""HTML, by Python's own parser: what a reader of the page would see. Source: https://html.spec.whatwg.org"""

from __future__ import annotations

import re
from html.parser import HTMLParser

from shared.adapters.documents.letters import text_in
from shared.adapters.documents.tables import rows_of
from shared.domain.knowledge.blocks import Block, BlockKind, ReadDocument, ReadingLimits, Refused, collected

_CHARSET = re.compile(rb"<meta[^>]{0,500}charset\s*=\s*[\"']?([A-Za-z0-9_-]{1,40})", re.IGNORECASE)
_SNIFFED = 2_048
_UNSEEN = frozenset({"script", "style", "template", "noscript", "svg", "math", "iframe", "object", "select"})
_EMPTY = frozenset(
    {"area", "base", "br", "col", "embed", "hr", "img", "input", "link", "meta", "param", "source", "track", "wbr"}
)
# fmt: off
_BREAKING = frozenset({
    "address", "article", "aside", "blockquote", "body", "br", "dd", "details", "div", "dl", "dt", "fieldset",
    "figcaption", "figure", "footer", "form", "header", "hr", "html", "li", "main", "nav", "ol", "p", "pre",
    "section", "summary", "table", "tbody", "tfoot", "thead", "ul", "caption",
})
# fmt: on
_HEADINGS = {f"h{level}": level for level in range(1, 7)}
_HIDING = re.compile(r"display\s*:\s*none|visibility\s*:\s*hidden", re.IGNORECASE)
_DEEPEST = 2_000


def read_html(data: bytes, limits: ReadingLimits) -> ReadDocument:
    """Raises: Refused."""
    said = _CHARSET.search(data[:_SNIFFED])
    page = _Page(limits)
    page.feed(text_in(data, said[1].decode("ascii") if said else ""))
    page.close()
    page.end()
    return collected(page.blocks, limits, page.title)


class _Page(HTMLParser):
    """Gathers blocks; what is hidden, and what is inside it, is passed over."""

    def __init__(self, limits: ReadingLimits) -> None:
        super().__init__(convert_charrefs=True)
        self.blocks: list[Block] = []
        self.title = ""
        self._limits = limits
        self._hidden: list[str] = []
        """Open elements from the outermost hidden one on."""
        self._in_title = False
        self._level = 0
        self._text: list[str] = []
        self._rows: list[list[str]] = []
        self._cell: list[str] | None = None

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        if tag == "title":
            self._in_title = True
        elif self._hidden or tag in _UNSEEN or _is_hidden(attrs):
            if tag not in _EMPTY:
                self._hide(tag)
        elif tag == "tr":
            self._end_cell()
            self._rows.append([])
        elif tag in ("td", "th"):
            self._end_cell()
            self._cell = []
        elif tag in _HEADINGS:
            self.end()
            self._level = _HEADINGS[tag]
        elif tag in _BREAKING:
            self._break()

    def handle_endtag(self, tag: str) -> None:
        if tag == "title":
            self._in_title = False
        elif self._hidden:
            if tag in self._hidden:
                del self._hidden[len(self._hidden) - 1 - self._hidden[::-1].index(tag) :]
        elif tag in ("td", "th", "tr"):
            self._end_cell()
        elif tag == "table":
            self._end_table()
        elif tag in _HEADINGS:
            self._end_text()
            self._level = 0
        elif tag in _BREAKING:
            self._break()

    def handle_startendtag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        if tag in _BREAKING or tag in _EMPTY:
            self.handle_starttag(tag, attrs)

    def handle_data(self, data: str) -> None:
        if self._in_title:
            self.title += data[:200]
        elif not self._hidden:
            (self._text if self._cell is None else self._cell).append(data)

    def end(self) -> None:
        """Of all that is open."""
        self._end_table()
        self._end_text()

    def _hide(self, tag: str) -> None:
        if len(self._hidden) >= _DEEPEST:
            raise Refused("document_too_costly", "the page nests its elements too deeply")
        self._hidden.append(tag)

    def _break(self) -> None:
        if self._cell is not None:
            self._cell.append(" ")
        elif not self._level:
            self._end_text()

    def _end_cell(self) -> None:
        if self._cell is not None:
            if not self._rows:
                self._rows.append([])
            self._rows[-1].append("".join(self._cell))
            self._cell = None

    def _end_table(self) -> None:
        self._end_cell()
        if self._rows:
            self._end_text()
            self.blocks += rows_of(self._rows)
            self._rows = []

    def _end_text(self) -> None:
        text = " ".join("".join(self._text).split())
        self._text = []
        if text:
            kind = BlockKind.HEADING if self._level else BlockKind.PARAGRAPH
            self.blocks.append(Block(text, kind, self._level))
        if len(self.blocks) > self._limits.blocks:
            raise Refused("document_too_long", f"the page has more than {self._limits.blocks} paragraphs")


def _is_hidden(attrs: list[tuple[str, str | None]]) -> bool:
    given = dict(attrs)
    return "hidden" in given or given.get("aria-hidden") == "true" or bool(_HIDING.search(given.get("style") or ""))
