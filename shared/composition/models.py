"""The part of composition that makes language models: those of the settings, and those that agents choose."""

from __future__ import annotations

import logging
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace

from shared.adapters.langchain.language_model import ChatModel, LangChainLanguageModel
from shared.adapters.openai.account import OpenAIAccount
from shared.adapters.openai.language_model import OPTIONS, OpenAILanguageModel
from shared.adapters.openai.wire import OpenAIWire
from shared.adapters.sarvam.wire import KEY_HEADER
from shared.domain.agents.models import ModelChoice, ModelProvider
from shared.ports.language_model import LanguageModel
from shared.settings import Settings

logger = logging.getLogger(__name__)

_SARVAM_OPTIONS = {"temperature": 0.3, "seed": 1, "max_tokens": 300, "reasoning_effort": "low"}


@dataclass(frozen=True, slots=True)
class ModelAccount:
    """Where models are asked. `name` tells its circuit breakers apart; `model`: the one that the settings name."""

    name: str
    wire: OpenAIWire
    model: str


def sarvam_account(settings: Settings) -> ModelAccount:
    """Sarvam's chat speaks OpenAI's protocol, all but the key's header."""
    base_url = f"{settings.sarvam_base_url.rstrip('/')}/v1"
    account = OpenAIAccount(base_url, settings.sarvam_api_key, key_header=KEY_HEADER, retries=0)
    return ModelAccount("sarvam", OpenAIWire(account), settings.sarvam_llm_model)


def model_of(
    account: ModelAccount, client: str, choice: ModelChoice | None = None, retries: int | None = None
) -> LanguageModel:
    """Who answers there, as the choice has it; without one, as the settings have it. `client`: see `llm_client`;
    Sarvam is always asked directly. `retries`: see `OpenAIWire.stream`; None: as the account says.
    """
    name = choice.model if choice is not None and choice.model else account.model
    if client == "langchain" and not account.wire.account.key_header:
        return _chain_of(account, name, choice, retries)
    options = dict(_SARVAM_OPTIONS if account.wire.account.key_header else OPTIONS)
    if choice is not None:
        longest = "max_tokens" if "max_tokens" in options else "max_completion_tokens"
        options |= {"temperature": choice.temperature, longest: choice.max_tokens}
    return OpenAILanguageModel(account.wire, model=name, provider=account.name, options=options, retries=retries)


def _chain_of(account: ModelAccount, name: str, choice: ModelChoice | None, retries: int | None) -> LanguageModel:
    where = account.wire.account
    model = ChatModel(
        model=name,
        base_url=where.base_url,
        api_key=where.api_key,
        azure_endpoint=where.azure_endpoint,
        azure_api_version=where.azure_api_version,
        client_id=where.client_id,
        retries=where.retries if retries is None else retries,
        provider=account.name,
    )
    if choice is not None:
        model = replace(model, temperature=choice.temperature, max_tokens=choice.max_tokens)
    return LangChainLanguageModel(model)


class ChosenModels:
    """The models that agents' documents name, each made when it is first asked for, and kept. `accounts`: those that
    the settings describe.
    """

    def __init__(self, accounts: Mapping[ModelProvider, ModelAccount], *, client: str) -> None:
        self._accounts = dict(accounts)
        self._client = client
        self._made: dict[tuple[ModelChoice, int | None], LanguageModel] = {}
        self._missed: set[ModelProvider] = set()

    def __call__(self, choices: Sequence[ModelChoice]) -> dict[str, LanguageModel]:
        """By the names of their breakers, in order; whoever has no account here is left out."""
        known = [choice for choice in choices if choice.provider in self._accounts]
        for provider in {choice.provider for choice in choices} - set(self._accounts) - self._missed:
            logger.warning("agents ask for models of %s, which is not set up; the next ones count", provider)
            self._missed.add(provider)
        retries = 0 if len(known) > 1 else None
        found: dict[str, LanguageModel] = {}
        for choice in known:
            if (choice, retries) not in self._made:
                account = self._accounts[choice.provider]
                self._made[choice, retries] = model_of(account, self._client, choice, retries)
            found.setdefault(self._name(choice), self._made[choice, retries])
        return found

    def _name(self, choice: ModelChoice) -> str:
        """A deployment of its own may be away while its neighbour is well."""
        account = self._accounts[choice.provider]
        return f"llm:{account.name}" + (f":{choice.model}" if choice.model not in ("", account.model) else "")
