"""All scenes of the evaluation: which recordings and sounds play which part."""

from __future__ import annotations

from collections.abc import Iterator

import numpy as np

from benchmarks.conversations import recordings, sounds
from benchmarks.conversations.scenes import (
    CALLER_DBFS,
    EchoPath,
    Scene,
    Studio,
    is_held_out,
    over_agent,
    seed_of,
    silence,
    split_at_gaps,
    turn,
    with_pauses,
)

_PROMPTS = [
    "agent-incorrect",
    "agent-newlocation",
    "agent-user",
    "call-fwd-no-ans",
    "call-waiting",
    "calling",
    "cannot-complete-as-dialed",
    "check-number-dial-again",
    "conf-enteringno",
    "conf-errormenu",
    "conf-full",
    "conf-getconfno",
    "conf-invalidpin",
    "conf-locked",
    "conf-noempty",
    "conf-now-recording",
    "conf-onlyperson",
    "conf-placeintoconf",
    "conf-waitforleader",
    "confbridge-begin-leader",
    "demo-abouttotry",
    "demo-echodone",
    "demo-moreinfo",
    "demo-nogo",
    "demo-nomatch",
    "demo-thanks",
    "dir-instr",
    "dir-nomatch",
    "dir-welcome",
    "enter-num-blacklist",
    "feature-not-avail-line",
    "hello-world",
    "im-sorry",
    "info-about-last-call",
    "invalid",
    "number-not-answering",
    "one-moment-please",
    "pbx-invalid",
    "please-try-again",
    "please-try-call-later",
    "pls-hold-while-try",
    "priv-callpending",
    "priv-introsaved",
    "privacy-incorrect",
    "privacy-prompt",
    "privacy-thankyou",
    "queue-periodic-announce",
    "queue-reporthold",
    "queue-thankyou",
    "queue-youarenext",
    "something-terribly-wrong",
    "sorry-youre-having-problems",
    "ss-noservice",
    "tt-allbusy",
    "tt-monkeysintro",
    "tt-somethingwrong",
    "tt-weasels",
    "unidentified-no-callback",
    "vm-dialout",
    "vm-incorrect",
    "vm-incorrect-mailbox",
    "vm-instructions",
    "vm-invalid-password",
    "vm-leavemsg",
    "vm-mailboxfull",
    "vm-mismatch",
    "vm-nobodyavail",
    "vm-nobox",
    "vm-nonumber",
    "vm-passchanged",
    "vm-pls-try-again",
    "vm-record-prepend",
    "vm-reenterpassword",
    "vm-savefolder",
    "vm-sorry",
    "vm-tempgreeting",
    "vm-tooshort",
    "vm-unknown-caller",
    "vm-whichbox",
]
_CARRIED = (
    ("vm-youhave", "digits/7", "vm-messages"),
    ("vm-youhave", "digits/3", "vm-INBOX", "vm-messages"),
    ("queue-thereare", "digits/5", "queue-callswaiting"),
    ("you-entered", "digits/4", "digits/9"),
    ("queue-holdtime", "digits/6", "queue-minutes"),
    ("vm-message", "vm-from", "vm-unknown-caller"),
    ("telephone-number", "is-set-to", "digits/8", "digits/1", "digits/5"),
    ("conf-thereare", "digits/9", "conf-otherinparty"),
)
_SENTENCES: tuple[tuple[str, ...], ...] = (
    ("I would like to", "book a table for", "four people on Friday."),
    ("My order number is um", "seven three nine", "four two one."),
    ("Can you tell me", "whether you are open on Sunday?"),
    ("I am calling because", "my bicycle has not arrived yet."),
    ("Well,", "I think that", "I want the blue one."),
    ("Yes please,", "and could you also", "change the address?"),
    ("The thing is that", "I was told something different", "last week."),
    ("I need to speak to", "somebody in the billing department."),
    ("It was on", "the third of March,", "or maybe the fourth."),
    ("Hello,", "my name is", "Peter Marsh."),
    ("If I send it back", "will you refund the", "postage as well?"),
    ("So I bought a tent from you", "and the", "zip is broken."),
    ("What does it cost", "to deliver to Scotland?"),
    ("No,", "that is not what I meant."),
    ("I am not sure,", "let me", "check my calendar."),
    ("Could you repeat that more slowly,", "please?"),
    ("My email is", "anna", "at example dot com."),
    ("We will be there at", "about half past six."),
    ("Thank you,", "that is all for today."),
    ("The one with the", "red handle and the", "small wheels."),
)
_ANSWERS = (
    "Yes.",
    "No, thank you.",
    "Okay.",
    "On Friday.",
    "Two.",
    "That is right.",
    "Yeah, sure.",
    "Tomorrow morning.",
)
_AGENT = (
    "Thank you for calling the outdoor shop. We are open from Monday to Saturday, between nine in the morning and "
    "six in the evening, and orders usually take three to five days to arrive.",
    "I have found your order. It left our warehouse this morning, and it should arrive on Friday afternoon. "
    "Would you like me to send the tracking number to your phone?",
    "Returns are free within thirty days. Please put the tent back into its bag, print the label that we have sent "
    "to you, and bring the parcel to any post office.",
)
_BACKCHANNELS = ("Yeah.", "Okay.", "Uh-huh.", "Right.", "I see.", "Sure.", "All right.", "Yes, yes.")
_NASALS = (
    ("letters/m", 205, 360),
    ("letters/n", 225, 370),
    ("time", 380, 520),
    ("extension", 590, 640),
    ("extension", 840, 930),
)
"""Where recorded words end in "m" or "n", in ms."""
_SHORT_WORDS = ("Stop.", "Wait.", "No.", "Hold on.", "Excuse me.", "Hang on a second.", "What?", "Sorry?")
_VOICES = ((1.0, 1.0), (1.15, 1.14), (0.9, 0.88))
"""Speed and pitch."""


