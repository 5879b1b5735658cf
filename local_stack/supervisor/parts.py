"""The list of everything that makes up the local stack."""

from __future__ import annotations

import json
import os
import shutil
import sys
from pathlib import Path

from local_stack.supervisor.addresses import ROOT, Addresses, ConfigurationError
from local_stack.supervisor.app_settings import (
    API_AUDIENCE,
    CARRIER_HUB,
    CLIENT_HUB,
    ENTRA_TENANT_ID,
    RELAY_HUB,
    VONAGE_HUB,
    WEB_PUBSUB_IDENTITY,
    app_settings,
    own_settings,
)
from local_stack.supervisor.part import Part, Preparation, ReadyCheck
from local_stack.supervisor.stored_secrets import StoredSecrets

_DATASTORES = ("postgres", "redis", "azurite")
_ALLOCATION = {"MALLOC_ARENA_MAX": "2", "MALLOC_MMAP_THRESHOLD_": "131072", "MALLOC_TRIM_THRESHOLD_": "131072"}
"""Of the app: seconds of sound go back to the system at once, instead of leaving holes that last.
Source: https://man7.org/linux/man-pages/man3/mallopt.3.html
"""


def build_parts(addresses: Addresses, secrets: StoredSecrets) -> list[Part]:
    """Return all parts, datastores first.

    Raises:
        ConfigurationError: Core Tools are asked for and not installed, or one's own settings cannot be read.
    """
    return [
        *_datastores(addresses),
        _identity(addresses, secrets),
        _speech(addresses),
        _chroma(addresses),
        _web_pubsub(addresses),
        _phones(addresses, secrets),
        _app(addresses, secrets),
    ]


def build_preparations(addresses: Addresses, secrets: StoredSecrets) -> list[Preparation]:
    """Return what has to be done to the datastores before the app starts."""
    seed = str(ROOT / "local_stack" / "seed.json")
    return [
        Preparation(
            name="database",
            command=(sys.executable, "-m", "infra.database", "upgrade", "--seed", seed),
            environment=app_settings(addresses, secrets),
            after=("postgres",),
        )
    ]


def write_configuration(addresses: Addresses, secrets: StoredSecrets) -> None:
    """Write the files that parts read at their start."""
    from local_stack.web_pubsub.defaults import default_config, managed_identity_auth  # noqa: PLC0415

    auth = managed_identity_auth(
        f"{addresses.url('identity')}/entra/{ENTRA_TENANT_ID}/oauth2/v2.0/token",
        WEB_PUBSUB_IDENTITY,
        secrets.identity_client_secret,
        scope=f"{API_AUDIENCE}/.default",
        audience=API_AUDIENCE,
    )
    document = default_config(
        port=addresses.ports["web_pubsub"],
        app_base_url=addresses.url("app"),
        client_hub=CLIENT_HUB,
        carrier_hub=CARRIER_HUB,
        relay_hub=RELAY_HUB,
        vonage_hub=VONAGE_HUB,
        access_key=secrets.web_pubsub_key,
        auth=auth,
    )
    path = addresses.state_dir / "web_pubsub.json"
    path.touch(mode=0o600)
    path.write_text(json.dumps(document, indent=2), encoding="utf-8")


def _python(module: str, *arguments: object) -> tuple[str, ...]:
    return (sys.executable, "-m", f"local_stack.{module}", *map(str, arguments))


