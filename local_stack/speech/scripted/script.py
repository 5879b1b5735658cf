"""The script in types: latencies, what is heard and said, and which faults happen where."""

from __future__ import annotations

import json
import re
from dataclasses import dataclass, field, fields, replace
from pathlib import Path
from typing import Any

STEPS = ("stt", "llm", "tts")
FAULTS = ("stall", "empty", "silent", "http_500", "http_429", "cut")
SEQUENCE = "{n}"
"""Stands in `heard` and `reply` for the number that ties the requests of one turn together."""


class ScriptError(ValueError):
    """The script cannot be used; the message says where in one line."""


@dataclass(frozen=True, slots=True)
class Latencies:
    """How long everything takes, in milliseconds from the moment a request has arrived in full."""

    stt_ms: float = 150.0
    ttft_ms: float = 200.0
    """Until the first token."""
    token_ms: float = 20.0
    """From each token to the next."""
    tts_first_byte_ms: float = 100.0
    tts_rate_x_realtime: float = 5.0
    """How much faster than it plays the audio comes, after its first piece of 100 ms."""
    tts_ms_per_char: float = 45.0
    """Length of the audio per character of text."""

    def changed(self, changes: dict[str, Any]) -> Latencies:
        """With some values replaced. Raises ScriptError for unknown names and impossible values."""
        known = {item.name for item in fields(self)}
        for name, value in changes.items():
            if name not in known:
                raise ScriptError(f"unknown latency {name!r}; known: {', '.join(sorted(known))}")
            lowest_ok = value > 0 if name == "tts_rate_x_realtime" else isinstance(value, int | float) and value >= 0
            if isinstance(value, bool) or not isinstance(value, int | float) or not lowest_ok:
                raise ScriptError(f"latency {name} cannot be {value!r}")
        return replace(self, **{name: float(value) for name, value in changes.items()})


@dataclass(frozen=True, slots=True)
class Fault:
    """One thing that goes wrong. `silent` (tts) is an answer of the right length in which nothing is to be heard.

    `at` is the number of tokens (llm) or pieces of audio (tts) that come before a stall or a cut;
    `ms` is how long a stall lasts before the answer goes on.
    """

    kind: str
    at: int = 0
    ms: float = 60_000.0

    @staticmethod
    def read(value: Any) -> Fault:
        """From `"cut"` or `{"kind": "cut", "at": 5}`. Raises ScriptError."""
        content = {"kind": value} if isinstance(value, str) else value
        try:
            fault = Fault(str(content["kind"]), int(content.get("at", 0)), float(content.get("ms", 60_000.0)))
        except (KeyError, TypeError, ValueError, AttributeError) as error:
            raise ScriptError(f"not a fault: {value!r}") from error
        if fault.kind not in FAULTS or fault.at < 0 or fault.ms < 0:
            raise ScriptError(f"unknown fault {fault.kind!r}; known: {', '.join(FAULTS)}")
        return fault


@dataclass(frozen=True, slots=True)
class Exchange:
    """One turn: what the caller is heard to say, and the tokens of the answer.

    `voice` names a recording whose audio selects this turn; `tool_call` (`name`, `arguments`, and `say`, which is
    said before it) is made before the answer when the request offers tools, and `{result.name}` in the answer is
    what it gave (`tool_results`); each of `faults` (by step) happens once per turn, so that a retry succeeds.
    """

    heard: str
    reply: tuple[str, ...]
    voice: str | None = None
    tool_call: dict[str, Any] | None = None
    finds: dict[str, Any] = field(default_factory=dict)
    """What is found in the caller's words where structured output is wanted of them: values by property."""
    latencies: dict[str, float] = field(default_factory=dict)
    faults: dict[str, Fault] = field(default_factory=dict)

    def matches(self, text: str) -> re.Match[str] | None:
        """Whether `text` is what this turn's caller says; group 1 is the sequence number, if it has one."""
        pattern = re.escape(self.heard.strip()).replace(re.escape(SEQUENCE), r"(\d+)", 1)
        return re.fullmatch(pattern, text.strip(), re.IGNORECASE)


@dataclass(frozen=True, slots=True)
class Script:
    """A dialogue and its latencies; turns beyond its end are `DEFAULT_EXCHANGE`. `finds`: what structured output
    has, whatever it is about: values by property.
    """

    latencies: Latencies = Latencies()
    dialogue: tuple[Exchange, ...] = ()
    finds: dict[str, Any] = field(default_factory=dict)


def split_tokens(text: str) -> tuple[str, ...]:
    """Words, each but the first with the space before it."""
    words = text.split()
    return tuple(word if index == 0 else f" {word}" for index, word in enumerate(words))


# 40 tokens in three sentences, of which the first has 12.
DEFAULT_EXCHANGE = Exchange(
    heard=f"Hello, could you please look up my order number {SEQUENCE} for me?",
    reply=split_tokens(
        f"Of course, I have found your order with the number {SEQUENCE} here. "
        "It was packed this morning and is now on its way to your home address. "
        "Would you like me to send you the tracking link as a message?"
    ),
)


def read_script(value: Any) -> Script:
    """From `[exchange, …]` or `{"latencies": {…}, "dialogue": [exchange, …]}`. Raises ScriptError."""
    content = {"dialogue": value} if isinstance(value, list) else value
    if not isinstance(content, dict) or not isinstance(content.get("dialogue", []), list):
        raise ScriptError("a script is a list of exchanges, or an object with latencies and dialogue")
    if not isinstance(finds := content.get("finds", {}), dict):
        raise ScriptError("finds are values by property")
    if unknown := sorted(set(content) - {"latencies", "dialogue", "finds"}):
        raise ScriptError(f"unknown key {unknown[0]!r} in the script")
    dialogue = tuple(_read_exchange(index, item) for index, item in enumerate(content.get("dialogue", [])))
    return Script(Latencies().changed(content.get("latencies", {})), dialogue, finds)


def _read_exchange(index: int, value: Any) -> Exchange:
    where = f"dialogue[{index}]"
    if not isinstance(value, dict) or not isinstance(value.get("heard"), str):
        raise ScriptError(f"{where} needs heard (text) and reply (text or tokens)")
    if unknown := sorted(set(value) - {item.name for item in fields(Exchange)}):
        raise ScriptError(f"{where}: unknown key {unknown[0]!r}")
    reply = value.get("reply", "")
    tokens = split_tokens(reply) if isinstance(reply, str) else tuple(str(token) for token in reply)
    if not isinstance(finds := value.get("finds", {}), dict):
        raise ScriptError(f"{where}: finds are values by property")
    faults = value.get("faults", {})
    if not set(faults) <= set(STEPS):
        raise ScriptError(f"{where}: faults are keyed by {', '.join(STEPS)}")
    latencies = value.get("latencies", {})
    Latencies().changed(latencies)
    return Exchange(
        heard=value["heard"],
        reply=tokens,
        voice=value.get("voice"),
        tool_call=value.get("tool_call"),
        finds=finds,
        latencies=latencies,
        faults={step: Fault.read(fault) for step, fault in faults.items()},
    )


def load_script(path: Path | None) -> Script:
    """The script of a file, or the default one. Raises ScriptError."""
    if path is None:
        return Script()
    try:
        return read_script(json.loads(path.read_text(encoding="utf-8")))
    except (OSError, ValueError) as error:
        raise ScriptError(f"{path}: {error}") from error