def all_scenes(studio: Studio) -> Iterator[Scene]:
    """Every scene, always the same ones."""
    yield from _turns(studio)
    yield from _interruptions(studio)
    yield from _noises(studio)
    yield from _echoes(studio)


def _turns(studio: Studio) -> Iterator[Scene]:
    for name in _PROMPTS:
        random = np.random.default_rng(seed_of(name))
        yield from turn("prompts", name, with_pauses(split_at_gaps(studio.prompt(name)), random))
    for names in _CARRIED:
        source = " ".join(names)
        random = np.random.default_rng(seed_of(source))
        yield from turn("prompts", source, with_pauses([studio.prompt(name) for name in names], random))
    for path in sorted(studio.readings.glob("*/*.wav")):
        yield from turn(
            "readings", path.stem, with_pauses([recordings.trimmed(recordings.read(path))], _same(path.stem))
        )
    for number, phrases in enumerate((*_SENTENCES, *((answer,) for answer in _ANSWERS))):
        speed, pitch = _VOICES[number % len(_VOICES)]
        source = " ".join(phrases)
        spoken = [studio.spoken(phrase, speed, pitch) for phrase in phrases]
        yield from turn("sentences", source, with_pauses(spoken, np.random.default_rng(seed_of(source))))
    for number in range(8):
        random = np.random.default_rng(seed_of(f"number {number}"))
        digits = [studio.prompt(f"digits/{random.integers(0, 10)}") for _ in range(10)]
        groups = [np.concatenate(digits[:3]), np.concatenate(digits[3:6]), np.concatenate(digits[6:])]
        yield from turn("numbers", f"number {number}", with_pauses(groups, random))


def _same(source: str) -> np.random.Generator:
    return np.random.default_rng(seed_of(source))


def _agent(studio: Studio, number: int) -> recordings.Track:
    return recordings.at_level(studio.spoken(_AGENT[number % len(_AGENT)]), -20.0)


def _interruptions(studio: Studio) -> Iterator[Scene]:
    for number, name in enumerate(_PROMPTS[::3]):
        random = _same("over " + name)
        agent, sound = _agent(studio, number), with_pauses(split_at_gaps(studio.prompt(name)), random)
        yield from over_agent("interruption", name, sound, agent, is_turn=True)
    for number, text in enumerate(_SHORT_WORDS):
        for speed, pitch in _VOICES:
            sound = studio.spoken(text, speed, pitch)
            yield from over_agent("short words", f"{text}|{pitch}", sound, _agent(studio, number), is_turn=True)
    for number, text in enumerate(_BACKCHANNELS):
        for speed, pitch in _VOICES:
            sound = studio.spoken(text, speed, pitch)
            agent, level_dbfs = _agent(studio, number), CALLER_DBFS - 4
            yield from over_agent("backchannel", f"{text}|{pitch}", sound, agent, level_dbfs=level_dbfs)


def _noises(studio: Studio) -> Iterator[Scene]:
    makers = {
        "cough": (sounds.cough, 24, CALLER_DBFS),
        "throat": (sounds.throat, 12, CALLER_DBFS - 4),
        "noise burst": (sounds.noise_burst, 16, CALLER_DBFS - 4),
        "bang": (sounds.bang, 16, CALLER_DBFS),
    }
    for label, (make, count, level_dbfs) in makers.items():
        for number in range(count):
            source = f"{label} {number}"
            yield from over_agent(label, source, make(_same(source)), _agent(studio, number), level_dbfs=level_dbfs)
    for number in range(24):
        source = f"hum {number}"
        name, begin_ms, end_ms = _NASALS[number % len(_NASALS)]
        nasal = studio.prompt(name)[begin_ms * recordings.RATE_HZ // 1000 : end_ms * recordings.RATE_HZ // 1000]
        sound = sounds.hum(nasal, _same(source))
        yield from over_agent("hum", source, sound, _agent(studio, number), level_dbfs=CALLER_DBFS - 4)
    keys = sorted(studio.keyboard.glob("*.wav"))
    for number in range(12):
        random = _same(f"keyboard {number}")
        parts = []
        for _ in range(random.integers(3, 9)):
            key = recordings.read(keys[random.integers(0, len(keys))])
            parts += [key[: int(0.12 * recordings.RATE_HZ)], silence(random.uniform(20, 150))]
        sound = np.concatenate(parts)
        yield from over_agent(
            "keyboard", f"keyboard {number}", sound, _agent(studio, number), level_dbfs=CALLER_DBFS - 4
        )


def _echoes(studio: Studio) -> Iterator[Scene]:
    for number in range(24):
        source = f"echo {number}"
        random = _same(source)
        path = EchoPath(random.uniform(10, 25), int(random.uniform(50, 400)), seed_of(source))
        agent = _agent(studio, number)
        yield from over_agent("echo", source, None, agent, echo=path)
        name = _PROMPTS[(number * 3 + 1) % len(_PROMPTS)]
        sound = with_pauses(split_at_gaps(studio.prompt(name)), random)
        held = name if is_held_out(name) == is_held_out(source) else source
        yield from over_agent("over echo", held, sound, agent, is_turn=True, echo=path)
