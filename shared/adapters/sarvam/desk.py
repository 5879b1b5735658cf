"""All of Sarvam's voice agents that our doors need: who may knock, what they bring, how they are answered."""

from __future__ import annotations

import hashlib
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from shared.adapters.sarvam import hooks, passes, results
from shared.adapters.sarvam.hooks import Interaction, Utterance
from shared.adapters.sarvam.results import CallResult
from shared.domain.errors import InvalidRequest
from shared.domain.telephony.delegated import Speech
from shared.domain.telephony.text_turns import TextReply
from shared.ports.clock import Clock
from shared.ports.short_memory import ShortMemory

_REPEATED_WITHIN_MS = 8_000
_MOST_NAMES = 30


@dataclass(frozen=True, slots=True)
class SarvamDesk:
    """`secrets`: ours, which tools and hooks bear, the current one and the one before while it is rotated;
    `signing_secrets`: theirs, with which results are signed, where a webhook is saved in the workspace.
    """

    secrets: tuple[str, ...]
    memory: ShortMemory
    clock: Clock
    signing_secrets: tuple[str, ...] = ()

    def __post_init__(self) -> None:
        """Raises: InvalidRequest for a secret that can be guessed."""
        if not passes.known(*self.secrets, name="SAMVAAD_WEBHOOK_SECRET"):
            raise InvalidRequest("settings", "SAMVAAD_WEBHOOK_SECRET is missing")

    def check(self, authorization: str) -> None:
        """Raises: Unauthenticated."""
        passes.check_bearer(authorization, filter(None, self.secrets))

    def check_result(self, headers: Mapping[str, str], body: bytes) -> None:
        """Where the workspace signs, what is not signed is nobody's. `headers`: by their names in lower case.
        Raises: Unauthenticated.
        """
        signing = [secret for secret in self.signing_secrets if secret]
        if not signing:
            return self.check(headers.get("authorization", ""))
        signature, timestamp = headers.get(passes.SIGNATURE_HEADER, ""), headers.get(passes.TIMESTAMP_HEADER, "")
        return passes.check_signature(body, timestamp, signature, signing, self.clock.now_ms())

    def check_call(self, call_id: str, given: str) -> None:
        """Whether this is the pass of that call of ours. Raises: Unauthenticated."""
        passes.check_call_pass(given, call_id, filter(None, self.secrets))

    def start(self, body: bytes) -> Interaction:
        """Raises: InvalidRequest."""
        return hooks.read_interaction(hooks.document_of(body))

    async def utterance(self, body: bytes) -> tuple[Utterance, int]:
        """What was said, and in which turn. An agent that does not keep our variables is told apart by its words:
        the same ones within a moment are a repetition. Raises: InvalidRequest, StoreError.
        """
        utterance = hooks.read_utterance(hooks.document_of(body))
        comes_again = bool(utterance.told) and not utterance.words
        if utterance.turn or hooks.CALL_VARIABLE in _internal(utterance.interaction):
            return utterance, utterance.turn if comes_again else utterance.turn + 1
        name, now_ms = f"sarvam:{utterance.interaction.provider_call_id}", self.clock.now_ms()
        digest = hashlib.sha256(utterance.words.encode()).hexdigest()
        facts = await self.memory.facts(name)
        turn = int(facts.get("turn", "0"))
        is_repeated = facts.get("words") == digest and now_ms - float(facts["at_ms"]) < _REPEATED_WITHIN_MS
        if not is_repeated and utterance.words:
            turn += 1
            await self.memory.note(name, {"turn": str(turn), "words": digest, "at_ms": repr(now_ms)})
        return utterance, turn if is_repeated or utterance.words else turn + 1

    def end(self, body: bytes) -> tuple[Interaction, list[Speech], Mapping[str, Any]]:
        """The call, what was said in it, and the agent's variables. Raises: InvalidRequest."""
        document = hooks.document_of(body)
        interaction = hooks.read_interaction(document)
        variables = interaction.context.get("agent_variables")
        speeches = hooks.read_transcript(document)
        return interaction, speeches, variables if isinstance(variables, Mapping) else {}

    def result(self, body: bytes) -> CallResult:
        """Raises: InvalidRequest."""
        return results.read_result(hooks.document_of(body))

    def tell_start(self, interaction: Interaction, call_id: str, reply: TextReply) -> dict[str, Any]:
        return hooks.answer_start(interaction, call_id, reply)

    def tell_turn(self, utterance: Utterance, call_id: str, reply: TextReply) -> dict[str, Any]:
        return hooks.answer_turn(utterance, call_id, reply)

    @staticmethod
    def tell_nonsense() -> dict[str, Any]:
        return hooks.answer_nonsense()

    @staticmethod
    def outline(body: bytes) -> str:
        """What a body is like, for the log: its size and the names in it, nothing that anybody said."""
        try:
            names = sorted(name for name in hooks.document_of(body) if name.isidentifier() and len(name) <= 40)
        except InvalidRequest:
            names = []
        return f"{len(body)} bytes, {', '.join(names[:_MOST_NAMES]) or 'nothing that can be read'}"


def _internal(interaction: Interaction) -> Mapping[str, Any]:
    internal = interaction.context.get("internal_variables")
    return internal if isinstance(internal, Mapping) else {}
