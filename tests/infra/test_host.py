"""host.json holds what the design relies on, and the files for azd fit together."""

from __future__ import annotations

import json
import os
import re
import shutil
import subprocess
from pathlib import Path

import pytest
import yaml

from tests.infra.bicep_source import MAIN, ROOT, app_settings, code

HOST = json.loads((ROOT / "host.json").read_text())
DURABLE = HOST["extensions"]["durableTask"]
AZD = yaml.safe_load((ROOT / "azure.yaml").read_text())
HOOKS = sorted((ROOT / "infra" / "hooks").glob("*.sh"))
PARAMETER_CHECK = ROOT / "infra" / "hooks" / "check-parameters.sh"
ACTIVITIES_PER_CALL = 6


def test_bundle_and_routes() -> None:
    assert HOST["version"] == "2.0"
    assert HOST["extensionBundle"]["version"] == "[4.*, 5.0.0)"
    assert HOST["extensions"]["http"]["routePrefix"] == ""


def test_durable_state_is_kept_by_the_scheduler() -> None:
    assert DURABLE["hubName"] == "%TASKHUB_NAME%"
    assert DURABLE["storageProvider"]["type"] == "azureManaged"
    assert DURABLE["storageProvider"]["connectionStringName"] in app_settings()
    assert "TASKHUB_NAME" in app_settings()


def test_enough_activities_for_the_calls_of_one_instance() -> None:
    assert DURABLE["maxConcurrentActivityFunctions"] >= 30 * ACTIVITIES_PER_CALL
    assert "extendedSessionsEnabled" not in DURABLE, "not for Python"


def test_what_callers_say_does_not_reach_the_traces() -> None:
    assert DURABLE["tracing"]["traceInputsAndOutputs"] is False


def test_a_turn_may_last() -> None:
    hours, minutes, _ = map(int, HOST["functionTimeout"].split(":"))
    assert hours * 60 + minutes >= 10


def test_frames_are_sampled() -> None:
    sampling = HOST["logging"]["applicationInsights"]["samplingSettings"]
    assert sampling["isEnabled"] is True
    assert "Request" not in sampling["excludedTypes"], "every audio frame is a request"


def _declared_hooks() -> dict[str, str]:
    hooks = AZD["hooks"] | AZD["services"]["app"]["hooks"]
    return {name: hook["run"] for name, hook in hooks.items()}


def test_azd_service_and_template() -> None:
    service = AZD["services"]["app"]
    assert (service["host"], service["language"]) == ("function", "python")
    assert (ROOT / AZD["infra"]["path"] / f"{AZD['infra']['module']}.bicep").is_file()


def test_hooks_are_the_scripts_that_are_there() -> None:
    declared = {ROOT / run for run in _declared_hooks().values()}
    run_by_others = {hook for hook in HOOKS if any(f"/{hook.name}" in other.read_text() for other in declared)}
    assert declared | run_by_others == set(HOOKS)
    assert sorted(_declared_hooks()) == [
        "postdeploy",
        "postprovision",
        "predeploy",
        "prepackage",
        "preprovision",
    ]


@pytest.mark.parametrize("hook", HOOKS, ids=lambda hook: hook.name)
def test_hook_is_a_clean_script(hook: Path) -> None:
    text = hook.read_text()
    assert text.startswith("#!/bin/sh\n# ")
    assert "\nset -eu\n" in text
    assert os.access(hook, os.X_OK)
    subprocess.run(["sh", "-n", str(hook)], check=True, timeout=10)
    if checker := shutil.which("shellcheck"):
        subprocess.run([checker, str(hook)], check=True, timeout=60)


@pytest.mark.parametrize("hook", HOOKS, ids=lambda hook: hook.name)
def test_hook_reads_only_what_azd_knows(hook: Path) -> None:
    outputs = set(re.findall(r"^output ([A-Z_]+) ", code(MAIN), re.MULTILINE))
    asked = set(re.findall(r"^need ([A-Z_]+) ", PARAMETER_CHECK.read_text(), re.MULTILINE))
    read = set(re.findall(r"\$\{?([A-Z][A-Z_]+)", hook.read_text()))
    assert read <= outputs | asked | {"PYTHON"}


def test_parameter_check_names_what_is_missing(tmp_path: Path) -> None:
    for tool in ("az", "curl", "npm", "python3"):
        (tmp_path / tool).write_text("#!/bin/sh\n")
        (tmp_path / tool).chmod(0o755)
    environment = {"PATH": f"{tmp_path}:/bin:/usr/bin", "DEPLOYER_NAME": "ann@example.com"}
    run = _check_parameters(environment)
    assert run.returncode == 1
    assert "AUTH_AUDIENCE is missing" in run.stderr
    assert "DEPLOYER_NAME" not in run.stderr
    missing = re.findall(r"^(\w+) is missing", run.stderr, re.MULTILINE)
    assert _check_parameters(environment | dict.fromkeys(missing, "x")).returncode == 0


def _check_parameters(environment: dict[str, str]) -> subprocess.CompletedProcess[str]:
    command = ["sh", str(PARAMETER_CHECK)]
    return subprocess.run(command, env=environment, capture_output=True, text=True, timeout=10, check=False)
