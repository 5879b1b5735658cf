"""Who may import whom: the contracts hold, and could fail."""

from __future__ import annotations

import ast
import configparser
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

CHECKOUT = Path(__file__).parents[2]
LINT_IMPORTS = Path(sys.executable).with_name("lint-imports")
_FOR_ORCHESTRATORS = (
    "__future__",
    "azure.durable_functions",
    "collections.abc",
    "datetime",
    "functions.names",
    "functions.orchestrators",
    "shared.domain",
    "typing",
)


def lint(folder: Path) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        [LINT_IMPORTS, "--no-cache"],
        cwd=folder,
        env={"PYTHONPATH": str(folder), "PATH": ""},
        capture_output=True,
        text=True,
        timeout=60,
        check=False,
    )


def imports_of(file: Path) -> set[str]:
    """Full names of what a module imports, names out of packages included."""
    found: set[str] = set()
    for node in ast.walk(ast.parse(file.read_text())):
        if isinstance(node, ast.Import):
            found |= {alias.name for alias in node.names}
        elif isinstance(node, ast.ImportFrom) and node.module:
            found |= {f"{node.module}.{alias.name}" for alias in node.names}
    return found


def test_all_contracts_are_kept() -> None:
    done = lint(CHECKOUT)
    assert done.returncode == 0, done.stdout


VIOLATIONS = [
    ("shared/domain/audio.py", "shared.ports.clock", "imports point inward"),
    ("shared/domain/audio.py", "time", "time is an argument"),
    ("shared/use_cases/hear.py", "httpx", "knows no SDK"),
    ("shared/use_cases/hear.py", "shared.settings", "only composition reads settings"),
    ("shared/adapters/web/media.py", "shared.adapters.twilio.media_codec", "vendors do not know"),
    ("functions/api/calls.py", "shared.adapters.postgres.pool", "only through composition"),
    ("functions/api/calls.py", "functions.realtime.events", "trigger rooms"),
    ("functions/api/calls.py", "local_stack.redis", "the app never uses it"),
    ("functions/orchestrators/call.py", "random", "orchestrators know only"),
    ("local_stack/redis/__init__.py", "shared.domain.audio", "know nothing of the app"),
]


@pytest.fixture(scope="module")
def said_of_violations(tmp_path_factory: pytest.TempPathFactory) -> str:
    """What the linter says of a copy of the app in which every contract is broken."""
    folder = tmp_path_factory.mktemp("copy")
    for name in ("functions", "shared"):
        shutil.copytree(CHECKOUT / name, folder / name, ignore=shutil.ignore_patterns("__pycache__", "static"))
    for name in ("local_stack", "local_stack/redis", "benchmarks"):
        (folder / name).mkdir()
        (folder / name / "__init__.py").touch()
    for file, module, _ in VIOLATIONS:
        with (folder / file).open("a") as source:
            source.write(f"\nimport {module}\n")
    shutil.copy(CHECKOUT / ".importlinter", folder)
    done = lint(folder)
    assert done.returncode == 1, done.stderr
    return " ".join(done.stdout.split())


@pytest.mark.parametrize(("file", "module", "contract"), VIOLATIONS)
def test_each_contract_can_be_broken(said_of_violations: str, file: str, module: str, contract: str) -> None:
    summary, _, details = said_of_violations.partition("Broken contracts")
    importer = file.removesuffix(".py").removesuffix("/__init__").replace("/", ".")
    assert f"{importer} -> {module} (l." in details
    assert any(contract in title.rpartition(" KEPT ")[2] for title in summary.split(" BROKEN")[:-1]), summary


def test_every_package_of_ours_is_linted() -> None:
    parser = configparser.ConfigParser()
    parser.read(CHECKOUT / ".importlinter")
    linted = set(parser["importlinter"]["root_packages"].split())
    packages = {path.parent.name for path in CHECKOUT.glob("*/__init__.py")} - {"tests", "infra"}
    assert packages == linted


def test_orchestrators_import_nothing_else_at_all() -> None:
    files = sorted((CHECKOUT / "functions/orchestrators").glob("*.py"))
    assert {file.stem for file in files} >= {"call", "turn", "wrap_up", "steps"}
    for file in files:
        for name in imports_of(file):
            allowed = any(name == prefix or name.startswith(f"{prefix}.") for prefix in _FOR_ORCHESTRATORS)
            allowed = (
                allowed
                or name == "functions.orchestrators"
                or name in ("functions.names", "functions.orchestrators.steps")
            )
            assert allowed, f"{file.name} imports {name}"


def test_media_of_clients_and_of_carriers_share_no_vendor_code() -> None:
    for file in (CHECKOUT / "shared/adapters/web").glob("*.py"):
        assert not any(".twilio" in name or ".web_pubsub" in name for name in imports_of(file)), file.name


def test_infrastructure_knows_no_use_case() -> None:
    for file in (CHECKOUT / "infra").rglob("*.py"):
        names = imports_of(file)
        assert not any(name.startswith(("functions", "local_stack", "shared.use_cases")) for name in names), file
