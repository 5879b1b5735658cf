"""Spoken words as tokens, in which every number, however it was said or written, stands as digits."""

from __future__ import annotations

import re
import unicodedata
from dataclasses import dataclass
from decimal import Decimal

from shared.domain.slots.counting import Counting, counting, counts_in
from shared.domain.slots.number_words import POINTS, REPEATS, VAGUE, folded

_LONGEST_CHARACTERS = 500
_PIECES = re.compile(
    r"(?P<number>\d{1,3}(?:,\d{2,3}){1,6}(?!\d)(?:\.\d{1,6})?|\d{1,40}(?:\.\d{1,6}(?!\d))?)(?:(?P<th>st|nd|rd|th)\b|(?P<k>[kK])\b)?"
    r"|(?P<mark>[:/+.,;!?।@#₹$€£-])|(?P<word>[^\s\d:/+.,;!?।@#₹$€£()\"“”-]{1,60})"
)
_HUNDRED = 100
_TENS = range(20, _HUNDRED, 10)


_BEFORE_MULTIPLIERS = (
    (("half", "a"), "0.5"),
    (("a", "couple", "of"), "2"),
    (("couple", "of"), "2"),
    (("a",), "1"),
    (("an",), "1"),
)


@dataclass(frozen=True, slots=True)
class Token:
    """`text`: a word folded, a mark, or a number in digits; `digits`: of a number, as they were dictated ("00")."""

    text: str
    written: str
    number: Decimal | None = None
    digits: str = ""
    is_ordinal: bool = False


def tokens(text: str, language: str) -> list[Token]:
    """The words, marks and numbers of a text, of which no more is read than anyone says for one value."""
    text = _ascii_digits(text[:_LONGEST_CHARACTERS])
    words = counting(counts_in(text, language))
    return _Numbers(_unfused(_pieces(text), words), words).all()


def plain(found: list[Token]) -> str:
    """Tokens as one text, a space between any two."""
    return " ".join(token.text for token in found)


def decimal_text(number: Decimal) -> str:
    """Without an exponent, and without zeros behind the point."""
    text = f"{number:f}"
    return text.rstrip("0").rstrip(".") if "." in text else text


def _ascii_digits(text: str) -> str:
    return "".join(str(unicodedata.decimal(letter)) if letter.isdecimal() else letter for letter in text)


def _pieces(text: str) -> list[Token]:
    found = []
    for match in _PIECES.finditer(text):
        written = match.group()
        if number := match["number"]:
            value = number.replace(",", "")
            if match["k"]:
                value = decimal_text(Decimal(value) * 1_000)
            suffix = "th" if match["th"] else ""
            found.append(Token(value + suffix, written, Decimal(value), value, bool(suffix)))
        else:
            found.append(Token(match["mark"] or folded(match["word"].strip("'’")), written))
    return [token for token in found if token.text]


def _unfused(pieces: list[Token], words: Counting) -> list[Token]:
    """Words that hold a number and a scale, as two."""
    if not words.fused:
        return pieces
    return [
        Token(part, piece.written) if piece.text in words.fused else piece
        for piece in pieces
        for part in words.fused.get(piece.text, (piece.text,))
    ]


def _room(number: int) -> int:
    """Less than this may follow a word of the number and be added to it; 0: nothing."""
    if number == 0 or number % 10 or number % _HUNDRED == 10:
        return 0
    return _HUNDRED if number % _HUNDRED == 0 else 10


