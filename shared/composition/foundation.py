"""The part of composition on which all others stand: settings, clock, stores, providers, and who is let in."""

from __future__ import annotations

from functools import cached_property

from shared.adapters.oidc.token_validator import OidcTokenValidator
from shared.adapters.opentelemetry.destinations import Destinations
from shared.adapters.opentelemetry.turn_meter import OpenTelemetryTurnMeter
from shared.adapters.safe_http.web import SafeWeb
from shared.adapters.silero.voice_activity import SileroVoiceActivityDetector
from shared.adapters.system_clock.clock import SystemClock
from shared.composition import doors
from shared.composition.providers import Providers
from shared.composition.storage import Storage
from shared.settings import Settings


class Foundation:
    """Knows no use case. Each part is made when it is first used, and then kept."""

    def __init__(self, settings: Settings) -> None:
        self.settings = settings
        self.clock = SystemClock()
        self.storage = Storage(settings)

    @cached_property
    def token_validator(self) -> OidcTokenValidator:
        return doors.token_validator(self.settings)

    @cached_property
    def upstream_validator(self) -> OidcTokenValidator:
        return doors.upstream_validator(self.settings)

    @cached_property
    def web_pubsub_origins(self) -> frozenset[str]:
        return doors.web_pubsub_origins(self.settings)

    @cached_property
    def web(self) -> SafeWeb:
        """Requests to addresses that tenants have given."""
        return SafeWeb(loopback=self.settings.web_loopback == "on")

    @cached_property
    def providers(self) -> Providers:
        return Providers(
            self.settings,
            breakers=self.storage.breakers,
            shared_sounds=self.storage.shared_sounds,
            lasting_sounds=self.storage.lasting_sounds,
            live_calls=self.storage.live_calls,
        )

    @cached_property
    def turn_meter(self) -> OpenTelemetryTurnMeter:
        settings = self.settings
        return OpenTelemetryTurnMeter(
            Destinations(
                otlp_endpoint=settings.otel_exporter_otlp_endpoint,
                azure_monitor=settings.applicationinsights_connection_string,
            )
        )

    @cached_property
    def detector(self) -> SileroVoiceActivityDetector:
        return SileroVoiceActivityDetector()
