"""Plain numbers, amounts of money and runs of digits, as callers say them."""

from __future__ import annotations

from decimal import Decimal

from shared.domain.slots.number_words import REPEATS, folded, words_of
from shared.domain.slots.numerals import Token, decimal_text, tokens
from shared.domain.slots.reading import Context, Reading, Why, none, one, one_of
from shared.domain.spoken.tongues import TONGUES

_CURRENCIES = {
    "INR": "rupee rupees rs inr ₹ रुपये रुपए रुपया रूपये रूपए रुपयों rupaye rupay rupaya rupiya rupaiya",
    "USD": "dollar dollars buck bucks usd $ डॉलर",
    "EUR": "euro euros eur € यूरो",
    "GBP": "pound pounds gbp £ quid पाउंड",
}
_PARTS = words_of("paisa paise cent cents pence penny p पैसे पैसा") | {
    folded(word)
    for tongue in TONGUES.values()
    for money in tongue.moneys.values()
    for word in (money.part_one, money.part_many)
}
_OF_WORD = {word: code for code, words in _CURRENCIES.items() for word in words.split()} | {
    folded(word): code
    for tongue in TONGUES.values()
    for code, money in tongue.moneys.items()
    for word in (money.one, money.many)
}
_ZERO = frozenset(("oh", "o", "ओ"))
_HOMOPHONES = {"to": "2", "too": "2", "for": "4", "fore": "4", "ate": "8", "won": "1", "tree": "3"}
_PAUSES = frozenset((",", "-", ".", ";", "and", "then", "space", "dash", "aur", "और", "um", "uh", "phir", "फिर"))
_PLUS = frozenset(("+", "plus", *(folded(tongue.plus) for tongue in TONGUES.values())))
_MINUS = frozenset(("minus", "negative", "-", *(folded(tongue.minus) for tongue in TONGUES.values())))
_PER_HUNDRED, _THOUSAND = Decimal(100), 1_000


def read_number(said: str, context: Context) -> Reading:
    found = _with_thousands(tokens(said, context.language))
    runs = _runs(found)
    if not runs:
        return none(Why.NOTHING)
    values = []
    for begin, run in runs:
        sign = "-" if begin and found[begin - 1].text in _MINUS else ""
        if len(run) > 1 and all(len(token.digits) == 1 for token in run):
            values.append(sign + "".join(token.digits for token in run).lstrip("0"))  # dictated digit by digit
        elif len(run) == 2 and all(len(token.digits) == 2 for token in run):
            values.append(sign + "".join(token.digits for token in run))  # twenty twenty-six
        else:
            values += [sign + decimal_text(token.number) for token in run if token.number is not None]
    return one_of([value or "0" for value in values])


def read_amount(said: str, context: Context) -> Reading:
    """Of money: "1500.50 INR"; without a currency where none is named and none is usual."""
    found = _with_thousands(tokens(said, context.language))
    currency = next((_OF_WORD[token.text] for token in found if token.text in _OF_WORD), context.currency)
    numbers = [(index, token.number) for index, token in enumerate(found) if token.number is not None]
    if not numbers:
        return none(Why.NOTHING)

    def follows(index: int) -> str:
        return found[index + 1].text if index + 1 < len(found) else ""

    def canonical(value: Decimal) -> str:
        return f"{decimal_text(value)} {currency}".strip()

    if len(numbers) == 1:
        index, value = numbers[0]
        return one(canonical(value / _PER_HUNDRED if follows(index) in _PARTS else value))
    (at_first, first), (at_second, second) = numbers[0], numbers[1]
    is_whole = first == first.to_integral_value()
    if len(numbers) == 2 and is_whole and second < _PER_HUNDRED and at_second - at_first <= 3:
        if follows(at_second) in _PARTS or follows(at_first) in _OF_WORD:
            return one(canonical(first + second / _PER_HUNDRED))
        if at_second == at_first + 1 and first < _PER_HUNDRED and second >= 10:  # "twelve fifty"
            return one_of([canonical(first * _PER_HUNDRED + second), canonical(first + second / _PER_HUNDRED)])
    return one_of([canonical(value) for _, value in numbers])


def _with_thousands(found: list[Token]) -> list[Token]:
    """ "Ten k" is one number; a K is a letter everywhere but behind one."""
    read: list[Token] = []
    for token in found:
        if token.text == "k" and read and (number := read[-1].number) is not None:
            text = decimal_text(number * _THOUSAND)
            read[-1] = Token(text, f"{read[-1].written} {token.written}", number * _THOUSAND, text)
        else:
            read.append(token)
    return read


def read_digits(said: str, context: Context) -> Reading:
    """A number that is dictated in digits or groups of them."""
    run = dictated(said, context.language)
    return one(run) if run else none(Why.NOTHING)


def dictated(said: str, language: str) -> str:
    """The longest run of digits; a leading + stays."""
    best = ""
    found = _as_digits(tokens(said, language))
    for begin, run in _runs(found):
        digits = "".join(token.digits.replace(".", "") for token in run)
        sign = "+" if begin and found[begin - 1].text in _PLUS else ""
        best = max(best, sign + digits, key=len)
    return best


def _as_digits(found: list[Token]) -> list[Token]:
    """Words that sound like digits, between digits."""
    read: list[Token] = []
    for index, token in enumerate(found):
        before = bool(read) and bool(read[-1].digits)
        after = index + 1 < len(found) and (found[index + 1].number is not None or found[index + 1].text in _ZERO)
        is_zero = token.text in _ZERO and (before or after)
        digit = "0" if is_zero else _HOMOPHONES.get(token.text, "") if before and after else ""
        read.append(Token(digit, token.written, Decimal(digit), digit) if digit else token)
    return read


def _runs(found: list[Token]) -> list[tuple[int, list[Token]]]:
    """Numbers in a row, with nothing but pauses between them, and where each row begins."""
    runs: list[tuple[int, list[Token]]] = []
    is_open = False
    for index, token in enumerate(found):
        if token.number is not None and token.digits:
            if not is_open:
                runs.append((index, []))
            runs[-1][1].append(token)
            is_open = True
        elif token.text not in _PAUSES and token.text not in REPEATS and token.text not in "()":
            is_open = False
    return runs
