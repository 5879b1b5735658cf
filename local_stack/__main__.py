"""The command line of the local stack: `python -m local_stack up | status | restart PART | token | eval …`."""

from __future__ import annotations

import argparse
import asyncio
import json
import sys
import time

from local_stack.supervisor.addresses import Addresses, ConfigurationError
from local_stack.supervisor.control import NotRunning, is_free, send_command
from local_stack.supervisor.run import EXIT_BAD_REQUEST, EXIT_FAILED, UpOptions, up
from local_stack.supervisor.scheduling import finish_before_yielding

_STOP_DEADLINE_SECONDS = 15.0


def main(argv: list[str] | None = None) -> int:
    """Do what the command line says and return the exit status."""
    words = sys.argv[1:] if argv is None else argv
    if words[:1] == ["eval"]:
        return _evaluate(words[1:])
    options = _parser().parse_args(words)
    try:
        addresses = Addresses.from_environment()
        if options.command == "up":
            finish_before_yielding()
            return asyncio.run(up(addresses, _up_options(options)))
        if options.command == "token":
            return _token(addresses, options)
        if options.command == "down" and options.wait:
            return _stop_and_wait(addresses)
        arguments = {name: str(value) for name in ("part", "how") if (value := getattr(options, name, None))}
        answer = send_command(addresses.state_dir, options.command, **arguments)
    except (ConfigurationError, NotRunning, PermissionError) as problem:
        print(problem, file=sys.stderr)
        return EXIT_BAD_REQUEST
    if options.command == "status":
        _print_status(answer["parts"], as_json=options.json)
    else:
        print(answer["text"], file=sys.stdout if answer["ok"] else sys.stderr)
    return 0 if answer["ok"] else EXIT_FAILED


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(prog="python -m local_stack")
    commands = parser.add_subparsers(dest="command", required=True)
    start = commands.add_parser("up", help="start the stack, place a call, stay until Ctrl-C")
    start.add_argument("--no-call", action="store_true", help="place no call")
    start.add_argument("--once", action="store_true", help="end after the call, with its exit status")
    start.add_argument("--only", default="", help="names of parts, joined by commas")
    start.add_argument("--without", default="", help="names of parts, joined by commas")
    start.add_argument("call_options", nargs="*", help="after --: options of the call")
    status = commands.add_parser("status", help="show the parts of the running stack")
    status.add_argument("--json", action="store_true")
    down = commands.add_parser("down", help="stop the running stack")
    down.add_argument("--wait", action="store_true", help="return when it has stopped; none running is fine")
    restart = commands.add_parser("restart", help="stop a part and start it again")
    restart.add_argument("part")
    restart.add_argument("--kill", dest="how", action="store_const", const="kill", help="stop it as a crash would")
    for name, text in (("kill", "end a part as a crash would"), ("start", "start a part that is stopped")):
        commands.add_parser(name, help=text).add_argument("part")
    token = commands.add_parser("token", help="sign in to the local issuer and print an access token")
    token.add_argument("--role", default="operator", choices=("caller", "operator", "admin", "platform"))
    token.add_argument("--user", help="who to be; by default the first person with that role")
    commands.add_parser("eval", help="run scenario files against the agents (--help after it says more)")
    return parser


def _evaluate(words: list[str]) -> int:
    # Imported here because no other command needs what it does.
    from local_stack.eval.command import main as evaluate  # noqa: PLC0415

    return evaluate(words)


def _up_options(options: argparse.Namespace) -> UpOptions:
    return UpOptions(
        call=not options.no_call,
        once=options.once,
        only=tuple(name for name in options.only.split(",") if name),
        without=tuple(name for name in options.without.split(",") if name),
        call_options=tuple(options.call_options),
    )


def _stop_and_wait(addresses: Addresses) -> int:
    if is_free(addresses.state_dir):
        return 0
    print("stopping the stack", flush=True)
    send_command(addresses.state_dir, "down")
    deadline = time.monotonic() + _STOP_DEADLINE_SECONDS
    while not is_free(addresses.state_dir):
        if time.monotonic() > deadline:
            print("the stack has not stopped", file=sys.stderr)
            return EXIT_FAILED
        time.sleep(0.05)
    return 0


def _token(addresses: Addresses, options: argparse.Namespace) -> int:
    # Imported here because no other command needs an HTTP client.
    from local_stack.identity.script_sign_in import SignInFailed, access_token  # noqa: PLC0415

    try:
        print(access_token(addresses.url("identity"), role=options.role, login=options.user))
    except SignInFailed as problem:
        print(problem, file=sys.stderr)
        return EXIT_FAILED
    return 0


def _print_status(parts: object, *, as_json: bool) -> None:
    if as_json:
        print(json.dumps(parts, indent=2))
        return
    assert isinstance(parts, list)
    for part in parts:
        print(f"  {part['name']:<12} {part['state']:<9} {part['pid'] or '-':<8} {part['address']}")


if __name__ == "__main__":
    raise SystemExit(main())
