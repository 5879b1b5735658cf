"""Telephone numbers as they are dictated, in the form in which they can be dialled."""

from __future__ import annotations

from shared.domain.slots.numbers_said import dictated
from shared.domain.slots.reading import Context, Reading, Why, none, one

_FEWEST_DIGITS = 3


def read_phone_number(said: str, context: Context) -> Reading:
    """E.164. What is too short may go on: its digits are the reading's `partial`."""
    written = dictated(said, context.language)
    if len(written) < _FEWEST_DIGITS:
        return none(Why.NOTHING, partial=written)
    import phonenumbers  # noqa: PLC0415 - slow import

    country = context.country.upper()
    attempts = [written]
    if not written.startswith("+"):
        attempts.append(f"+{written}")  # the country's code is said, and the plus is not
    reasons = []
    for attempt in attempts:
        try:
            number = phonenumbers.parse(attempt, country)
        except phonenumbers.NumberParseException as error:
            is_long = error.error_type == phonenumbers.NumberParseException.TOO_LONG
            reasons.append(getattr(phonenumbers.ValidationResult, "TOO_LONG" if is_long else "TOO_SHORT"))
            continue
        if phonenumbers.is_valid_number(number):
            return one(phonenumbers.format_number(number, phonenumbers.PhoneNumberFormat.E164))
        reasons.append(phonenumbers.is_possible_number_with_reason(number))
    if reasons[0] == phonenumbers.ValidationResult.TOO_LONG:
        return none(Why.TOO_LONG, partial=written)
    is_whole = reasons[0] == phonenumbers.ValidationResult.IS_POSSIBLE
    return none(Why.IMPOSSIBLE if is_whole else Why.TOO_SHORT, partial=written)
