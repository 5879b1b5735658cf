"""What TwiML can tell the carrier to do with a call, as far as this carrier does it."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass


@dataclass(frozen=True)
class Action:
    """Where the carrier asks what comes next. `url` None: the verb names no address."""

    url: str | None = None
    method: str = "POST"


@dataclass(frozen=True)
class Callback:
    """Where the carrier tells of something, and which events are wanted."""

    url: str
    method: str = "POST"
    events: frozenset[str] = frozenset()


@dataclass(frozen=True)
class Stream:
    """`<Connect><Stream>`: a bidirectional media stream. `url` bears no query any more."""

    url: str
    name: str
    parameters: Mapping[str, str]
    status_callback: str | None = None
    status_callback_method: str = "POST"
    action: str | None = None
    """Where `<Connect>` asks what comes next once the stream has ended."""
    action_method: str = "POST"


@dataclass(frozen=True)
class Relay:
    """`<Connect><ConversationRelay>`: the carrier hears and speaks, the words go over a socket."""

    url: str
    parameters: Mapping[str, str]
    action: Action = Action()
    language: str = "en-US"
    transcription_language: str = ""
    welcome_greeting: str = ""
    welcome_interruptible: str = "any"
    interruptible: str = "any"
    """What cuts the agent off: none, dtmf, speech or any."""
    interrupt_sensitivity: str = "high"
    ignore_backchannel: bool = False
    preemptible: bool = False
    reports_during_speech: str = "none"
    dtmf_detection: bool = False
    events: frozenset[str] = frozenset()
    speech_timeout_ms: int | None = None
    """How much silence ends what the caller says; None: the carrier decides."""
    languages: frozenset[str] = frozenset()


@dataclass(frozen=True)
class Say:
    text: str
    language: str = "en-US"
    loop: int = 1


@dataclass(frozen=True)
class Play:
    """A sound at an address, or keys."""

    url: str | None = None
    digits: str = ""
    loop: int = 1


@dataclass(frozen=True)
class Pause:
    seconds: float


@dataclass(frozen=True)
class Gather:
    """Listens for words or keys while the prompts are heard and some time after."""

    action: Action
    prompts: tuple[Say | Play | Pause, ...] = ()
    inputs: frozenset[str] = frozenset({"dtmf"})
    timeout_s: int = 5
    speech_timeout_ms: int = 5000
    max_speech_s: int = 60
    finish_on_key: str = "#"
    num_digits: int | None = None
    language: str = "en-US"
    barge_in: bool = True
    action_on_empty: bool = False


@dataclass(frozen=True)
class Record:
    action: Action
    timeout_s: int = 5
    finish_on_key: str = "1234567890*#"
    max_length_s: int = 3600
    play_beep: bool = True
    callback: Callback | None = None


@dataclass(frozen=True)
class StartRecording:
    """`<Start><Recording>`: the call is recorded from now on while the verbs go on."""

    callback: Callback | None = None
    channels: int = 1
    track: str = "both"


@dataclass(frozen=True)
class Number:
    """Somebody who is called by `<Dial>`. `url` is TwiML that this person alone hears before both are joined."""

    number: str
    url: str | None = None
    method: str = "POST"
    send_digits: str = ""
    callback: Callback | None = None
    machine_detection: str = ""


@dataclass(frozen=True)
class Conference:
    """A room with a name, in which all calls hear each other."""

    name: str
    start_on_enter: bool = True
    end_on_exit: bool = False
    muted: bool = False
    beep: str = "true"
    coach: str = ""
    """SID of the call that alone hears this one."""
    label: str = ""
    max_participants: int = 250
    callback: Callback | None = None
    wait_url: str | None = None
    """What is heard until it begins: "" nothing; None the carrier's own music."""
    wait_method: str = "POST"

    @property
    def beeps_on_enter(self) -> bool:
        return self.beep in ("true", "onEnter")

    @property
    def beeps_on_exit(self) -> bool:
        return self.beep in ("true", "onExit")


@dataclass(frozen=True)
class Dial:
    action: Action
    nouns: tuple[Number, ...] = ()
    conference: Conference | None = None
    timeout_s: int = 30
    time_limit_s: int = 14_400
    caller_id: str | None = None
    record: str = "do-not-record"
    callback: Callback | None = None
    """Of the recording."""
    answer_on_bridge: bool = False
    hangup_on_star: bool = False


@dataclass(frozen=True)
class Redirect:
    url: str
    method: str = "POST"


@dataclass(frozen=True)
class Reject:
    reason: str = "rejected"


@dataclass(frozen=True)
class Hangup:
    pass


Prompt = Say | Play | Pause
Verb = Stream | Relay | Say | Play | Pause | Gather | Record | StartRecording | Dial | Redirect | Reject | Hangup
