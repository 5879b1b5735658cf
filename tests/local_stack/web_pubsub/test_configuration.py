"""The configuration file: what it may say, and what is said of a wrong one."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest

from local_stack.web_pubsub.configuration import (
    ConfigurationError,
    ManagedIdentity,
    parse_configuration,
    read_configuration,
)
from local_stack.web_pubsub.defaults import connection_string, default_config, managed_identity_auth

HANDLER = {"urlTemplate": "http://localhost/{hub}/{event}"}


def with_handler(**handler: Any) -> dict[str, Any]:
    return {"hubs": {"h": {"eventHandlers": [HANDLER | handler]}}}


def test_default_config_survives_the_file(tmp_path: Path) -> None:
    auth = managed_identity_auth("http://localhost:7082/token", "wps", "secret", audience="api")
    path = tmp_path / "web_pubsub.json"
    path.write_text(json.dumps(default_config(port=7099, app_base_url="http://localhost:7071/", auth=auth)))
    configuration = read_configuration(path)
    assert configuration.endpoint == "http://localhost:7099"
    assert configuration.hub("clients").anonymous_connect_policy == "deny"
    assert configuration.hub("Carriers").anonymous_connect_policy == "allow"
    assert configuration.hub("other").event_handlers == ()
    (handler,) = configuration.hub("carriers").event_handlers
    assert handler.url_template == "http://localhost:7071/api/realtime/events/{hub}/{event}"
    assert handler.auth == ManagedIdentity("http://localhost:7082/token", "wps", "secret", "", "api")
    assert configuration.limits.retry_delays_s == (1.0, 3.0, 5.0)
    assert configuration.limits.keep_alive_interval_s == 20


def test_connection_string_is_what_the_sdks_read() -> None:
    assert connection_string(7099, "k") == "Endpoint=http://localhost;Port=7099;AccessKey=k;Version=1.0;"


@pytest.mark.parametrize(
    ("change", "said"),
    [
        ({"endpoint": "localhost"}, "endpoint"),
        ({"endpoint": None}, "endpoint"),
        ({"accessKeys": []}, "accessKeys"),
        ({"accessKeys": ["a", "b", "c"]}, "accessKeys"),
        ({"colour": 1}, "unknown entries: colour"),
        ({"hubs": {"h": {"anonymousConnectPolicy": "maybe"}}}, "anonymousConnectPolicy"),
        ({"hubs": {"h": {"eventHandlers": {}}}}, "eventHandlers"),
        (with_handler(urlTemplate="ftp://x"), "urlTemplate"),
        (with_handler(urlTemplate="http://{hub}.example"), "urlTemplate"),
        (with_handler(systemEvents=["born"]), "systemEvents"),
        (with_handler(auth={"type": "Password"}), "auth.type"),
        (with_handler(auth={"type": "ManagedIdentity"}), "tokenUrl"),
        ({"limits": {"maxFrameBytes": 0}}, "maxFrameBytes"),
        ({"limits": {"maxFrameBytes": 1.5}}, "maxFrameBytes"),
        ({"limits": {"keepAliveIntervalSeconds": True}}, "keepAliveIntervalSeconds"),
        ({"limits": {"retryDelaysSeconds": 1}}, "retryDelaysSeconds"),
        ({"limits": {"speed": 1}}, "speed"),
    ],
)
def test_wrong_configuration_is_named_in_one_line(change: dict[str, Any], said: str) -> None:
    with pytest.raises(ConfigurationError) as caught:
        parse_configuration(default_config() | change)
    assert said in str(caught.value)
    assert "\n" not in str(caught.value)


def test_missing_and_broken_files_are_named(tmp_path: Path) -> None:
    with pytest.raises(ConfigurationError, match="cannot read"):
        read_configuration(tmp_path / "none.json")
    broken = tmp_path / "broken.json"
    broken.write_text("{")
    with pytest.raises(ConfigurationError, match="not JSON"):
        read_configuration(broken)
