"""The part of composition that picks who hears, thinks and speaks, what joins them, and what keeps their sound."""

from __future__ import annotations

from dataclasses import dataclass, replace
from functools import cached_property

from shared.adapters.langchain.language_model import LangChainLanguageModel
from shared.adapters.openai.account import OpenAIAccount
from shared.adapters.openai.realtime_transcription import OpenAIRealtimeTranscription
from shared.adapters.openai.speech_to_text import OpenAISpeechToText
from shared.adapters.openai.text_to_speech import OpenAITextToSpeech
from shared.adapters.openai.wire import OpenAIWire
from shared.adapters.sarvam.speech_to_text import SarvamSpeechToText
from shared.adapters.sarvam.text_to_speech import SarvamTextToSpeech
from shared.adapters.sarvam.translation import SarvamTranslation
from shared.adapters.sarvam.wire import SarvamAccount, SarvamWire
from shared.composition.models import ChosenModels, ModelAccount, model_of, sarvam_account
from shared.domain.agents.models import ModelProvider
from shared.domain.errors import InvalidRequest
from shared.domain.spoken.spoken_form import VERSION as FORMS_VERSION
from shared.ports.circuit_breakers import CircuitBreakers
from shared.ports.language_model import LanguageModel
from shared.ports.live_calls import LiveCalls
from shared.ports.sound_cache import SoundCache
from shared.ports.speech_to_text import SpeechToText
from shared.ports.text_to_speech import TextToSpeech
from shared.ports.translation import Translation
from shared.settings import Settings
from shared.use_cases.providers.cached_speech import CachedSpeech, KeepingSpeech
from shared.use_cases.providers.failover_language_model import FailoverLanguageModel
from shared.use_cases.providers.failover_speech_to_text import FailoverSpeechToText
from shared.use_cases.providers.failover_text_to_speech import FailoverTextToSpeech
from shared.use_cases.providers.joined_sound_cache import JoinedSoundCache, MemorySoundCache, Stage
from shared.use_cases.providers.prepared_sounds import PreparedSounds
from shared.use_cases.providers.provider_health import ProviderHealth
from shared.use_cases.providers.spoken_words import SpokenWords

_MEMORY_WITHIN_S, _SHARED_WITHIN_S, _LASTING_WITHIN_S = 0.01, 0.03, 0.5
"""What a cache takes longer for, it does not have."""


@dataclass(frozen=True, slots=True)
class Provider:
    """One account with models; `name` tells its circuit breakers apart."""

    name: str
    wire: OpenAIWire
    llm_model: str
    stt_model: str
    tts_model: str
    tts_voice: str

    @property
    def maker(self) -> str:
        """All that decides how its voices sound, besides their names."""
        account = self.wire.account
        return f"{self.name} {account.azure_endpoint or account.base_url} {self.tts_model} {self.tts_voice}"


