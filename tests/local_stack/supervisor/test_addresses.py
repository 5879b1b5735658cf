"""Ports and places come from the environment, and mistakes in them are one clear line."""

from __future__ import annotations

import json
from dataclasses import fields
from pathlib import Path

import pytest

from local_stack.supervisor.addresses import PORTS, ROOT, Addresses, ConfigurationError
from local_stack.supervisor.app_settings import app_settings
from local_stack.supervisor.parts import build_parts, build_preparations
from local_stack.supervisor.stored_secrets import StoredSecrets, open_secrets

SECRETS = StoredSecrets(**{field.name: f"made-up-{field.name}" for field in fields(StoredSecrets)})


def test_without_settings_everything_is_where_the_readme_says() -> None:
    addresses = Addresses.from_environment({})
    assert addresses.ports == {name: default for name, (_, default) in PORTS.items()}
    assert addresses.state_dir == ROOT / ".local"
    assert addresses.host == "local"


@pytest.mark.parametrize(
    ("environment", "message"),
    [
        ({"APP_PORT": "web"}, "APP_PORT is 'web': a port is a number from 1 to 65535"),
        ({"APP_PORT": "²"}, "APP_PORT is '²'"),
        ({"APP_PORT": "7" * 5000}, "APP_PORT is '7"),
        ({"APP_PORT": "0"}, "APP_PORT is '0'"),
        ({"APP_PORT": "70000"}, "APP_PORT is '70000'"),
        ({"APP_PORT": "7080"}, "APP_PORT and LOCAL_WEB_PUBSUB_PORT are both 7080: change one of them"),
        ({"HOST": "iis"}, "HOST is 'iis'"),
    ],
)
def test_mistakes_name_the_variable(environment: dict[str, str], message: str) -> None:
    with pytest.raises(ConfigurationError) as refusal:
        Addresses.from_environment(environment)
    assert str(refusal.value).startswith(message)


def test_every_port_reaches_its_part_and_the_app(tmp_path: Path) -> None:
    ports = {name: 20000 + number for number, name in enumerate(PORTS)}
    addresses = Addresses(tmp_path, ports)
    parts = build_parts(addresses, SECRETS)
    assert {name: port for part in parts for name, port in part.ports.items()} == ports
    for part in parts:
        assert all(str(port) in part.command for port in part.ports.values()), part.name
    settings = app_settings(addresses, SECRETS)
    told = " ".join(settings.values())
    assert [name for name, port in ports.items() if str(port) not in told] == []


def test_settings_of_ones_own_take_the_place_of_the_stacks(tmp_path: Path) -> None:
    addresses = Addresses(tmp_path, {name: default for name, (_, default) in PORTS.items()})
    mine = {"OPENAI_PROVIDER": "azure_openai", "TOOL_SECRETS": "{}"}
    (tmp_path / "app_settings.json").write_text(json.dumps(mine))
    parts = {part.name: part.environment for part in build_parts(addresses, SECRETS)}
    assert mine.items() <= parts["app"].items()
    assert parts["app"]["LLM_MODEL"] == "local"
    assert parts["phones"]["OPENAI_PROVIDER"] == "openai", "the carriers' own ears and voices remain"


@pytest.mark.parametrize("text", ["{", "[]", '{"LLM_MODEL": 1}'])
def test_settings_that_cannot_be_read_are_named(tmp_path: Path, text: str) -> None:
    (tmp_path / "app_settings.json").write_text(text)
    addresses = Addresses(tmp_path, {name: default for name, (_, default) in PORTS.items()})
    with pytest.raises(ConfigurationError, match=r"app_settings\.json is not"):
        build_parts(addresses, SECRETS)


def test_what_parts_wait_for_exists(tmp_path: Path) -> None:
    addresses = Addresses(tmp_path, {name: default for name, (_, default) in PORTS.items()})
    parts, preparations = build_parts(addresses, SECRETS), build_preparations(addresses, SECRETS)
    names = {each.name for each in (*parts, *preparations)}
    assert {need for each in (*parts, *preparations) for need in each.after} <= names


def test_core_tools_have_to_be_there(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    addresses = Addresses.from_environment({"HOST": "func", "LOCAL_STATE_DIR": str(tmp_path)})
    monkeypatch.setenv("PATH", str(tmp_path))
    with pytest.raises(ConfigurationError, match="install func, or leave HOST out"):
        build_parts(addresses, SECRETS)
    (tmp_path / "func").write_text("#!/bin/sh\n")
    (tmp_path / "func").chmod(0o755)
    app = build_parts(addresses, SECRETS)[-1]
    assert app.command == (str(tmp_path / "func"), "start", "--port", "7071")
    assert app.environment["PATH"].endswith(f":{tmp_path}")
    assert app.environment["AzureFunctionsJobHost__extensions__durableTask__storageProvider__type"]


def test_secrets_are_made_once_and_are_nobody_elses(tmp_path: Path) -> None:
    first = open_secrets(tmp_path)
    assert open_secrets(tmp_path) == first
    assert open_secrets(tmp_path / "other").twilio_auth_token != first.twilio_auth_token
    assert (tmp_path / "secrets.json").stat().st_mode & 0o777 == 0o600
    (tmp_path / "secrets.json").write_text("{")
    with pytest.raises(ConfigurationError, match=r"secrets\.json is damaged"):
        open_secrets(tmp_path)
    assert first.twilio_auth_token not in repr(build_parts(Addresses.from_environment({}), first))
