"""All that a door of Twilio's needs: who may come in, what is answered, and what Twilio is told besides."""

from __future__ import annotations

from dataclasses import dataclass

from shared.adapters.twilio.call_control import TwilioCallControl
from shared.adapters.twilio.twiml import TwilioDocuments
from shared.adapters.twilio.webhooks import TwilioWebhooks
from shared.ports.once import Once


@dataclass(frozen=True, slots=True)
class TwilioDesk:
    webhooks: TwilioWebhooks
    documents: TwilioDocuments
    control: TwilioCallControl
    once: Once
