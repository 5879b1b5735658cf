"""The hooks that run after the app was deployed, with a stand-in for the Azure CLI."""

from __future__ import annotations

import json
import shutil
import subprocess
import threading
from collections.abc import Iterator
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path

import pytest

from shared.adapters.aes_gcm.vault import read_keys
from tests.infra.bicep_source import ROOT

HOOKS = ROOT / "infra" / "hooks"


class _App(BaseHTTPRequestHandler):
    """Is alive, and agrees to the handshake of each hub unless told otherwise."""

    origins: list[str]
    agrees = True

    def do_GET(self) -> None:
        self.send_response(200 if self.path == "/api/health/live" else 404)
        self.end_headers()

    def do_OPTIONS(self) -> None:
        type(self).origins.append(f"{self.path} {self.headers['WebHook-Request-Origin']}")
        self.send_response(200)
        if self.agrees:
            self.send_header("WebHook-Allowed-Origin", "*")
        self.end_headers()

    def log_message(self, *_: object) -> None:
        """Nothing: the tests look at what was asked."""


@pytest.fixture
def app() -> Iterator[tuple[str, type[_App]]]:
    """An app on a port of its own, and the class that says how it answers."""
    handler = type("_AppOfTest", (_App,), {"origins": []})
    server = ThreadingHTTPServer(("127.0.0.1", 0), handler)
    thread = threading.Thread(target=server.serve_forever, daemon=True)
    thread.start()
    yield f"http://127.0.0.1:{server.server_port}", handler
    server.shutdown()
    server.server_close()


@pytest.fixture
def cli(tmp_path: Path) -> Path:
    """A folder with an `az` that notes how it was called; it fails where `az-fails` lies beside it."""
    az = tmp_path / "az"
    az.write_text(f'#!/bin/sh\necho "$*" >> {tmp_path}/calls\n[ ! -e {tmp_path}/az-fails ] && echo /id\n')
    az.chmod(0o755)
    return tmp_path


def _run(hook: str, cli: Path, *arguments: str, **environment: str) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        ["sh", str(HOOKS / hook), *arguments],
        env={"PATH": f"{cli}:/usr/local/bin:/usr/bin:/bin", **environment},
        capture_output=True,
        text=True,
        timeout=30,
        check=False,
    )


def _register(cli: Path, uri: str) -> subprocess.CompletedProcess[str]:
    return _run(
        "register-hubs.sh",
        cli,
        AZURE_RESOURCE_GROUP="rg-test",
        SERVICE_APP_URI=uri,
        SERVICE_APP_HOST_NAME="app.example.com",
        WEB_PUBSUB_NAME="wps-test",
        WEB_PUBSUB_HOST_NAME="wps-test.webpubsub.azure.com",
        WEB_PUBSUB_CLIENT_HUB="clients",
        WEB_PUBSUB_CARRIER_HUB="carriers",
        WEB_PUBSUB_RELAY_HUB="relays",
        WEB_PUBSUB_VONAGE_HUB="vonage",
        UPSTREAM_APP_ID="11111111-2222-3333-4444-555555555555",
    )


def test_hubs_are_registered_when_the_app_agrees(app: tuple[str, type[_App]], cli: Path) -> None:
    uri, handler = app
    run = _register(cli, uri)
    assert run.returncode == 0, run.stderr
    assert handler.origins == [
        f"/api/realtime/events/{hub}/validate wps-test.webpubsub.azure.com"
        for hub in ("clients", "carriers", "relays", "vonage")
    ]
    calls = (cli / "calls").read_text()
    assert "deployment group create --resource-group rg-test --name hubs" in calls
    assert f"--template-file {ROOT}/infra/bicep/hubs.bicep" in calls
    assert "appHostName=app.example.com upstreamAppId=11111111-2222-3333-4444-555555555555" in calls


def test_nothing_is_registered_when_the_app_does_not_agree(app: tuple[str, type[_App]], cli: Path) -> None:
    uri, handler = app
    handler.agrees = False
    run = _register(cli, uri)
    assert run.returncode == 1
    assert "does not answer the handshake of hub clients" in run.stderr
    assert not (cli / "calls").exists()


