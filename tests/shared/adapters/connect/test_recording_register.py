"""Connect puts recordings into its customer's bucket, and tells where once a contact is over."""

from __future__ import annotations

from typing import Any

import pytest
from aiohttp import web

from shared.domain.errors import TelephonyError
from tests.contracts.call_controls import connect_control
from tests.contracts.speech_service import stub_service

PLACE = {"StorageType": "S3", "Location": "bucket/ivr/c.wav", "MediaStreamType": "AUDIO"}


async def located(contact: Any, status: int = 200) -> str:
    async def describe(request: web.Request) -> web.Response:
        assert (request.method, request.path) == ("GET", "/contacts/instance-1/contact-1")
        return web.json_response({"Contact": contact}, status=status)

    async with stub_service(describe) as service:
        return await connect_control(service.url).locate("contact-1")


async def test_the_sound_of_the_contact() -> None:
    video = PLACE | {"MediaStreamType": "VIDEO"}
    live = PLACE | {"StorageType": "KINESIS_VIDEO_STREAM"}
    assert await located({"Recordings": [video, live, PLACE]}) == "s3://bucket/ivr/c.wav"


@pytest.mark.parametrize(
    "contact", [{}, None, {"Recordings": None}, {"Recordings": [7]}, {"Recordings": [PLACE | {"Location": ""}]}]
)
async def test_there_may_be_none_yet(contact: Any) -> None:
    assert await located(contact) == ""


async def test_who_does_not_answer_is_asked_later() -> None:
    with pytest.raises(TelephonyError) as raised:
        await located({}, status=500)
    assert raised.value.retryable
