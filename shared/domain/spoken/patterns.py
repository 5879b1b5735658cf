"""What in a written text is not said as it is written: one pattern over all kinds, the first that fits counts.

Every repetition is bounded, and every kind begins where a word does, so that a text of any length and shape is
read in time that grows with its length alone.
"""

from __future__ import annotations

import re
from functools import lru_cache

from shared.domain.spoken.tongues import ENGLISH, TONGUES, Tongue

_SPACE = r"[ \u00a0\u202f]?"
_NUMBER = r"\d{1,3}(?:,\d{2,3}){1,6}(?:\.\d{1,6})?(?!\d)|\d{1,15}(?:\.\d{1,6})?(?!\d)"
_BEGINS = r"(?<![\w.,])"
_ENDS = r"(?!\w)"
_ENDS_NUMBER = r"(?![\w]|[.,]\d)"

CURRENCY_SIGNS = {
    "₹": "INR",
    "rs": "INR",
    "inr": "INR",
    "रु": "INR",
    "रू": "INR",
    "$": "USD",
    "us$": "USD",
    "usd": "USD",
    "€": "EUR",
    "eur": "EUR",
    "£": "GBP",
    "gbp": "GBP",
}
_SIGN = r"(?:₹|(?i:Rs|INR|USD|EUR|GBP|US\$)\.?|\$|€|£|(?:रु|रू)\.?)"
_SIGN_BEHIND = r"(?:₹|\$|€|£|(?:INR|USD|EUR|GBP)(?!\w)|Rs(?!\w)\.?|(?:रु|रू)(?!\w)\.?)"
_AM_PM = r"(?:[aApP]\.?[mM]\b\.?)"
_LABEL = r"[A-Za-z0-9][A-Za-z0-9-]{0,62}"
_TOP_DOMAINS = "com|org|net|in|co|io|gov|edu|info"
HINDI_TIMES_OF_DAY = "सुबह|दोपहर|शाम|रात"


def _months(tongue: Tongue) -> str:
    names = set(tongue.months) | {name.replace("\u093c", "") for name in tongue.months} | set(ENGLISH.months)
    names |= {name[:3] for name in ENGLISH.months} | {"Sept"}
    return "|".join(re.escape(name) for name in sorted(names, key=len, reverse=True))


def _date(tongue: Tongue) -> list[tuple[str, str]]:
    month = _months(tongue)
    year = r"\d{4}(?!\d)"
    return [
        (
            "iso",
            rf"{_BEGINS}(?P<iso_y>\d{{4}})-(?P<iso_m>\d{{1,2}})-(?P<iso_d>\d{{1,2}})(?!\d)"
            r"(?:T(?P<iso_hour>[01]\d|2[0-3]):(?P<iso_minute>[0-5]\d)(?::\d\d(?:\.\d{1,6})?)?(?:Z|[+-]\d\d:\d\d)?)?",
        ),
        (
            "date",
            rf"{_BEGINS}(?P<date_1>\d{{1,2}})(?P<date_s>[/.-])(?P<date_2>\d{{1,2}})(?P=date_s)"
            rf"(?P<date_y>\d{{4}}|(?<=/)\d\d){_ENDS_NUMBER}",
        ),
        (
            "day_of_month",
            r"(?<![\w.,/])(?P<dom_1>0\d|\d{1,2}(?=/0))/(?P<dom_2>\d{1,2})(?![\w/]|[.,]\d)",
        ),
        (
            "day_month",
            rf"{_BEGINS}(?P<dm_d>\d{{1,2}})(?:st|nd|rd|th)?(?: of)?[ -](?P<dm_m>{month})(?!\w)"
            rf"(?:[.,]{{0,2}}[ -](?P<dm_y>{year}))?",
        ),
        (
            "month_day",
            rf"{_BEGINS}(?P<md_m>{month})\.? (?P<md_d>\d{{1,2}})(?!\d)(?:st|nd|rd|th)?(?:,? (?P<md_y>{year}))?"
            rf"(?![\w:]|[.,]\d)",
        ),
    ]


