"""Sarvam's names of languages. Source: https://pypi.org/project/sarvamai/0.1.39, its types of `language_code`."""

from __future__ import annotations

_CODES = "as bn brx doi en gu hi kn kok ks mai ml mni mr ne pa sa sat sd ta te ur"
_KNOWN = frozenset(_CODES.split())
_ODIA = ("od", "or")


def socket_language(tag: str) -> str:
    """For the realtime socket; a language that Sarvam does not know is left to its detection."""
    return _named(tag, odia="or-IN", detect="auto")


def request_language(tag: str) -> str:
    """For requests, which have another name for Odia and for detection."""
    return _named(tag, odia="od-IN", detect="unknown")


def _named(tag: str, *, odia: str, detect: str) -> str:
    code = tag.partition("-")[0].lower()
    if code in _ODIA:
        return odia
    return f"{code}-IN" if code in _KNOWN else detect
