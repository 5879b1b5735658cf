"""`python -m local_stack eval FILE…`: runs scenario files and reports."""

from __future__ import annotations

import argparse
import asyncio
import os
import sys
import time
from collections.abc import AsyncIterator, Sequence
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Final

import aiohttp

from local_stack.eval.app_door import AppDoor
from local_stack.eval.chat_model import ChatModel
from local_stack.eval.checks import Verdict
from local_stack.eval.console import HEAD, line_of, summary_of
from local_stack.eval.html_report import html_report
from local_stack.eval.junit import junit_xml
from local_stack.eval.outcome import Outcome
from local_stack.eval.phone import Phone
from local_stack.eval.reading import read_scenario
from local_stack.eval.runner import Runner
from local_stack.eval.scenario import LOCAL, MODELS, SCRIPTED, Scenario, WrongScenario
from local_stack.eval.speech_door import SpeechDoor
from local_stack.eval.stack import CalledStack, own_stack, running_stack
from local_stack.eval.trouble import CannotEvaluate
from local_stack.samples.catalogue import sample_scenarios
from local_stack.samples.service import SampleServices
from local_stack.supervisor.addresses import Addresses, ConfigurationError

PASSED, FAILED, WRONG_USAGE, INTERRUPTED = 0, 1, 2, 130
_KEY_VARIABLE: Final = "EVAL_MODEL_KEY"


def main(words: Sequence[str] | None = None) -> int:
    """0: all as expected; 1: something was not; 2: wrong usage, or no stack to call; 130: interrupted."""
    options = arguments().parse_args(words)
    try:
        scenarios = [read_scenario(file) for file in options.files or sample_scenarios()]
        _must_differ(scenarios)
        addresses = Addresses.from_environment()
        return asyncio.run(_evaluate(options, scenarios, addresses))
    except (WrongScenario, ConfigurationError, CannotEvaluate) as error:
        print(f"eval: {error}", file=sys.stderr)
        return WRONG_USAGE
    except KeyboardInterrupt:
        print("eval: interrupted", file=sys.stderr)
        return INTERRUPTED


def arguments() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(prog="python -m local_stack eval", description=__doc__)
    parser.add_argument("files", nargs="*", type=Path, metavar="FILE", help="scenario files; the samples' if none")
    parser.add_argument("--model", choices=MODELS, default=None, help="who thinks for the agents (default: scripted)")
    parser.add_argument("--running", action="store_true", help="call the stack of `make run`, with the local model")
    parser.add_argument("--report", type=Path, metavar="DIR", help="where the reports go")
    parser.add_argument(
        "--judge-url", metavar="URL", help="OpenAI-compatible endpoint, up to /v1, that plays and judges"
    )
    parser.add_argument("--judge-model", default="local", metavar="NAME", help=f"its model; its key: {_KEY_VARIABLE}")
    return parser


def _must_differ(scenarios: Sequence[Scenario]) -> None:
    """Raises: WrongScenario."""
    files: dict[str, Path] = {}
    for scenario in scenarios:
        if (other := files.setdefault(scenario.name, scenario.file)) is not scenario.file:
            raise WrongScenario(f"{scenario.file}: has the same name as {other}")


async def _evaluate(options: argparse.Namespace, scenarios: Sequence[Scenario], addresses: Addresses) -> int:
    began = time.monotonic()
    async with _stack(options, addresses) as stack, aiohttp.ClientSession() as session:
        services, app = SampleServices(), AppDoor(session, stack.app_url, stack.identity_url)
        runner = Runner(
            stack,
            app,
            Phone(session, stack.phones_url),
            SpeechDoor(session, stack.speech_url),
            services,
            _model(options, session, stack),
        )
        await services.start()
        print(HEAD, flush=True)
        try:
            outcomes = await runner.run(scenarios, lambda outcome: print(line_of(outcome), flush=True))
        finally:
            await app.leave()
            await services.stop()
        took_s = time.monotonic() - began
        print(summary_of(outcomes, took_s))
        # While the stack is there, and with it the sound of its calls.
        _write(options.report or addresses.state_dir / "eval" / "report", outcomes, took_s, runner.mode)
    return _status(outcomes)


def _status(outcomes: Sequence[Outcome]) -> int:
    """Nothing is as expected where nothing was called."""
    verdicts = {outcome.verdict for outcome in outcomes}
    return PASSED if Verdict.FAILED not in verdicts and Verdict.PASSED in verdicts else FAILED


@asynccontextmanager
async def _stack(options: argparse.Namespace, addresses: Addresses) -> AsyncIterator[CalledStack]:
    if not options.running:
        print("starting a stack for the evaluation", flush=True)
        async with own_stack(addresses, options.model or SCRIPTED) as stack:
            yield stack
        return
    if options.model == SCRIPTED:
        raise CannotEvaluate("the running stack has the local model: leave --running out, or say --model local")
    yield await running_stack(addresses)


def _model(options: argparse.Namespace, session: aiohttp.ClientSession, stack: CalledStack) -> ChatModel | None:
    if options.judge_url:
        key = os.environ.get(_KEY_VARIABLE) or LOCAL
        return ChatModel(session, options.judge_url.rstrip("/"), options.judge_model, key)
    return None if stack.is_scripted else ChatModel(session, f"{stack.speech_url}/v1", LOCAL)


def _write(folder: Path, outcomes: Sequence[Outcome], took_s: float, model: str) -> None:
    folder.mkdir(parents=True, exist_ok=True)
    (folder / "junit.xml").write_bytes(junit_xml(outcomes, took_s))
    (folder / "report.html").write_text(html_report(outcomes, took_s, model), encoding="utf-8")
    print(f"report: {folder / 'report.html'}\nJUnit:  {folder / 'junit.xml'}")