def _check_secret(cli: Path) -> subprocess.CompletedProcess[str]:
    return _run(
        "check-secret.sh",
        cli,
        KEY_VAULT_NAME="kv-test",
        AZURE_RESOURCE_GROUP="rg-test",
        SERVICE_APP_NAME="func-test",
    )


def test_secret_is_looked_for_and_looked_up_again(cli: Path) -> None:
    run = _check_secret(cli)
    assert run.returncode == 0, run.stderr
    calls = (cli / "calls").read_text()
    for name in ("twilio-auth-token", "sealing-keys"):
        assert f"--name {name} --query id" in calls, "its value is never printed"
    assert "/id/config/configreferences/appsettings/refresh" in calls


def test_missing_secret_stops_the_deployment(cli: Path) -> None:
    (cli / "az-fails").touch()
    run = _check_secret(cli)
    assert run.returncode == 1
    assert "az keyvault secret set --vault-name kv-test --name twilio-auth-token" in run.stderr


@pytest.fixture
def vault(tmp_path: Path) -> Path:
    """A folder with an `az` whose vault is the folder: `live` and `deleted` secrets; no answer where `away` lies."""
    az = tmp_path / "az"
    az.write_text(f"""#!/bin/sh
cd {tmp_path}
echo "$*" >> calls
[ ! -e away ] || exit 3
case "$3" in
    list) ls | grep -c '^live$' || true ;;
    list-deleted) ls | grep -c '^deleted$' || true ;;
    set) while [ "$1" != --file ]; do shift; done; cp "$2" live ;;
esac
""")
    az.chmod(0o755)
    return tmp_path


def _make_key(vault: Path) -> subprocess.CompletedProcess[str]:
    return _run("make-sealing-key.sh", vault, "2", "0", KEY_VAULT_NAME="kv-test")


def test_the_key_for_sealing_is_made_once(vault: Path) -> None:
    run = _make_key(vault)
    assert run.returncode == 0, run.stderr
    first = (vault / "live").read_text()
    assert [len(key) for key in read_keys(first).values()] == [32]
    assert not any(key in run.stdout + (vault / "calls").read_text() for key in json.loads(first).values())
    assert _make_key(vault).returncode == 0
    assert (vault / "live").read_text() == first, "another one would make all that is sealed unreadable"


def test_a_key_for_sealing_that_was_deleted_is_brought_back_and_not_replaced(vault: Path) -> None:
    (vault / "deleted").touch()
    run = _make_key(vault)
    assert run.returncode == 1
    assert "az keyvault secret recover --vault-name kv-test --name sealing-keys" in run.stderr
    assert not (vault / "live").exists()


def test_a_vault_that_does_not_answer_is_no_vault_without_a_key(vault: Path) -> None:
    (vault / "away").touch()
    run = _make_key(vault)
    assert run.returncode == 1
    assert "Key Vault Secrets Officer" in run.stderr
    assert (vault / "calls").read_text().count("secret list ") == 2
    assert "secret set" not in (vault / "calls").read_text()


@pytest.mark.parametrize("has_vault", [True, False])
def test_where_there_is_a_vault_the_key_comes_before_the_app_is_told_of_it(vault: Path, has_vault: bool) -> None:
    for tool in ("npm", "curl", "openssl"):
        if shutil.which(tool) is None:
            (vault / tool).symlink_to("/bin/true")
    answers = dict.fromkeys(("DEPLOYER_NAME", "UPSTREAM_APP_ID", "AUTH_METADATA_URL", "AUTH_AUDIENCE"), "x")
    named = {"KEY_VAULT_NAME": "kv-test"} if has_vault else {}
    run = _run("check-parameters.sh", vault, TWILIO_ACCOUNT_SID="AC0", PYTHON="sh", **answers, **named)
    assert run.returncode == 0, run.stderr
    assert (vault / "live").exists() == has_vault
