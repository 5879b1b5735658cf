"""House rules for the Bicep files. All of it is a static check, not `bicep build`, and not a deployment."""

from __future__ import annotations

import json
import os
import re
import subprocess
import sys
from pathlib import Path
from typing import get_args

import pytest

from shared.domain.agents.after_call import Days
from tests.infra.bicep_source import (
    BICEP,
    HUBS,
    MAIN,
    ROOT,
    app_settings,
    bicep_files,
    block,
    code,
    parameters,
    resources,
)

# What must stand in the body of every resource of a type: no keys, no old TLS, no anonymous readers.
REQUIRED = {
    "Microsoft.Storage/storageAccounts": [
        "allowSharedKeyAccess: false",
        "allowBlobPublicAccess: false",
        "minimumTlsVersion: 'TLS1_2'",
        "supportsHttpsTrafficOnly: true",
    ],
    "Microsoft.Storage/storageAccounts/blobServices": ["deleteRetentionPolicy: { enabled: true"],
    "Microsoft.Storage/storageAccounts/blobServices/containers": ["publicAccess: 'None'"],
    "Microsoft.SignalRService/webPubSub": ["disableLocalAuth: true"],
    "Microsoft.CognitiveServices/accounts": ["disableLocalAuth: true", "customSubDomainName:"],
    "Microsoft.Insights/components": ["DisableLocalAuth: true"],
    "Microsoft.OperationalInsights/workspaces": ["disableLocalAuth: true"],
    "Microsoft.KeyVault/vaults": ["enableRbacAuthorization: true", "enablePurgeProtection: true"],
    "Microsoft.DBforPostgreSQL/flexibleServers": [
        "activeDirectoryAuth: 'Enabled'",
        "passwordAuth: 'Disabled'",
    ],
    "Microsoft.Cache/redisEnterprise": ["minimumTlsVersion: '1.2'"],
    "Microsoft.Cache/redisEnterprise/databases": [
        "clientProtocol: 'Encrypted'",
        "accessKeysAuthentication: 'Disabled'",
        "clusteringPolicy: 'NoCluster'",
    ],
    "Microsoft.Search/searchServices": ["disableLocalAuth: true"],
    "Microsoft.Web/sites": ["httpsOnly: true", "minTlsVersion: '1.2'", "ftpsState: 'Disabled'"],
    "Microsoft.DurableTask/schedulers": ["ipAllowlist: ["],
}

# Source: https://learn.microsoft.com/azure/role-based-access-control/built-in-roles
ROLES = {
    "b7e6dc6d-f1e8-4753-8033-0f276bb0955b": "Storage Blob Data Owner",
    "ba92f5b4-2d11-453d-a403-e96b0029c9fe": "Storage Blob Data Contributor",
    "0ad04412-c4d5-4796-b79c-f76d14c8d402": "Durable Task Data Contributor",
    "12cf5a90-567b-43ae-8102-96cf46c7d9b4": "Web PubSub Service Owner",
    "7ca78c08-252a-4471-8644-bb5ff32d4ba0": "Search Service Contributor",
    "8ebe5a00-799e-43f5-93ac-243d3dce84a7": "Search Index Data Contributor",
    "5e0bd9bd-7b93-4f28-af87-19fc36ad61bd": "Cognitive Services OpenAI User",
    "4633458b-17de-408a-b874-0445c86b69e6": "Key Vault Secrets User",
    "b86a8fe4-44ce-4948-aee5-eccb2c155cd7": "Key Vault Secrets Officer",
    "3913510d-42f4-4e42-8a64-420c390055eb": "Monitoring Metrics Publisher",
}

# Types whose logs or figures go to the workspace. The scheduler is missing: no log category is documented.
DIAGNOSED = {
    "Microsoft.Search/searchServices",
    "Microsoft.Storage/storageAccounts",
    "Microsoft.SignalRService/webPubSub",
    "Microsoft.CognitiveServices/accounts",
    "Microsoft.KeyVault/vaults",
    "Microsoft.DBforPostgreSQL/flexibleServers",
    "Microsoft.Cache/redisEnterprise",
    "Microsoft.Web/sites",
}

