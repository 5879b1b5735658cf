"""Places a phone call and prints it as it happens: `python -m local_stack.phones.call`."""

from __future__ import annotations

import argparse
import asyncio
import base64
import io
import os
import sys
from collections.abc import Sequence
from pathlib import Path
from typing import Any, Final, NoReturn

import aiohttp

from local_stack.phones import utterance, voices
from local_stack.phones.app_api import AppApi, TokenSource
from local_stack.phones.lines import DEFAULT_FROM, DEFAULT_LINE, LINES, is_phone_number, not_a_number
from local_stack.phones.murmurs import MURMURS, cough, mhm
from local_stack.phones.operator_token import operator_token
from local_stack.phones.picture.scene import NotACall
from local_stack.phones.placing import CannotCall, PlacedCall
from local_stack.phones.plot import write_picture
from local_stack.phones.report import CallReport, paint_for
from local_stack.phones.synthetic_voice import CannotSpeak, speak
from local_stack.phones.wav import UnusableAudio

PASSED, FAILED, WRONG_USAGE, INTERRUPTED = 0, 1, 2, 130
_DEFAULT_VOICES: Final = 2
_MAX_TURNS: Final = 1000


class _OneLineParser(argparse.ArgumentParser):
    """Says what is wrong without the usage, which names options that `make call` does not have."""

    def error(self, message: str) -> NoReturn:
        self.exit(WRONG_USAGE, f"call: {message}\n")


def arguments() -> argparse.ArgumentParser:
    environment = os.environ
    parser = _OneLineParser(prog="python -m local_stack.phones.call", description=__doc__)
    parser.add_argument("--audio", action="append", default=[], metavar="FILE", help="WAV; may be repeated")
    parser.add_argument("--say", metavar="TEXT", help="spoken by the local text-to-speech")
    parser.add_argument("--provider", default=DEFAULT_LINE, choices=list(LINES))
    parser.add_argument("--turns", type=int, metavar="N", help="how often the caller speaks")
    parser.add_argument(
        "--pattern", metavar="LETTERS", help="a letter a reply: p hears it out, b barges in, m murmurs"
    )
    parser.add_argument(
        "--backchannel", choices=MURMURS, help="what is murmured over replies; the pattern m by itself"
    )
    parser.add_argument("--plot", action="store_true", help="also a picture and a stereo file of the call")
    parser.add_argument("--to", metavar="NUMBER", help="the line's own number unless named")
    parser.add_argument("--from", dest="from_number", default=DEFAULT_FROM, metavar="NUMBER")
    parser.add_argument("--app-url", default=environment.get("PUBLIC_BASE_URL") or _local("APP_PORT", 7071))
    parser.add_argument("--phones-url", default=_local("LOCAL_PHONES_PORT", 7083))
    parser.add_argument("--speech-url", default=_local("LOCAL_SPEECH_PORT", 7081))
    parser.add_argument("--issuer-url", default=_local("LOCAL_IDENTITY_PORT", 7082))
    parser.add_argument("--state-dir", type=Path, default=Path(environment.get("LOCAL_STATE_DIR") or ".local"))
    return parser


def _local(variable: str, port: int) -> str:
    return f"http://localhost:{os.environ.get(variable) or port}"


def checked(options: argparse.Namespace) -> str | None:
    """What is wrong with the options, in one line; None if nothing is."""
    for number in (options.to, options.from_number):
        if number is not None and not is_phone_number(number):
            return not_a_number(number)
    if options.turns is not None and not 1 <= options.turns <= _MAX_TURNS:
        return f"--turns is a number from 1 to {_MAX_TURNS}"
    if options.pattern and set(options.pattern) - set("pbm"):
        return "--pattern is made of p (listen to the end), b (barge in) and m (murmur)"
    if options.pattern and "m" in options.pattern and options.backchannel is None:
        return "--pattern has an m: say with --backchannel what is murmured"
    if options.say is not None and not options.say.strip():
        return "--say has no text"
    return None