def _amounts(tongue: Tongue) -> list[tuple[str, str]]:
    scales = "|".join(re.escape(name) for name in sorted(tongue.scales, key=len, reverse=True))
    many = "|".join(re.escape(name) for name in sorted(tongue.many_of_money, key=len, reverse=True))
    scale = rf"(?:{_SPACE}(?P<%s>{many})(?!\w))?" if many else r"(?P<%s>(?!))?"
    units = "|".join(re.escape(name) for name in sorted(tongue.units, key=len, reverse=True))
    found = [
        (
            "moneys",
            rf"(?<![\w$])(?P<moneys_c>{_SIGN}){_SPACE}(?P<moneys_1>{_NUMBER}){_SPACE}[-–]{_SPACE}{_SIGN}?(?P<moneys_2>{_NUMBER})"
            + scale % "moneys_s",
        ),
        ("money", rf"(?<![\w$])(?P<money_c>{_SIGN}){_SPACE}(?P<money_n>{_NUMBER})" + scale % "money_s" + "(?:/-)?"),
        ("money_behind", rf"{_BEGINS}(?P<mb_n>{_NUMBER}){scale % 'mb_s'}{_SPACE}(?P<mb_c>{_SIGN_BEHIND})"),
        ("percent", rf"(?<![\w.,])(?P<percent_n>[-−+]?(?:{_NUMBER})){_SPACE}%"),
    ]
    if units:
        found.append(("unit", rf"(?<![\w.,])(?P<unit_n>[-−+]?(?:{_NUMBER})){_SPACE}(?P<unit_u>{units}){_ENDS}"))
    if scales:
        found.append(("scaled", rf"{_BEGINS}(?P<sc_n>{_NUMBER}){_SPACE}(?P<sc_s>{scales}){_ENDS}"))
    return found


def _addresses() -> list[tuple[str, str]]:
    name = r"\w[\w+-]{0,63}(?:\.[\w+-]{1,63}){0,5}"
    host = r"[A-Za-z0-9][A-Za-z0-9-]{0,62}(?:\.[A-Za-z0-9][A-Za-z0-9-]{0,62}){0,4}"
    path = r"(?:[/?#](?:[\w./?=&%#~+-]{0,200}[\w/])?)?"
    return [
        ("email", rf"(?<!\w){name}@{host}"),
        ("link", rf"(?<![^\W\d])(?:https?://{host}|www\.{host}){path}"),
        ("site", rf"(?<![\w.@/-]){_LABEL}(?:\.{_LABEL}){{0,2}}\.(?:{_TOP_DOMAINS})(?![\w@-]|\.\w){path}"),
    ]


def _times() -> list[tuple[str, str]]:
    of_day = rf"(?P<%s_of>(?:{HINDI_TIMES_OF_DAY}) )?"
    until = rf"(?P<%s_to>{_SPACE}[-–]{_SPACE}(?=\d))?"
    begins = r"(?<![\w.:,])"
    clock = r"(?P<time_h>[01]?\d|2[0-4]):(?P<time_m>[0-5]\d)(?!\d)(?::[0-5]\d(?!\d))?(?:Z|\+00:00)?"
    dotted = r"(?P<dotted_h>1?\d)\.(?P<dotted_m>[0-5]\d)"
    return [
        (
            "time",
            rf"{begins}{of_day % 'time'}{clock}(?:{_SPACE}(?P<time_p>{_AM_PM}))?(?P<time_b> बजे)?{until % 'time'}",
        ),
        ("time_dotted", rf"{begins}{dotted}{_SPACE}(?P<dotted_p>{_AM_PM}){until % 'dotted'}"),
        (
            "hours",
            rf"{begins}(?P<hours_1>\d{{1,2}}){_SPACE}[-–]{_SPACE}(?P<hours_h>\d{{1,2}}){_SPACE}(?P<hours_p>{_AM_PM})",
        ),
        (
            "hour",
            rf"{begins}{of_day % 'hour'}(?P<hour_h>\d{{1,2}}){_SPACE}(?P<hour_p>{_AM_PM})(?P<hour_b> बजे)?"
            rf"{until % 'hour'}",
        ),
    ]