_SECRETIVE = re.compile(r"list\w*(Keys|Secrets|Credentials|Sas)\(|primaryKey|AccountKey|SharedAccess", re.I)
_GUID = re.compile(r"'([0-9a-f]{8}(?:-[0-9a-f]{4}){3}-[0-9a-f]{12})'")


def _bicheck() -> Path | None:
    """The static checker: where BICHECK says, or beside the checkout."""
    named = os.environ.get("BICHECK")
    program = Path(named) if named else ROOT.parent / "shared" / "tools" / "bicheck" / "bicheck.py"
    program = program / "bicheck.py" if program.is_dir() else program
    return program if program.is_file() else None


def test_static_checker_has_no_finding() -> None:
    program = _bicheck()
    if program is None:
        pytest.skip("the static checker is not here: set BICHECK to it")
    run = subprocess.run(
        [sys.executable, str(program), str(BICEP)], capture_output=True, text=True, timeout=120, check=False
    )
    assert (run.returncode, run.stdout.strip()) == (0, ""), f"static check, not bicep build:\n{run.stdout}"


@pytest.mark.parametrize("file", bicep_files(), ids=lambda file: file.name)
def test_no_key_is_ever_asked_for(file: Path) -> None:
    assert not _SECRETIVE.search(code(file))
    assert "@secure()" not in code(file), "a secret as a parameter would stand in the deployment's history"


@pytest.mark.parametrize("kind", sorted(REQUIRED))
def test_resource_is_locked_down(kind: str) -> None:
    of_kind = [resource for resource in resources() if resource.type == kind]
    assert of_kind, f"{kind} is not deployed any more: drop its rules"
    for resource in of_kind:
        missing = [text for text in REQUIRED[kind] if text not in resource.body]
        assert not missing, f"{resource.file.name}: {resource.symbol} lacks {missing}"


def test_no_deployment_makes_or_replaces_a_secret() -> None:
    """What was sealed under a key that a deployment replaced could never be read again."""
    assert not [r for r in resources(existing=True) if r.type.startswith("Microsoft.KeyVault/vaults/secrets")]
    assert not re.search(r"newGuid\(|utcNow\(", "".join(code(file) for file in bicep_files()))


def test_nothing_is_deleted_before_an_agents_days_are_over() -> None:
    longest = get_args(Days)[1].le
    given = re.search(r"^param recordingDays int = (\d+)$", code(MAIN), re.MULTILINE)
    assert given is not None
    assert int(given[1]) >= longest
    expiring = re.search(r"expiryDays: \{(.+)\}", code(MAIN))
    assert expiring is not None
    assert "documents" not in expiring[1], "documents stay until somebody deletes them"


def test_what_is_deleted_is_gone_after_the_days_of_soft_delete() -> None:
    storage = code(BICEP / "modules" / "storage.bicep")
    assert "version: { delete: { daysAfterCreationGreaterThan: softDeleteDays } }" in storage
    assert "rules: concat(expiries, forgetting)" in storage


def test_database_wants_tls() -> None:
    bodies = [r.body for r in resources() if r.type.endswith("flexibleServers/configurations")]
    assert any("'ssl_min_protocol_version'" in body and "'TLSv1.2'" in body for body in bodies)
    assert any("'require_secure_transport'" in body and "'on'" in body for body in bodies)


def test_deploying_with_a_password_is_off() -> None:
    policies = [r.body for r in resources() if r.type == "basicPublishingCredentialsPolicies"]
    assert len(policies) == 2
    assert all("allow: false" in body for body in policies)


def test_every_role_is_a_known_one_and_all_are_used() -> None:
    used = {match for file in bicep_files() for match in _GUID.findall(code(file))}
    assert used == set(ROLES)