class Providers:
    """Each part is made when it is first used. `shared_sounds`: for all workers, for a while; `lasting_sounds`: for
    good.
    """

    def __init__(
        self,
        settings: Settings,
        *,
        breakers: CircuitBreakers,
        shared_sounds: SoundCache,
        lasting_sounds: SoundCache,
        live_calls: LiveCalls,
    ) -> None:
        self._settings = settings
        self._health = ProviderHealth(breakers)
        self._near = (
            Stage(MemorySoundCache(), _MEMORY_WITHIN_S),
            Stage(shared_sounds, _SHARED_WITHIN_S),
        )
        self._lasting_sounds = lasting_sounds
        self._live_calls = live_calls

    def warm_up(self) -> None:
        """Do what is slow about a first time; safe to call from a thread."""
        OpenAIWire.warm_up()
        for model in self._models.values():
            if isinstance(model, LangChainLanguageModel):
                model.warm_up()

    @cached_property
    def all(self) -> tuple[Provider, ...]:
        """The preferred one first."""
        settings = self._settings
        account = OpenAIAccount(
            settings.openai_base_url,
            settings.openai_api_key,
            settings.azure_openai_endpoint,
            retries=int(settings.fallback_openai_provider == "none"),
        )
        first = Provider(
            settings.openai_provider,
            self._wire(settings.openai_provider, account),
            settings.llm_model,
            settings.stt_model,
            settings.tts_model,
            settings.tts_voice,
        )
        return (first, *self._fallback(first))

    def _fallback(self, first: Provider) -> tuple[Provider, ...]:
        settings = self._settings
        if settings.fallback_openai_provider == "none":
            return ()
        account = OpenAIAccount(
            settings.fallback_openai_base_url,
            settings.fallback_openai_api_key,
            settings.fallback_azure_openai_endpoint,
        )
        second = Provider(
            f"fallback_{settings.fallback_openai_provider}",
            self._wire(settings.fallback_openai_provider, account),
            settings.fallback_llm_model or first.llm_model,
            settings.fallback_stt_model or first.stt_model,
            settings.fallback_tts_model or first.tts_model,
            settings.fallback_tts_voice or first.tts_voice,
        )
        return (second,)

    def _wire(self, provider: str, account: OpenAIAccount) -> OpenAIWire:
        """The endpoint that belongs to the other kind of provider is passed over."""
        if provider == "openai":
            return OpenAIWire(replace(account, azure_endpoint=""))
        settings = self._settings
        return OpenAIWire(
            OpenAIAccount(
                azure_endpoint=account.azure_endpoint,
                azure_api_version=settings.azure_openai_api_version,
                client_id=settings.azure_client_id,
                retries=account.retries,
            )
        )

    @cached_property
    def language_model(self) -> FailoverLanguageModel:
        chosen = ChosenModels(self._model_accounts, client=self._settings.llm_client)
        return FailoverLanguageModel(self._models, self._health, chosen=chosen)

    @cached_property
    def speech_to_text(self) -> FailoverSpeechToText:
        """Sarvam hears before all others where it is chosen; who streams falls back on its own requests first."""
        settings = self._settings
        hearings: dict[str, SpeechToText] = {}
        if settings.stt_provider in ("sarvam", "sarvam_requests"):
            by_socket = settings.stt_provider == "sarvam"
            hearings["stt:sarvam"] = SarvamSpeechToText(self._sarvam_account, by_socket=by_socket)
        for provider in self.all:
            requests = OpenAISpeechToText(provider.wire, model=provider.stt_model)
            streams = settings.stt_provider == "openai_realtime" and not hearings
            hearings[f"stt:{provider.name}"] = (
                OpenAIRealtimeTranscription(requests, model=provider.stt_model) if streams else requests
            )
        return FailoverSpeechToText(hearings, self._health)

    @cached_property
    def text_to_speech(self) -> CachedSpeech:
        """What the first provider made lately is not made again; another one's voice is never kept in its place."""
        cache = JoinedSoundCache(self._near, lasting_hits=False)
        name, voice, maker = self._first_voice
        voices: dict[str, TextToSpeech] = {f"tts:{name}": KeepingSpeech(voice, cache, maker=maker)}
        others = {f"tts:{provider.name}": _voice_of(provider) for provider in self.all}
        voices |= {other: second for other, second in others.items() if other not in voices}
        return CachedSpeech(FailoverTextToSpeech(voices, self._health), cache, maker=maker)

    @cached_property
    def prepared_sounds(self) -> PreparedSounds:
        cache = JoinedSoundCache([*self._near, Stage(self._lasting_sounds, _LASTING_WITHIN_S)], lasting_hits=True)
        _, voice, maker = self._first_voice
        return PreparedSounds(voice, cache, self._live_calls, maker=maker)

    @cached_property
    def translation(self) -> Translation:
        """Raises: InvalidRequest where nobody translates."""
        if not self._settings.sarvam_api_key:
            raise InvalidRequest("translation_not_set_up", "SARVAM_API_KEY is missing: nobody translates")
        return SarvamTranslation(SarvamWire(self._sarvam_account))

    @cached_property
    def _models(self) -> dict[str, LanguageModel]:
        client = self._settings.llm_client
        accounts = [_models_of(provider) for provider in self.all]
        if self._settings.llm_provider == "sarvam":
            accounts = [self._sarvam_models, *accounts]
        return {f"llm:{account.name}": model_of(account, client) for account in accounts}

    @cached_property
    def _sarvam_models(self) -> ModelAccount:
        return sarvam_account(self._settings)

    @property
    def _model_accounts(self) -> dict[ModelProvider, ModelAccount]:
        """Those that agents may choose: the settings' providers, and what is set up beside them."""
        settings = self._settings
        accounts = {ModelProvider(settings.openai_provider): _models_of(self.all[0])}
        if len(self.all) > 1:
            kind = settings.fallback_openai_provider
            asked_for = ModelProvider.AZURE_OPENAI if kind == "azure_openai" else ModelProvider.COMPATIBLE
            accounts.setdefault(asked_for, _models_of(self.all[1]))
        if settings.sarvam_api_key:
            accounts[ModelProvider.SARVAM] = self._sarvam_models
        described = {
            ModelProvider.AZURE_OPENAI: OpenAIAccount(azure_endpoint=settings.azure_openai_endpoint),
            ModelProvider.OPENAI: OpenAIAccount(settings.openai_base_url, settings.openai_api_key),
            ModelProvider.COMPATIBLE: OpenAIAccount(
                settings.fallback_openai_base_url, settings.fallback_openai_api_key
            ),
        }
        for provider, account in described.items():
            is_there = account.azure_endpoint or account.api_key
            if (
                is_there
                and provider not in accounts
                and (account.base_url or provider is not ModelProvider.COMPATIBLE)
            ):
                kind = "azure_openai" if provider is ModelProvider.AZURE_OPENAI else "openai"
                wire = self._wire(kind, replace(account, retries=0))
                accounts[provider] = ModelAccount(provider, wire, settings.llm_model)
        return accounts

    @cached_property
    def _first_voice(self) -> tuple[str, TextToSpeech, str]:
        """Its name, who speaks, and the maker that its sound is kept under."""
        settings, first = self._settings, self.all[0]
        if settings.tts_provider == "openai":
            return first.name, _voice_of(first), f"{first.maker} {FORMS_VERSION}"
        voice = SarvamTextToSpeech(
            SarvamWire(self._sarvam_account),
            model=settings.sarvam_tts_model,
            default_speaker=settings.sarvam_tts_speaker,
            transport=settings.sarvam_tts_transport,
        )
        maker = f"sarvam {settings.sarvam_base_url} {settings.sarvam_tts_model} {settings.sarvam_tts_speaker}"
        return "sarvam", SpokenWords(voice), f"{maker} {FORMS_VERSION}"

    @property
    def _sarvam_account(self) -> SarvamAccount:
        return SarvamAccount(self._settings.sarvam_api_key, self._settings.sarvam_base_url)


def _voice_of(provider: Provider) -> TextToSpeech:
    voice = OpenAITextToSpeech(provider.wire, model=provider.tts_model, default_voice=provider.tts_voice)
    return SpokenWords(voice)


def _models_of(provider: Provider) -> ModelAccount:
    return ModelAccount(provider.name, provider.wire, provider.llm_model)