class _Numbers:
    """Joins the words of numbers."""

    def __init__(self, pieces: list[Token], words: Counting) -> None:
        self._pieces = pieces
        self._at = 0
        self._cardinals, self._ordinals, self._multipliers = words.cardinals, words.ordinals, words.multipliers
        self._adding, self._whole = words.adding, words.whole

    def all(self) -> list[Token]:
        found = []
        while self._at < len(self._pieces):
            begin = self._at
            token = self._repeated() or self._number()
            if token is None:
                self._at = begin + 1
                token = self._pieces[begin]
            found.append(token)
        return found

    def _peek(self, ahead: int = 0) -> Token:
        index = self._at + ahead
        return self._pieces[index] if index < len(self._pieces) else Token("", "")

    def _written(self, begin: int) -> str:
        return " ".join(piece.written for piece in self._pieces[begin : self._at])

    def _repeated(self) -> Token | None:
        """Double four."""
        times = REPEATS.get(self._peek().text)
        if times is None:
            return None
        begin = self._at
        self._at += 1
        following = self._peek()
        value = self._cardinals.get(following.text)
        digits = following.digits or ("" if value is None else str(value))
        if not digits and following.text in ("oh", "o"):
            digits = "0"
        if not digits.isdecimal():
            return None
        self._at += 1
        return Token(digits * times, self._written(begin), Decimal(digits * times), digits * times)

    def _number(self) -> Token | None:
        begin = self._at
        ordinal = self._ordinal()
        if ordinal is not None:
            return Token(f"{ordinal}th", self._written(begin), Decimal(ordinal), str(ordinal), is_ordinal=True)
        if self._peek().is_ordinal:
            self._at += 1
            return self._pieces[begin]
        added = self._adding.get(self._peek().text)
        if added is not None:
            self._at += 1
        value = self._base(is_first=True)
        if value is None and (added is None or self._peek().text not in self._multipliers):
            return None
        first = self._pieces[begin]
        is_as_written = added is None and self._at == begin + 1
        value = (Decimal(1) if value is None else value) + Decimal(added or 0)
        value, is_scaled = self._scaled(value)
        if is_as_written and not is_scaled and first.number is not None:
            return first
        if is_scaled and (ordinal := self._ordinal()) is not None:
            value += ordinal
            return Token(f"{value}th", self._written(begin), value, str(value), is_ordinal=True)
        text = decimal_text(value)
        return Token(text, self._written(begin), value, text)

    def _ordinal(self) -> int | None:
        tens = self._cardinals.get(self._peek().text, 0)
        if tens in _TENS:
            gap = 1 if self._peek(1).text == "-" else 0
            unit = self._ordinals.get(self._peek(1 + gap).text, 0)
            if 0 < unit < 10:
                self._at += 2 + gap
                return tens + unit
        number = self._ordinals.get(self._peek().text)
        if number is not None:
            self._at += 1
        return number

    def _base(self, *, is_first: bool) -> Decimal | None:
        """A number below a hundred, one that is written in digits, or one with a half or a decimal point."""
        token = self._peek()
        value = token.number
        if value is not None:
            self._at += 1
        elif token.text in self._cardinals:
            value = self._added_up()
        else:
            return self._unnumbered(token, is_first=is_first)
        if [self._peek(ahead).text for ahead in range(3)] == ["and", "a", "half"]:
            self._at += 3
            return value + Decimal("0.5")
        return value + self._decimals()

    def _unnumbered(self, token: Token, *, is_first: bool) -> Decimal | None:
        """A hundred, half a million; in Hindi one and a half is a word of its own. Of "some thousands" none."""
        if token.text in self._whole:
            self._at += 1
            return Decimal(self._whole[token.text])
        if is_first and token.text in self._multipliers:
            is_vague = self._at > 0 and self._pieces[self._at - 1].text in VAGUE
            return None if is_vague else Decimal(1)
        for words, value in _BEFORE_MULTIPLIERS:
            ahead = len(words)
            if (
                tuple(self._peek(n).text for n in range(ahead)) == words
                and self._peek(ahead).text in self._multipliers
            ):
                self._at += ahead
                return Decimal(value)
        return None

    def _added_up(self) -> Decimal:
        """Twenty-five; in other languages hundreds are words that go on so as well."""
        total = last = self._cardinals[self._peek().text]
        self._at += 1
        while room := _room(last):
            gap = 1 if self._peek().text == "-" else 0
            following = self._cardinals.get(self._peek(gap).text, 0)
            if not 0 < following < room:
                break
            self._at += 1 + gap
            total, last = total + following, following
        return Decimal(total)

    def _decimals(self) -> Decimal:
        """Point five."""
        if self._peek().text not in POINTS:
            return Decimal(0)
        digits = ""
        ahead = 1
        while len(digits) < 6:
            token = self._peek(ahead)
            value = self._cardinals.get(token.text)
            said = token.digits or ("" if value is None else str(value))
            if not said.isdecimal():
                break
            digits += said
            ahead += 1
        if not digits:
            return Decimal(0)
        self._at += ahead
        return Decimal(f"0.{digits}")

    def _scaled(self, current: Decimal) -> tuple[Decimal, bool]:
        """Hundred, thousand, lakh, and what is counted below them."""
        total, limit, is_scaled = Decimal(0), Decimal("Infinity"), False
        while (size := self._multipliers.get(self._peek().text)) is not None and current * size < limit:
            self._at += 1
            is_scaled = True
            if size == _HUNDRED:
                current *= size
                current += self._rest(Decimal(size)) or 0
                continue
            total += current * size
            limit = Decimal(size)
            rest = self._rest(limit)
            current = rest if rest is not None else Decimal(0)
            if rest is None:
                break
        return total + current, is_scaled

    def _rest(self, limit: Decimal) -> Decimal | None:
        """What follows a scale and is less than it: "two hundred AND FIVE"."""
        begin = self._at
        if self._peek().text in ("and", "aur", "और", ","):
            self._at += 1
        elif self._multipliers.get(self._peek().text, limit) < limit:
            return Decimal(1)  # of "a lakh thousand" one thousand
        value = self._base(is_first=False)
        if value is not None and 0 < value < limit:
            return value
        self._at = begin
        return None
