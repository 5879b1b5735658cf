"""host.json, its overrides and the app settings."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from local_stack.functions_host.app_settings import expand_placeholders, load_app_settings
from local_stack.functions_host.errors import HostConfigurationError
from local_stack.functions_host.host_json import load_host_options, parse_timespan_s


def write(folder: Path, document: object) -> Path:
    (folder / "host.json").write_text(json.dumps(document), "utf-8")
    return folder


def test_defaults_without_a_file(tmp_path: Path) -> None:
    options = load_host_options(tmp_path, {})
    assert options.route_prefix == "api"
    assert options.body_limit_bytes == 104_857_600
    assert options.max_concurrent_activities >= 20
    assert options.function_timeout_s == 1800


def test_everything_that_is_honoured(tmp_path: Path) -> None:
    document = {
        "extensions": {
            "http": {"routePrefix": ""},
            "durableTask": {"hubName": "%HUB%", "maxConcurrentActivityFunctions": 7},
        },
        "functionTimeout": "00:10:00",
        "logging": {"logLevel": {"default": "Warning"}},
    }
    options = load_host_options(write(tmp_path, document), {"Hub": "MyHub"})
    assert options.route_prefix == ""
    assert options.hub_name == "MyHub"
    assert options.max_concurrent_activities == 7
    assert options.function_timeout_s == 600
    assert options.log_levels == {"default": "Warning"}


def test_overrides_win_and_names_have_no_case(tmp_path: Path) -> None:
    write(tmp_path, {"extensions": {"durableTask": {"hubName": "FromFile"}}})
    settings = {
        "AzureFunctionsJobHost__extensions__durableTask__hubName": "FromSettings",
        "azurefunctionsjobhost__functiontimeout": "-1",
        "FUNCTIONS_REQUEST_BODY_SIZE_LIMIT": "1000",
    }
    options = load_host_options(tmp_path, settings)
    assert options.hub_name == "FromSettings"
    assert options.function_timeout_s is None
    assert options.body_limit_bytes == 1000


@pytest.mark.parametrize(
    ("document", "words"),
    [
        ([], "must be a JSON object"),
        ({"functionTimeout": "soon"}, "functionTimeout"),
        ({"extensions": {"durableTask": {"hubName": "no spaces"}}}, "hubName"),
        ({"extensions": {"durableTask": {"hubName": "%MISSING%"}}}, "MISSING"),
        ({"extensions": {"durableTask": {"maxConcurrentActivityFunctions": 0}}}, "at least 1"),
        ({"extensions": []}, "must be an object"),
    ],
)
def test_what_is_wrong_is_named(tmp_path: Path, document: object, words: str) -> None:
    with pytest.raises(HostConfigurationError, match=words):
        load_host_options(write(tmp_path, document), {})


def test_timespans() -> None:
    assert parse_timespan_s("00:00:30.5", "x") == 30.5
    assert parse_timespan_s("1.02:00:00", "x") == 93_600
    assert parse_timespan_s("-1", "x") is None


def test_the_environment_wins_over_local_settings(tmp_path: Path) -> None:
    values = {"Values": {"A": "file", "B": "file"}}
    (tmp_path / "local.settings.json").write_text(json.dumps(values), "utf-8")
    settings = load_app_settings(tmp_path, {"B": "environment"})
    assert (settings["A"], settings["B"]) == ("file", "environment")
    assert settings["FUNCTIONS_WORKER_RUNTIME"] == "python"


@pytest.mark.parametrize("text", ["{", '{"Values": []}', '{"Values": {"A": 1}}'])
def test_malformed_local_settings_are_refused(tmp_path: Path, text: str) -> None:
    (tmp_path / "local.settings.json").write_text(text, "utf-8")
    with pytest.raises(HostConfigurationError, match=r"local\.settings\.json"):
        load_app_settings(tmp_path, {})


def test_placeholders() -> None:
    assert expand_placeholders("a-%x%-%Y%", {"X": "1", "y": "2"}, "here") == "a-1-2"
    with pytest.raises(HostConfigurationError, match="here: no app setting 'z'"):
        expand_placeholders("%z%", {}, "here")
