"""The failures that the product knows by name: a stable code, a clear message, and whether trying again helps."""

from __future__ import annotations

from typing import ClassVar


class VoiceAgentError(Exception):
    """Base of all expected failures.

    `code` is stable and machine-readable (snake_case), `message` is for people and holds no personal data,
    `retryable` says whether the same request may succeed later. Adapters translate their SDK's errors into
    subclasses; only `functions/` turns them into HTTP.
    """

    stage: ClassVar[str] = "call"

    def __init__(self, code: str, message: str, *, retryable: bool = False) -> None:
        super().__init__(f"{code}: {message}")
        self.code = code
        self.message = message
        self.retryable = retryable


class InvalidRequest(VoiceAgentError):
    """The request is malformed; nothing was done."""

    stage = "request"


class NotFound(VoiceAgentError):
    """What was asked for does not exist, or belongs to somebody else."""

    stage = "request"


class Conflict(VoiceAgentError):
    """The request does not fit the present state of the call."""

    stage = "request"


class Overtaken(VoiceAgentError):
    """This execution of a step was taken for dead, and another one goes on with its work."""


class Unauthenticated(VoiceAgentError):
    """Nobody known is asking: signature, token or ticket is missing, wrong or used up."""

    stage = "identity"


class Forbidden(VoiceAgentError):
    """Somebody known is asking for what their roles do not allow."""

    stage = "identity"


class TelephonyError(VoiceAgentError):
    """The carrier's API refused or did not answer."""

    stage = "telephony"


class MediaError(VoiceAgentError):
    """Audio could not be delivered to the caller, or what came in cannot be audio of this call."""

    stage = "media"


class SpeechToTextError(VoiceAgentError):
    """The speech was not transcribed."""

    stage = "speech_to_text"


class LanguageModelError(VoiceAgentError):
    """The language model gave no usable answer."""

    stage = "language_model"


class ContentRefused(LanguageModelError):
    """A provider's filter lets the question, or its answer, not pass; asking another one would get around it."""


class TextToSpeechError(VoiceAgentError):
    """The sentence was not synthesised."""

    stage = "text_to_speech"


class TranslationError(VoiceAgentError):
    """The text was not translated, or its language not told."""

    stage = "translation"


class StoreError(VoiceAgentError):
    """A store (database, cache, files) refused or did not answer."""

    stage = "store"


class ToolError(VoiceAgentError):
    """A tool refused, failed, or did not answer in time."""

    stage = "tool"


class KnowledgeError(VoiceAgentError):
    """The knowledge index, or who makes its vectors, refused or did not answer."""

    stage = "knowledge"
