"""A written text as it is to be spoken: whatever a voice would read wrongly is put into words before."""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Callable
from datetime import date

from shared.domain.spoken.clock_words import spoken_time
from shared.domain.spoken.numbers import cardinal, digits, ordinal, year
from shared.domain.spoken.patterns import CURRENCY_SIGNS, patterns_of
from shared.domain.spoken.scripts import in_devanagari
from shared.domain.spoken.spelling import letters, spelled_code, spoken_address, spoken_digits, spoken_phone
from shared.domain.spoken.tongues import ENGLISH, Tongue, region_of, tongue_of

VERSION = "2"
"""To be raised when the same text is said differently from now on: part of what made sounds are kept under."""

_LONG = 6
"""So many digits without a mark between them are a number that is dictated, not counted."""
_SHORT_CODE = 3
_CODED = re.compile(
    r"(?:\b(?:otp|cvv|a/c|ending(?: in| with)?|ends (?:in|with)|last \w{3,5} digits(?: are)?|card|helpline|dial"
    r"|pin|pincode|code|id|account|reference|token|booking|ticket|invoice|extension|ext"
    r"|(?:order|phone|account|ticket|booking|reference|flight) (?:number|no\.?))|ओटीपी|पिन|कोड|आर्डर नंबर|ऑर्डर नंबर|नंबर)"
    r"[ :]{1,2}(?:is |number |है |no\. )?$",
    re.IGNORECASE,
)
_CALLED = re.compile(r"\b(?:call|phone|कॉल करें) $", re.IGNORECASE)
_NOTHING_COUNTED = re.compile(r"\s*(?:[.,;:!?।)]|$)|\s(?:or|for|if|and|to|now|at|या|पर)\b")
_IN_YEAR = re.compile(r"\b(?:in|since|year|until|during|FY|सन|साल|वर्ष) $", re.IGNORECASE)
_A_YEAR = re.compile(r"(?:19|20)\d\d")
_LOOKED_BACK = 40
_LEAP_YEAR = _CENTURY = 2000
_FULL_MARKS = ("5", "10", "100")
_MILLIONS, _LAKHS = re.compile(r"^\D?\d{1,3}(?:,\d{3}){2}"), re.compile(r",\d{2},")
_HALVES = {"1.5": "डेढ़", "2.5": "ढाई"}


def spoken_form(text: str, language: str) -> str:
    """The text as it is said in the language (a tag: "en-IN", "hi"); in one that is not known, the text itself.

    What was put into words once stays as it is: `spoken_form(spoken_form(text)) == spoken_form(text)`.
    """
    tongue = tongue_of(language)
    if tongue is None:
        return text
    addresses, all_else = patterns_of(tongue.language)
    for pattern in (addresses, all_else, addresses):  # what is too long for an address may be one without its digits
        text = pattern.sub(_Reader(tongue, region_of(language), text), text)
    return in_devanagari(text) if tongue.language == "hi" else text


