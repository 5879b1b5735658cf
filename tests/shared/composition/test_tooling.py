"""What an agent may do hangs together: its sources, and what the settings leave out."""

from __future__ import annotations

import pytest

from shared.composition import Services
from shared.domain.agents.tools import BuiltIn, BuiltInTool, HttpTool, Tools
from shared.domain.errors import InvalidRequest
from shared.settings import Settings
from tests.fakes.tools import an_agent
from tests.shared.composition.test_services import NEEDED

TOOLS = Tools(
    built_in=(BuiltInTool(name=BuiltIn.SEND_SMS), BuiltInTool(name=BuiltIn.TAKE_MESSAGE)),
    http=(HttpTool(name="order", description="d", url="https://shop.example/x", secret="shop"),),
)
SECRET = "0123456789abcdef0123456789abcdef"
TWILIO = {"TWILIO_ACCOUNT_SID": "AC" + "0" * 32, "TWILIO_AUTH_TOKEN": "t"}


@pytest.mark.parametrize(
    ("changes", "offered"),
    [
        ({}, ["take_message"]),
        (TWILIO, ["send_sms", "take_message"]),
        ({"TOOL_SECRETS": f'{{"acme": {{"shop": "{SECRET}"}}}}'}, ["take_message", "order"]),
        ({"TOOL_SECRETS": f'{{"globex": {{"shop": "{SECRET}"}}}}'}, ["take_message"]),
    ],
)
async def test_what_is_not_set_up_is_not_offered(changes: dict[str, str], offered: list[str]) -> None:
    box = Services(Settings.from_environment(NEEDED | changes)).tooling.tool_box
    assert [tool.name for tool in await box.tools(an_agent(tools=TOOLS))] == offered


def test_secrets_that_are_none_are_told() -> None:
    with pytest.raises(InvalidRequest):
        _ = Services(Settings.from_environment(NEEDED | {"TOOL_SECRETS": "[]"})).tooling.tool_box