def _datastores(addresses: Addresses) -> list[Part]:
    ports, state = addresses.ports, addresses.state_dir
    azurite = {name: ports[name] for name in ("azurite_blob", "azurite_queue", "azurite_table")}
    options = [item for name, port in azurite.items() for item in (f"--{name[8:]}-port", port)]
    return [
        Part(
            name="postgres",
            command=_python("postgres", "--port", ports["postgres"], "--state-dir", state / "postgres"),
            ports={"postgres": ports["postgres"]},
            ready=(ReadyCheck("postgres", ports["postgres"]),),
            address=f"postgresql://voice@127.0.0.1:{ports['postgres']}/voice",
            deadline_seconds=60,
        ),
        Part(
            name="redis",
            command=_python("redis", "--port", ports["redis"], "--state-dir", state / "redis"),
            ports={"redis": ports["redis"]},
            ready=(ReadyCheck("redis", ports["redis"]),),
            address=f"redis://127.0.0.1:{ports['redis']}/0",
        ),
        Part(
            name="azurite",
            command=_python("azurite", *options, "--state-dir", state / "azurite"),
            ports=azurite,
            ready=tuple(ReadyCheck("tcp", port) for port in azurite.values()),
            address=f"http://127.0.0.1:{ports['azurite_blob']}/devstoreaccount1",
        ),
    ]


def _identity(addresses: Addresses, secrets: StoredSecrets) -> Part:
    port = addresses.ports["identity"]
    return Part(
        name="identity",
        command=_python("identity", "--port", port, "--state-dir", addresses.state_dir / "identity"),
        ports={"identity": port},
        ready=(ReadyCheck("http", port),),
        address=addresses.url("identity"),
        environment={
            "LOCAL_IDENTITY_CLIENT_SECRET": secrets.identity_client_secret,
            "APP_PORT": str(addresses.ports["app"]),
        },
    )


def _speech(addresses: Addresses) -> Part:
    port = addresses.ports["speech"]
    return Part(
        name="speech",
        command=_python("speech", "--port", port, "--state-dir", addresses.state_dir),
        ports={"speech": port},
        ready=(ReadyCheck("http", port),),
        address=f"{addresses.url('speech')}/v1",
        deadline_seconds=90,
    )


def _chroma(addresses: Addresses) -> Part:
    port, state = addresses.ports["chroma"], addresses.state_dir
    return Part(
        name="chroma",
        command=_python("chroma", "--port", port, "--state-dir", state / "chroma", "--models-dir", state / "models"),
        ports={"chroma": port},
        ready=(ReadyCheck("http", port, "/api/v2/heartbeat"),),
        address=addresses.url("chroma"),
    )


def _web_pubsub(addresses: Addresses) -> Part:
    port = addresses.ports["web_pubsub"]
    config = addresses.state_dir / "web_pubsub.json"
    return Part(
        name="web_pubsub",
        command=_python("web_pubsub", "--port", port, "--config", config),
        ports={"web_pubsub": port},
        ready=(ReadyCheck("http", port),),
        address=addresses.url("web_pubsub", "ws"),
    )


def _phones(addresses: Addresses, secrets: StoredSecrets) -> Part:
    port = addresses.ports["phones"]
    return Part(
        name="phones",
        command=_python("phones", "--port", port, "--state-dir", addresses.state_dir),
        ports={"phones": port},
        ready=(ReadyCheck("http", port),),
        address=addresses.url("phones"),
        environment=app_settings(addresses, secrets) | {"LOCAL_SPEECH_PORT": str(addresses.ports["speech"])},
    )


def _app(addresses: Addresses, secrets: StoredSecrets) -> Part:
    port = addresses.ports["app"]
    environment = app_settings(addresses, secrets) | _ALLOCATION | own_settings(addresses.state_dir)
    if addresses.host == "func":
        program = shutil.which("func")
        if program is None:
            raise ConfigurationError("HOST=func wants Azure Functions Core Tools: install func, or leave HOST out")
        command: tuple[str, ...] = (program, "start", "--port", str(port))
        # Core Tools start the Python that they find first, and it has to be the one with our packages.
        environment["PATH"] = f"{Path(sys.executable).parent}{os.pathsep}{os.environ.get('PATH', '')}"
    else:
        command = _python("functions_host", "--port", port, "--state-dir", addresses.state_dir / "functions_host")
    return Part(
        name="app",
        command=command,
        ports={"app": port},
        ready=(ReadyCheck("http", port, "/admin/host/status"),),
        address=addresses.url("app"),
        environment=environment,
        after=(*_DATASTORES, "database", "identity"),
        deadline_seconds=60,
    )
