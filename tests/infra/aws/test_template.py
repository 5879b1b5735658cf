"""The template for AWS: what it refers to is there, and nobody may do more than is needed."""

from __future__ import annotations

import re
from pathlib import Path
from typing import Any

import yaml

FOLDER = Path(__file__).parents[3] / "infra" / "aws"
PSEUDO = {"AWS::AccountId", "AWS::Region", "AWS::Partition", "AWS::StackName"}


class Loader(yaml.SafeLoader):
    """Knows the short forms of CloudFormation's functions."""


def _function(loader: Loader, suffix: str, node: yaml.Node) -> dict[str, Any]:
    if isinstance(node, yaml.ScalarNode):
        return {suffix: loader.construct_scalar(node)}
    return {suffix: loader.construct_sequence(node) if isinstance(node, yaml.SequenceNode) else None}


Loader.add_multi_constructor("!", _function)
TEMPLATE = yaml.load((FOLDER / "template.yaml").read_text(), Loader)
RESOURCES: dict[str, Any] = TEMPLATE["Resources"]


def of_type(kind: str) -> dict[str, Any]:
    return {name: each["Properties"] for name, each in RESOURCES.items() if each["Type"] == kind}


def references(value: Any) -> list[str]:
    if isinstance(value, list):
        return [name for child in value for name in references(child)]
    if not isinstance(value, dict):
        return []
    found = []
    for key, child in value.items():
        if key == "Ref":
            found.append(child)
        elif key == "GetAtt":
            found.append(child.partition(".")[0])
        elif key == "Sub":
            found += [name.partition(".")[0] for name in re.findall(r"\$\{([^}]+)\}", child)]
        found += references(child)
    return found


def test_what_it_refers_to_is_there() -> None:
    known = {*RESOURCES, *TEMPLATE["Parameters"], *PSEUDO}
    assert {name for name in references(TEMPLATE) if name not in known} == set()
    assert set(TEMPLATE["Parameters"]) <= set(references(TEMPLATE)), "a parameter that nobody reads"


def test_the_function_is_the_one_that_ships() -> None:
    (function,) = of_type("AWS::Serverless::Function").values()
    module, _, name = function["Handler"].partition(".")
    source = (FOLDER / function["CodeUri"] / f"{module}.py").read_text()
    assert f"def {name}(event" in source
    assert function["Runtime"] == "python3.12"
    assert 8 < function["Timeout"] <= 30, "longer than a flow waits, and no longer than Lex does"
    assert set(function["Environment"]["Variables"]) == {"APP_URL", "APP_SECRET_ARN"}


def test_only_our_instance_and_our_bot_may_invoke_it() -> None:
    permissions = {each["Principal"]: each for each in of_type("AWS::Lambda::Permission").values()}
    assert set(permissions) == {"connect.amazonaws.com", "lexv2.amazonaws.com"}
    for each in permissions.values():
        assert each["SourceAccount"] == {"Ref": "AWS::AccountId"}
        assert each["SourceArn"]
    assert permissions["connect.amazonaws.com"]["SourceArn"] == {"Ref": "InstanceArn"}


def test_contact_events_of_our_instance_reach_it() -> None:
    (function,) = of_type("AWS::Serverless::Function").values()
    pattern = function["Events"]["ContactEvents"]["Properties"]["Pattern"]
    assert pattern["source"] == ["aws.connect"]
    assert pattern["detail-type"] == ["Amazon Connect Contact Event"]
    assert pattern["detail"]["instanceArn"] == [{"Ref": "InstanceArn"}]


def test_the_app_may_do_what_it_does_and_no_more() -> None:
    (user,) = of_type("AWS::IAM::User").values()
    statements = user["Policies"][0]["PolicyDocument"]["Statement"]
    allowed = {action for each in statements for action in each["Action"]}
    source = "".join(path.read_text() for path in (FOLDER.parents[1] / "shared/adapters/connect").glob("*.py"))
    asked = set(re.findall(r'"([A-Z][a-z]+[A-Za-z]*(?:Contact|Recording|DataEndpoint|Media))"', source)) - {"Contact"}
    assert {action.partition(":")[2] for action in allowed} == asked
    assert all("*" not in action for action in allowed)
    assert all(each["Resource"] != "*" for each in statements)


def test_no_secret_stands_in_an_output() -> None:
    assert "SecretAccessKey" not in str(TEMPLATE["Outputs"])
    assert {"FunctionArn", "BotAliasArn"} <= set(TEMPLATE["Outputs"])
