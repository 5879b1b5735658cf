"""Who calls, as a key that tells nobody who it is."""

from __future__ import annotations

import hashlib
import hmac
import re
from collections.abc import Sequence

from shared.domain.call import OUTBOUND, Call
from shared.domain.telephony.lines import Provider

_NUMBER = re.compile(r"\+[1-9][0-9]{6,14}")
_NOBODY = frozenset({"+266696687", "+7378742833", "+2562533", "+8656696", "+86282452253"})
"""ANONYMOUS, RESTRICTED, BLOCKED, UNKNOWN, UNAVAILABLE on a telephone's keys, which Twilio gives for hidden numbers.
Source: https://help.twilio.com/articles/223179988
"""


def party_of(call: Call) -> str:
    """Who talks with us: a number, or the user who is signed in; "" where that is not known."""
    if call.provider is Provider.WEB:
        return f"user:{call.caller}" if call.caller else ""
    number = call.callee if call.direction == OUTBOUND else call.caller
    return number if _NUMBER.fullmatch(number) and number not in _NOBODY else ""


def caller_keys(keys: Sequence[bytes], tenant_id: str, party: str) -> list[str]:
    """Under each of the installation's keys, the present one first; of another tenant's caller it is another."""
    told = f"{len(tenant_id)}:{tenant_id}:{party}".encode("utf-8", "replace")
    return [hmac.new(key, b"caller:" + told, hashlib.sha256).hexdigest() for key in keys]
