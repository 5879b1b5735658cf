"""The only place that picks adapters: builds each use case on first need; nothing connects here."""

from __future__ import annotations

from shared.composition.carriers import TwilioWebhook, VonageRequest
from shared.composition.services import Services, services

__all__ = ["Services", "TwilioWebhook", "VonageRequest", "services"]
