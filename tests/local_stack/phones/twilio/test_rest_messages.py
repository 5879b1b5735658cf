"""Text messages are taken as the carrier takes them, told of afterwards, and refused in its numbers."""

from __future__ import annotations

import pytest

from tests.local_stack.phones.twilio.test_rest import error_of
from tests.local_stack.phones.twilio.test_rest_more import carrier

FORM = {"To": "+15550100001", "From": "+15550100009", "Body": "Grüße"}


async def test_a_message_is_taken_and_found_again() -> None:
    async with carrier() as twilio:
        response = await twilio.post("/Messages.json", **FORM)
        sent = await response.json()
        assert (response.status, sent["status"], sent["body"], sent["num_segments"]) == (201, "queued", "Grüße", "1")
        assert sent["sid"].startswith("SM")
        await twilio.post("/Messages.json", **FORM | {"To": "+15550100002"})
        listed = (await twilio.get("/Messages.json", To="+15550100001"))["messages"]
        assert [each["sid"] for each in listed] == [sent["sid"]]
        assert (await twilio.get(f"/Messages/{sent['sid']}.json"))["status"] == "delivered"


@pytest.mark.parametrize(
    ("change", "code"),
    [
        ({"To": ""}, 21604),
        ({"To": "5550100"}, 21211),
        ({"From": ""}, 21603),
        ({"From": "Acme Ltd"}, 21212),
        ({"Body": ""}, 21602),
        ({"Body": "x" * 1601}, 21617),
    ],
)
async def test_what_is_wrong_is_refused(change: dict[str, str], code: int) -> None:
    async with carrier() as twilio:
        response = await twilio.post("/Messages.json", **FORM | change)
        assert await error_of(response) == (400, code)
        assert (await twilio.get("/Messages.json"))["messages"] == []
