"""The file of tenants, applications and people."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from local_stack.identity.directory import DirectoryError, read_directory
from tests.local_stack.identity.conftest import CONFIG


def test_placeholders_stand_for_the_environment(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("APP_PORT", "9999")
    monkeypatch.delenv("LOCAL_IDENTITY_CLIENT_SECRET", raising=False)
    directory = read_directory(CONFIG)
    assert "http://localhost:9999/" in directory.clients["voice-agent-talk"].redirect_uris
    assert directory.clients["voice-agent-daemon"].secret is None
    assert "http://localhost:9999" in directory.allowed_origins()


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("{", "is not JSON"),
        ("{}", "'b2c' is missing"),
        (json.dumps({"b2c": 1}), "is missing or of the wrong kind"),
    ],
)
def test_a_wrong_file_is_one_clear_line(tmp_path: Path, text: str, message: str) -> None:
    path = tmp_path / "config.json"
    path.write_text(text)
    with pytest.raises(DirectoryError, match=message):
        read_directory(path)


def test_a_missing_file_is_one_clear_line(tmp_path: Path) -> None:
    with pytest.raises(DirectoryError, match=r"cannot read .*: No such file"):
        read_directory(tmp_path / "nothing.json")


@pytest.mark.parametrize(
    ("requested", "granted"),
    [
        (["voice-agent-api/talk"], ["talk"]),
        (["api://voice-agent-api/talk", "openid"], ["talk"]),
        (["voice-agent-api/talk", "voice-agent-api/everything"], ["talk"]),
        (["talk"], []),
        (["other-api/talk"], []),
    ],
)
def test_only_known_scopes_of_a_known_api_are_granted(requested: list[str], granted: list[str]) -> None:
    assert read_directory(CONFIG).granted_scopes(requested)[1] == granted
