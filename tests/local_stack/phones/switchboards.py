"""Switchboards for tests."""

from __future__ import annotations

from local_stack.phones.switchboard import Switchboard
from local_stack.phones.twilio.call_book import CallBook
from local_stack.phones.twilio.exchange import TwilioExchange


def twilio_only(book: CallBook) -> Switchboard:
    return Switchboard([TwilioExchange(book)], book.people)