def _numbers() -> list[tuple[str, str]]:
    return [
        ("phone", r"(?<![\w.,/])\+\d(?:[ ()-]{0,2}\d){6,14}(?![\w]|[.,-]\d)"),
        (
            "phone_local",
            r"(?<![\w.,/+-])(?:1-\d{3}-\d{3}-\d{4}|\d{4}(?:[ -]\d{4}){3}|\d{5}[ -]\d{5}"
            r"|\(?\d{2,5}\)?[ -]\d{3,5}[ -]?\d{3,5})(?![\w]|[.,-]\d)",
        ),
        ("phone_plain", r"(?<![\w.,/+-])[6-9]\d{9}(?![\w]|[.,]\d)"),
        ("decade", r"(?<![\w.,])(?P<decade_y>(?:19|20)\d0)s(?!\w)"),
        ("lettered", r"(?<![\w.,-])(?P<lettered_n>\d{1,2})(?P<lettered_l>[A-Z])(?![\w-])"),
        (
            "code",
            r"(?<![\w.])#?(?=[A-Z0-9-]{0,30}\d)(?=[A-Z0-9-]{0,30}[A-Z])[A-Z0-9]{1,20}(?:-[A-Z0-9]{1,20}){0,5}(?!\w)",
        ),
        ("hashed", r"#\d{1,30}(?!\d)"),
        (
            "ordinal",
            rf"{_BEGINS}(?P<ord_n>\d{{1,9}}|\d{{1,3}}(?:,\d{{2,3}}){{1,3}})"
            r"(?:(?:st|nd|rd|th)(?!\w)|(?:वां|वाँ|वीं|वें|वे)(?!\w))",
        ),
        ("hindi_ordinal", rf"{_BEGINS}(?P<hindi_n>[12346])[लरथठ](?P<hindi_v>[ािीे])(?!\w)"),
        (
            "range",
            rf"{_BEGINS}(?P<range_1>\d{{1,5}}){_SPACE}[-–]{_SPACE}(?P<range_2>\d{{1,5}})(?![\w/:-]|[.,]\d)"
            rf"(?P<range_p>{_SPACE}%)?",
        ),
        ("ratio", rf"{_BEGINS}(?P<ratio_1>\d{{1,3}}):(?P<ratio_2>\d{{1,3}})(?![\w:]|[.,]\d)"),
        ("decimal", r"(?<![\w.,])\.(?P<decimal_n>\d{1,6})(?![\w.])"),
        ("always", r"(?<![\w/])24[/x×]7(?![\w/])"),
        ("half", r"(?<![\w/])1/2(?![\w/])"),
        ("dotted", rf"{_BEGINS}\d{{1,5}}(?:\.\d{{1,5}}){{2,5}}(?!\w)"),
        ("fraction", r"(?<![\w.,/])(?P<fraction_1>\d{1,3}(?:\.\d)?)/(?P<fraction_2>\d{1,3})(?![\w/]|[.,]\d)"),
        ("number", rf"(?<![\w.,])(?P<number_n>[-−+]?(?:{_NUMBER}))(?P<number_m>\+(?!\w))?"),
        ("digits", r"\d{1,200}"),
    ]


def _words(tongue: Tongue) -> list[tuple[str, str]]:
    names = "|".join(re.escape(name) for name in sorted(tongue.abbreviations, key=len, reverse=True))
    found = [("numbered", r"(?<!\w)No\. (?=\d)")] if tongue is ENGLISH else []
    if names:
        found.append(("abbreviation", rf"(?<![^\W\d])(?:{names})(?!\w)"))
    found.append(("ampersand", r"(?<= )&(?= )"))
    if tongue is ENGLISH:
        found.append(("per", r"(?<=\d)/(?=(?:month|year|day|week|hour|minute|night|person|piece|kg|km)(?!\w))"))
    return found


@lru_cache(maxsize=16)
def patterns_of(language: str) -> tuple[re.Pattern[str], re.Pattern[str]]:
    """Addresses, and all else, of a language that `tongues` knows. Each kind is a group, named `x_` and its name.

    Addresses go first, for what is within them is none of the other kinds.
    """
    tongue = TONGUES[language]
    kinds = [*_date(tongue), *_times(), *_amounts(tongue), *_words(tongue), *_numbers()]
    return _any_of(_addresses()), _any_of(kinds)


def _any_of(kinds: list[tuple[str, str]]) -> re.Pattern[str]:
    return re.compile("|".join(f"(?P<x_{kind}>{pattern})" for kind, pattern in kinds))