def test_role_assignments_have_stable_names_and_narrow_scopes() -> None:
    assignments = [r for r in resources() if r.type == "Microsoft.Authorization/roleAssignments"]
    assert len(assignments) >= 7
    for assignment in assignments:
        assert "name: guid(" in assignment.body
        assert "principalType:" in assignment.body, "without it a fresh identity is not found"
        assert "scope:" in assignment.body, "a role on the whole group is too much"


@pytest.mark.parametrize("kind", sorted(DIAGNOSED))
def test_diagnostics_go_to_the_workspace(kind: str) -> None:
    for file in {r.file for r in resources() if r.type == kind}:
        settings = [r for r in resources() if r.file == file and r.type.endswith("/diagnosticSettings")]
        assert settings, f"{file.name} sends nothing to the workspace"
        assert all("workspaceId: workspaceId" in r.body for r in settings)


def test_audio_frames_are_not_logged_one_by_one() -> None:
    service = next(r for r in resources() if r.type == "Microsoft.SignalRService/webPubSub")
    for category in ("MessagingLogs", "HttpRequestLogs"):
        assert f"{{ name: '{category}', enabled: 'false' }}" in service.body


def test_only_released_api_versions() -> None:
    previews = {r.type for r in resources(existing=True) if r.version.endswith("preview")}
    assert previews <= {"Microsoft.Insights/diagnosticSettings"}, "it has had no other version since 2021"


def test_app_is_known_to_azd_and_signs_in_as_itself() -> None:
    site = next(r for r in resources() if r.type == "Microsoft.Web/sites")
    assert "'azd-service-name': 'app'" in site.body
    assert "keyVaultReferenceIdentity: identityId" in site.body
    assert "UserAssignedIdentity" in site.body


class TestHubs:
    """The two doors for audio; they are registered in a second stage, when the app answers."""

    def test_carriers_may_come_without_token_and_clients_may_not(self) -> None:
        policies = {
            r.symbol: re.findall(r"anonymousConnectPolicy: '(\w+)'", r.body)
            for r in resources()
            if r.type == "Microsoft.SignalRService/webPubSub/hubs"
        }
        assert policies == {"clients": ["deny"], "carriers": ["allow"], "relays": ["allow"], "vonage": ["deny"]}

    def test_both_have_the_handler_with_connect_and_identity(self) -> None:
        handler = block(code(HUBS), code(HUBS).index("var handler"))
        assert "urlTemplate: 'https://${appHostName}/api/realtime/events/{hub}/{event}'" in handler
        assert "userEventPattern: '*'" in handler
        assert "systemEvents: ['connect', 'connected', 'disconnected']" in handler
        assert "type: 'ManagedIdentity'" in handler
        assert "managedIdentity: { resource: upstreamAppId }" in handler
        hubs = [r for r in resources() if r.type.endswith("webPubSub/hubs")]
        assert all("eventHandlers: [handler]" in hub.body for hub in hubs)

    def test_first_stage_does_not_register_them(self) -> None:
        assert "hubs.bicep" not in code(MAIN)
        assert not [r for r in resources() if r.type.endswith("/hubs") and r.file != HUBS]

    def test_app_and_handler_agree_on_the_audience(self) -> None:
        assert app_settings()["WEB_PUBSUB_UPSTREAM_AUDIENCE"] == "upstreamAppId"


class TestParameters:
    """main.parameters.json is what azd fills in from its environment."""

    given = json.loads((BICEP / "main.parameters.json").read_text())["parameters"]

    def test_all_are_parameters_of_main(self) -> None:
        assert set(self.given) <= set(parameters(MAIN))

    def test_none_that_is_needed_is_missing(self) -> None:
        assert {name for name, needed in parameters(MAIN).items() if needed} <= set(self.given)

    def test_none_holds_a_value_of_its_own(self) -> None:
        assert all(re.fullmatch(r"\$\{.+\}", entry["value"]) for entry in self.given.values())

    def test_every_parameter_of_main_is_described(self) -> None:
        text = MAIN.read_text()
        for name in parameters(MAIN):
            before = text[: text.index(f"\nparam {name} ")]
            decorators = before[before.rindex("\n\n") :]
            assert "@description(" in decorators, name