class _Reader:
    """Says one text's findings. `region` decides about dates and big numbers of English."""

    def __init__(self, tongue: Tongue, region: str, text: str) -> None:
        self._tongue = tongue
        self._language = tongue.language
        self._region = region
        self._text = text

    def __call__(self, match: re.Match[str]) -> str:
        kind = next(name for name, found in match.groupdict().items() if name.startswith("x_") and found is not None)
        say: Callable[[re.Match[str]], str] = getattr(self, f"_say_{kind[2:]}")
        said = say(match)
        if said.startswith("the ") and self._before(match).lower().endswith("the "):
            said = said.removeprefix("the ")
        return f"{self._gap_before(match, said)}{said}{self._gap_after(match, said)}"

    def _gap_before(self, match: re.Match[str], said: str) -> str:
        before = self._text[match.start() - 1 : match.start()]
        return " " if _is_of_word(before, "@") and _is_of_word(said[:1]) else ""

    def _gap_after(self, match: re.Match[str], said: str) -> str:
        after = self._text[match.end() : match.end() + 1]
        is_joined = _is_of_word(after, "@") and not after.isdecimal()  # digits make their own gap
        return " " if is_joined and _is_of_word(said[-1:]) else ""

    def _before(self, match: re.Match[str]) -> str:
        return self._text[max(0, match.start() - _LOOKED_BACK) : match.start()]

    def _cardinal(self, number: int, region: str = "") -> str:
        return cardinal(number, self._language, region or self._region)

    def _number(self, written: str, region: str = "") -> str:
        """A number as it is written, with its sign, separators and decimals."""
        plain = _plain(written)
        sign = {"-": f"{self._tongue.minus} ", "+": f"{self._tongue.plus} "}.get(plain[0], "")
        whole, _, decimals = plain.lstrip("-+").partition(".")
        if len(whole) > 1 and whole.startswith("0") and not decimals:
            return f"{sign}{spoken_digits(whole, self._tongue)}"
        said = self._cardinal(int(whole), _region_of_groups(written) or region)
        if decimals:
            said += f" {self._tongue.point} {digits(decimals, self._language)}"
        return f"{sign}{said}"

    def _scaled(self, written: str, scale: str) -> str:
        """A number and, behind it, a word for many; in Hindi with its words for halves."""
        name = self._tongue.many_of_money[scale]
        plain = _plain(written)
        if self._language == "hi" and plain.endswith(".5"):
            whole = int(plain[:-2])
            half = _HALVES.get(plain) or (f"साढ़े {self._cardinal(whole)}" if whole > 2 else "")
            if half:
                return f"{half} {name}"
        return f"{self._number(written)} {name}"

    def _date(self, day: int, month: int, of_year: int | None, *, month_first: bool = False) -> str:
        name = self._tongue.months[month - 1]
        said_year = year(of_year, self._language, self._region) if of_year else ""
        if self._language != "en":
            return f"{self._cardinal(day)} {name} {said_year}".strip()
        said_day = ordinal(day, "en")
        if month_first:
            return f"{name} {said_day}{', ' + said_year if said_year else ''}"
        return f"the {said_day} of {name}{' ' + said_year if said_year else ''}"

    def _say_iso(self, match: re.Match[str]) -> str:
        parts = (int(match["iso_y"]), int(match["iso_m"]), int(match["iso_d"]))
        if not _is_date(*parts):
            return self._digit_groups(match.group())
        said = self._date(parts[2], parts[1], parts[0], month_first=self._is_american)
        if match["iso_hour"]:
            said += f", {spoken_time(int(match['iso_hour']), int(match['iso_minute']), '', self._language)}"
        return said

    def _say_date(self, match: re.Match[str]) -> str:
        first, second, of_year = int(match["date_1"]), int(match["date_2"]), int(match["date_y"])
        of_year += _CENTURY if of_year < 100 else 0
        orders = [(first, second), (second, first)] if not self._is_american else [(second, first), (first, second)]
        for day, month in orders:
            if _is_date(of_year, month, day):
                return self._date(day, month, of_year, month_first=self._is_american)
        return self._digit_groups(match.group())

    def _say_day_of_month(self, match: re.Match[str]) -> str:
        """Written with a leading zero, as dates are: 12/05."""
        day, month = int(match["dom_1"]), int(match["dom_2"])
        if self._is_american or month > 12:
            day, month = month, day
        if not _is_date(_LEAP_YEAR, month, day):
            return self._digit_groups(match.group())
        return self._date(day, month, None, month_first=self._is_american)

    def _say_day_month(self, match: re.Match[str]) -> str:
        return self._written_date(match, match["dm_d"], match["dm_m"], match["dm_y"], month_first=False)

    def _say_month_day(self, match: re.Match[str]) -> str:
        return self._written_date(match, match["md_d"], match["md_m"], match["md_y"], month_first=True)

    def _written_date(
        self, match: re.Match[str], day: str, month: str, of_year: str | None, *, month_first: bool
    ) -> str:
        number = self._month(month)
        if not _is_date(int(of_year or _LEAP_YEAR), number, int(day)):
            return self._digit_groups(match.group())
        return self._date(int(day), number, int(of_year) if of_year else None, month_first=month_first)

    def _month(self, name: str) -> int:
        for number, (own, english) in enumerate(zip(self._tongue.months, ENGLISH.months, strict=True), start=1):
            if name in (own, own.replace("\u093c", "")) or english.startswith(name[:3]):
                return number
        return 0

    def _say_time(self, match: re.Match[str]) -> str:
        return self._time(match, "time", int(match["time_m"]), match["time_of"])

    def _say_time_dotted(self, match: re.Match[str]) -> str:
        return self._time(match, "dotted", int(match["dotted_m"]), None)

    def _say_hours(self, match: re.Match[str]) -> str:
        return f"{self._number(match['hours_1'])} {self._tongue.to} {self._time(match, 'hours', 0, None)}"

    def _say_hour(self, match: re.Match[str]) -> str:
        return self._time(match, "hour", 0, match["hour_of"])

    def _time(self, match: re.Match[str], kind: str, minute: int, of_day: str | None) -> str:
        half = match[f"{kind}_p"]
        said = spoken_time(int(match[f"{kind}_h"]), minute, half[0].lower() + "m" if half else "", self._language)
        if of_day:
            said = of_day + said.removeprefix(said.partition(" ")[0] + " " if said.startswith(_HINDI_PARTS) else "")
        if match.groupdict().get(f"{kind}_to"):
            return f"{said} {self._tongue.to} "
        is_last_mark = bool(half) and match.group().endswith(".") and self._ends_sentence(match)
        return f"{said}." if is_last_mark else said

    def _say_money(self, match: re.Match[str]) -> str:
        return self._money(match["money_c"], match["money_n"], match["money_s"])

    def _say_money_behind(self, match: re.Match[str]) -> str:
        return self._money(match["mb_c"], match["mb_n"], match["mb_s"])

    def _say_moneys(self, match: re.Match[str]) -> str:
        first = self._number(match["moneys_1"])
        return f"{first} {self._tongue.to} {self._money(match['moneys_c'], match['moneys_2'], match['moneys_s'])}"

    def _money(self, sign: str, written: str, scale: str | None) -> str:
        code = CURRENCY_SIGNS[sign.lower().rstrip(".")]
        money, region = self._tongue.moneys[code], "IN" if code == "INR" else ""
        if scale:
            return f"{self._scaled(written, scale)} {money.many}"
        whole, _, parts = _plain(written).partition(".")
        if len(parts) > 2:
            return f"{self._number(written)} {money.many}"
        cents = int(parts.ljust(2, "0")) if parts else 0
        said = f"{self._number(written.partition('.')[0], region)} {money.one if int(whole) == 1 else money.many}"
        if not cents:
            return said
        small = f"{self._cardinal(cents)} {money.part_one if cents == 1 else money.part_many}"
        return f"{said} {self._tongue.and_} {small}" if int(whole) else small

    def _say_percent(self, match: re.Match[str]) -> str:
        return f"{self._number(match['percent_n'])} {self._tongue.percent}"

    def _say_unit(self, match: re.Match[str]) -> str:
        one, many = self._tongue.units[match["unit_u"]]
        return f"{self._number(match['unit_n'])} {one if _plain(match['unit_n']) == '1' else many}"

    def _say_scaled(self, match: re.Match[str]) -> str:
        return self._scaled(match["sc_n"], match["sc_s"])

    def _say_email(self, match: re.Match[str]) -> str:
        return spoken_address(match.group(), self._tongue)

    def _say_link(self, match: re.Match[str]) -> str:
        ending = "." if match.group().endswith(".") else ""
        return spoken_address(match.group().rstrip("./"), self._tongue) + ending

    _say_site = _say_link

    def _say_phone(self, match: re.Match[str]) -> str:
        return spoken_phone(match.group(), self._tongue)

    _say_phone_local = _say_phone_plain = _say_phone

    def _say_code(self, match: re.Match[str]) -> str:
        return spelled_code(match.group(), self._tongue)

    def _say_hashed(self, match: re.Match[str]) -> str:
        return spoken_digits(match.group()[1:], self._tongue)

    def _say_ordinal(self, match: re.Match[str]) -> str:
        number = int(_plain(match["ord_n"]))
        if self._language == "hi" and match.group().endswith(("वीं", "वें", "वे")):
            return f"{self._cardinal(number)}{match.group()[len(match['ord_n']) :]}"
        return ordinal(number, self._language, _region_of_groups(match["ord_n"]) or self._region)

    def _say_hindi_ordinal(self, match: re.Match[str]) -> str:
        """Of the first ones, whose stems are words of their own: 3री."""
        if self._language != "hi":
            return f"{self._cardinal(int(match['hindi_n']))} {match.group()[1:]}"
        return f"{ordinal(int(match['hindi_n']), 'hi')[:-1]}{match['hindi_v']}"

    def _say_range(self, match: re.Match[str]) -> str:
        first, second = self._number(match["range_1"]), self._number(match["range_2"])
        if all(_A_YEAR.fullmatch(match[part]) for part in ("range_1", "range_2")):
            first, second = (year(int(match[part]), self._language, self._region) for part in ("range_1", "range_2"))
        said = f"{first} {second}" if first == second else f"{first} {self._tongue.to} {second}"
        return f"{said} {self._tongue.percent}" if match["range_p"] else said

    def _say_ratio(self, match: re.Match[str]) -> str:
        return f"{self._number(match['ratio_1'])} {self._tongue.to} {self._number(match['ratio_2'])}"

    def _say_decimal(self, match: re.Match[str]) -> str:
        return f"{self._tongue.point} {digits(match['decimal_n'], self._language)}"

    def _say_always(self, _: re.Match[str]) -> str:
        return f"{self._cardinal(24)} {self._cardinal(7)}"

    def _say_half(self, match: re.Match[str]) -> str:
        return {"en": "half", "hi": "आधा"}.get(self._language) or self._digit_groups(match.group())

    def _say_dotted(self, match: re.Match[str]) -> str:
        return f" {self._tongue.dot} ".join(self._cardinal(int(part)) for part in match.group().split("."))

    def _say_fraction(self, match: re.Match[str]) -> str:
        first, second = match["fraction_1"], match["fraction_2"]
        between = {"en": "by" if self._region == "IN" else "over", "hi": "बटा"}.get(self._language, ",")
        if self._language == "en" and second in _FULL_MARKS and float(first) <= int(second):
            between = "out of"
        return f"{self._number(first)} {between} {self._number(second)}".replace(" ,", ",")

    def _say_decade(self, match: re.Match[str]) -> str:
        said = year(int(match["decade_y"]), self._language, self._region)
        if self._language != "en":
            return said
        return f"{said[:-1]}ies" if said.endswith("y") else f"{said}s"

    def _say_lettered(self, match: re.Match[str]) -> str:
        return f"{self._cardinal(int(match['lettered_n']))} {letters(match['lettered_l'], self._tongue)}"

    def _say_per(self, _: re.Match[str]) -> str:
        return " per "

    def _say_number(self, match: re.Match[str]) -> str:
        written = match["number_n"]
        if match["number_m"]:
            return f"{self._number(written)} {self._tongue.plus}"
        plain = _plain(written)
        if plain == written and plain.isdecimal():
            is_coded = len(plain) >= _SHORT_CODE and self._is_coded(match)
            if is_coded or (len(plain) >= _LONG and not plain.endswith("000")):
                return spoken_digits(plain, self._tongue)
            if len(plain) == 4 and _IN_YEAR.search(self._before(match)):
                return year(int(plain), self._language, self._region)
        return self._number(written)

    def _is_coded(self, match: re.Match[str]) -> bool:
        """Whether the words about a number tell that its digits are meant: "dial 112", but not "call 112 people"."""
        before = self._before(match)
        if _CALLED.search(before):
            return _NOTHING_COUNTED.match(self._text, match.end()) is not None
        return _CODED.search(before) is not None

    def _say_digits(self, match: re.Match[str]) -> str:
        return spoken_digits(match.group(), self._tongue)

    def _digit_groups(self, written: str) -> str:
        """What looks like a date and is none."""
        return ", ".join(spoken_digits(group, self._tongue) for group in re.findall(r"\d+", written))

    def _say_abbreviation(self, match: re.Match[str]) -> str:
        said = self._tongue.abbreviations[match.group()]
        return f"{said}." if said == "et cetera" and self._ends_sentence(match) else said

    def _say_numbered(self, _: re.Match[str]) -> str:
        return "number "

    def _say_ampersand(self, _: re.Match[str]) -> str:
        return self._tongue.and_

    def _ends_sentence(self, match: re.Match[str]) -> bool:
        following = self._text[match.end() : match.end() + _LOOKED_BACK]
        return not following.strip() or (following[0].isspace() and following.strip()[0].isupper())

    @property
    def _is_american(self) -> bool:
        return self._language == "en" and self._region in ("", "US")


_HINDI_PARTS = ("सुबह", "दोपहर", "शाम", "रात")


def _plain(written: str) -> str:
    """ASCII digits, a hyphen for minus, no separators."""
    kept = written.replace(",", "").replace("−", "-")
    return "".join(str(unicodedata.decimal(letter)) if letter.isdecimal() else letter for letter in kept)


def _region_of_groups(written: str) -> str:
    """Where numbers are written in such groups of digits; "" where they are so everywhere."""
    if _MILLIONS.search(written):
        return "US"
    return "IN" if _LAKHS.search(written) else ""


def _is_date(of_year: int, month: int, day: int) -> bool:
    try:
        date(of_year, month, day)
    except ValueError:
        return False
    return True


def _is_of_word(letter: str, more: str = "") -> bool:
    """`more`: marks that would make one thing of it and what stands beside it."""
    return bool(letter) and (letter.isalnum() or letter in f"_{more}" or unicodedata.category(letter).startswith("M"))