def recordings(options: argparse.Namespace) -> list[dict[str, Any]]:
    """The utterances that come from files, each of them read once to see that it can be spoken.

    Raises: UnusableAudio, NoVoices.
    """
    chosen: list[tuple[Path, str | None]] = [(Path(path), None) for path in options.audio]
    if not chosen and options.say is None:
        known = voices.read_index(options.state_dir / "voices")
        fitting = voices.fitting_speeches(known, _DEFAULT_VOICES)
        chosen = [(voice.file, voice.text) for voice in fitting]
    for path, text in chosen:
        utterance.from_file(path, text)
    return [_utterance(path.read_bytes(), path.name, text) for path, text in chosen]


def _utterance(wav_bytes: bytes, label: str, text: str | None) -> dict[str, Any]:
    return {"wav_base64": base64.b64encode(wav_bytes).decode(), "label": label, "text": text}


async def place(
    options: argparse.Namespace, said: list[dict[str, Any]], token_source: TokenSource | None = None
) -> int:
    """Places the call and prints it; the exit status. `token_source` stands in for the local issuer's."""
    async with aiohttp.ClientSession() as session:
        if options.say is not None:
            sound = await speak(session, options.speech_url, options.say)
            utterance.from_wav(sound, "speech service")
            said = [*said, _utterance(sound, "speech service", options.say)]
        turns = options.turns or len(said)
        app_url = options.app_url.rstrip("/")
        wish = {
            "provider": options.provider,
            "from": options.from_number,
            "to": options.to or LINES[options.provider].number,
            "app_url": app_url,
            "utterances": said,
            "turns": turns,
            **_manner(options),
        }

        async def local_token() -> str:
            return await operator_token(session, options.issuer_url, options.state_dir)

        api = AppApi(session, app_url, token_source or local_token)
        report = CallReport(_write, paint_for(sys.stdout), LINES[options.provider].title)
        call = PlacedCall(session, options.phones_url.rstrip("/"), wish, report, api)
        verdict = await call.follow(turns)
        if options.plot and call.folder is not None:
            for name, path in zip(("picture", "stereo"), write_picture(call.folder), strict=True):
                _write(f"{' ' * 11}{name:<7} {path}\n")
        return PASSED if verdict.passed else FAILED


def _manner(options: argparse.Namespace) -> dict[str, Any]:
    """How the caller treats the agent's replies, where it is not merely polite."""
    manner: dict[str, Any] = {"pattern": options.pattern} if options.pattern else {}
    if options.backchannel is None:
        return manner
    sound = cough() if options.backchannel == "cough" else mhm()
    return {"pattern": "m", **manner, "murmur": _utterance(sound, f"{options.backchannel} (synthetic)", None)}


def _write(text: str) -> None:
    sys.stdout.write(text)
    sys.stdout.flush()


def _complain(status: int, message: str) -> int:
    print(f"call: {message}", file=sys.stderr)
    return status


def main(words: Sequence[str] | None = None) -> int:
    """0: answered, heard and replied to; 1: not; 2: wrong usage; 130: interrupted, and hung up."""
    options = arguments().parse_args(words)
    if isinstance(sys.stdout, io.TextIOWrapper):
        sys.stdout.reconfigure(errors="replace")
    try:
        if (mistake := checked(options)) is not None:
            return _complain(WRONG_USAGE, mistake)
        said = recordings(options)
    except (UnusableAudio, voices.NoVoices) as error:
        return _complain(WRONG_USAGE, str(error))
    try:
        return asyncio.run(place(options, said))
    except (CannotCall, CannotSpeak, UnusableAudio, NotACall) as error:
        return _complain(FAILED, str(error))
    except KeyboardInterrupt:
        return _complain(INTERRUPTED, "hung up")


if __name__ == "__main__":
    sys.exit(main())
