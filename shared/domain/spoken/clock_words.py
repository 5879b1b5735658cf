"""A time of day in words: in English by hours and minutes, in Hindi by quarters as well."""

from __future__ import annotations

from shared.domain.spoken.numbers import cardinal

_HOURS = 12


def spoken_time(hour: int, minute: int, half: str, language: str) -> str:
    """`half`: "am", "pm" or "" where neither is written; hours above twelve tell it themselves."""
    hour %= 24
    if not half and hour > _HOURS:
        half = "pm"
    elif not half and hour == 0:
        half = "am"
    twelve = hour % _HOURS or _HOURS
    if language == "hi":
        is_pm = half == "pm"
        of_day = _part_of_day(hour % _HOURS + (_HOURS if is_pm else 0)) if half else ""
        return f"{of_day} {_hindi(twelve, minute)}".strip()
    if language != "en":
        return f"{cardinal(hour, language)}{' ' + cardinal(minute, language) if minute else ''}"
    marked = f" {half.upper()}" if half else ""
    if not minute:
        return f"{cardinal(twelve, 'en')}{marked or ' o’clock'}"
    return f"{cardinal(twelve, 'en')} {'oh ' if minute < 10 else ''}{cardinal(minute, 'en')}{marked}"


def _hindi(hour: int, minute: int) -> str:
    following = hour % _HOURS + 1
    match minute:
        case 0:
            return f"{cardinal(hour, 'hi')} बजे"
        case 15:
            return f"सवा {cardinal(hour, 'hi')} बजे"
        case 30 if hour <= 2:
            return ("डेढ़" if hour == 1 else "ढाई") + " बजे"
        case 30:
            return f"साढ़े {cardinal(hour, 'hi')} बजे"
        case 45:
            return f"पौने {cardinal(following, 'hi')} बजे"
        case _:
            return f"{cardinal(hour, 'hi')} बजकर {cardinal(minute, 'hi')} मिनट"


def _part_of_day(hour: int) -> str:
    if 4 <= hour < _HOURS:
        return "सुबह"
    if _HOURS <= hour < 16:
        return "दोपहर"
    return "शाम" if 16 <= hour < 20 else "रात"
