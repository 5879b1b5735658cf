"""Fills `ShortMessages` with Twilio's Messages API, which has no idempotency key: each is sent once, and not again.

Source: https://www.twilio.com/docs/messaging/api/message-resource#create-a-message-resource
"""

from __future__ import annotations

from shared.adapters.twilio.rest import Outcome, TwilioRest
from shared.domain.tools.outcomes import OutcomeUnknown, not_asked, refused

_NOT_THIS_ACCOUNTS = frozenset({21606, 21660, 21659})
"""The sender belongs to another account: nothing was sent. Source: https://www.twilio.com/docs/api/errors"""
_UNSUBSCRIBED = 21610


class TwilioShortMessages:
    def __init__(self, rest: TwilioRest) -> None:
        self._rest = rest

    async def send(self, tenant_id: str, *, sender: str, to: str, text: str) -> str:
        """In the account that has the sender's number, of those that serve the tenant."""
        outcome = Outcome(0, {}, was_sent=False, trouble="no account is for this")
        for account in self._rest.accounts:
            if not account.serves(tenant_id):
                continue
            form = {"To": to, "From": sender, "Body": text}
            outcome = await self._rest.tell(account, "Messages.json", form, again=False)
            if outcome.code not in _NOT_THIS_ACCOUNTS:
                break
        if outcome.is_success and (sid := outcome.text("sid")):
            return sid
        if outcome.is_success or outcome.status >= 500 or (not outcome.status and outcome.was_sent):
            raise OutcomeUnknown(f"Twilio: {outcome.trouble or f'HTTP {outcome.status}'}")
        if outcome.may_pass:
            raise not_asked(f"Twilio did not take the text message ({outcome.trouble or outcome.status})")
        if outcome.code == _UNSUBSCRIBED:
            raise refused("the caller has unsubscribed from text messages of this number")
        raise refused(f"the text message was refused ({outcome.code or outcome.status})")
