"""The REST APIs of Amazon Connect and Kinesis Video Streams, as far as calls need them.

Source: botocore's service models `connect`, `kinesisvideo` and `kinesis-video-media`.
"""

from __future__ import annotations

import asyncio
import json
import time
from collections.abc import Awaitable, Callable
from typing import Any, Final

from aiohttp import web

from local_stack.phones.connect.book import ContactBook, Entry
from local_stack.phones.connect.misbehaviour import Misbehaviour
from local_stack.phones.connect.options import ContactOptions
from local_stack.phones.connect.sigv4 import NotSigned, aws_error, check_signature, refusal
from local_stack.phones.lines import is_phone_number
from local_stack.phones.moods import Moods
from local_stack.phones.people import CalledPerson

_LONGEST_TOKEN: Final = 500
_MOST_ATTRIBUTES_BYTES: Final = 32_768
_STREAM_SILENCE_S: Final = 8.0
_BREAKS_OFF_AFTER: Final = 8
_NO_ANSWER_S: Final = 30.0
Deed = Callable[[web.Request, dict[str, Any]], Awaitable[web.StreamResponse]]


class AwsError(Exception):
    def __init__(self, status: int, kind: str, message: str) -> None:
        super().__init__(message)
        self.status = status
        self.kind = kind


def add_routes(app: web.Application, book: ContactBook) -> None:
    """`PUT /_local/connect/moods` says how the next requests fare (`moods.MOODS`)."""
    api = _Api(book)
    app.router.add_put("/contact/outbound-voice", api.signed("connect", api.dial))
    app.router.add_post("/contact/stop", api.signed("connect", api.stop))
    app.router.add_post("/contact/attributes", api.signed("connect", api.set_attributes))
    app.router.add_get("/contact/attributes/{instance}/{contact}", api.signed("connect", api.attributes))
    app.router.add_get("/contacts/{instance}/{contact}", api.signed("connect", api.describe))
    for name in ("start", "stop", "suspend", "resume"):
        app.router.add_post(f"/contact/{name}-recording", api.signed("connect", api.recording(name)))
    app.router.add_post("/getDataEndpoint", api.signed("kinesisvideo", api.data_endpoint))
    app.router.add_put("/_local/connect/moods", api.moods.set)
    app.router.add_post("/getMedia", api.signed("kinesisvideo", api.media))


class _Api:
    def __init__(self, book: ContactBook) -> None:
        self._book = book
        self.moods = Moods()

    def signed(self, service: str, deed: Deed) -> Callable[[web.Request], Awaitable[web.StreamResponse]]:
        account = self._book.account

        async def answer(request: web.Request) -> web.StreamResponse:
            async def done(request: web.Request) -> web.StreamResponse:
                body = json.loads(await request.read() or b"{}")
                if not isinstance(body, dict):
                    raise AwsError(400, "InvalidRequestException", "the body is no object")
                return await deed(request, body)

            try:
                given = await check_signature(request, account.access_key_id, account.secret_access_key, time.time())
                if given != service:
                    raise NotSigned("InvalidSignatureException", f"Credential should be scoped to {service}")
                return await self.moods.handle(request, done, _as_told)
            except NotSigned as error:
                return refusal(error)
            except ValueError as error:
                return aws_error(400, "InvalidRequestException", str(error))
            except AwsError as error:
                return aws_error(error.status, error.kind, str(error))

        return answer

    async def dial(self, request: web.Request, body: dict[str, Any]) -> web.StreamResponse:
        self._check_instance(body.get("InstanceId"))
        account, token = self._book.account, str(body.get("ClientToken") or "")
        if body.get("ContactFlowId") != account.flow_id:
            raise AwsError(404, "ResourceNotFoundException", "there is no such flow")
        numbers = (str(body.get("DestinationPhoneNumber")), str(body.get("SourcePhoneNumber")))
        ring_s = body.get("RingTimeoutInSeconds", 60)
        if not all(map(is_phone_number, numbers)) or len(token) > _LONGEST_TOKEN or not 15 <= ring_s <= 60:
            raise AwsError(400, "InvalidParameterException", "a number, the token or the time is malformed")
        if body.get("AnswerMachineDetectionConfig") and body.get("TrafficType") != "CAMPAIGN":
            raise AwsError(400, "InvalidParameterException", "machines are detected for campaigns only")
        if token and (known := self._book.find(self._book.dialled.get(token, ""))) is not None:
            known.call.log.add("dial_asked", answered=True)
            return web.json_response({"ContactId": self._book.dialled[token]})
        person = self._book.setup.people.get(numbers[0], CalledPerson())
        options = ContactOptions(
            customer=numbers[0],
            system=numbers[1],
            app_url=self._book.setup.app_url,
            is_outbound=True,
            attributes=_texts(body.get("Attributes")),
            callee=person.callee,
            ring_ms=person.ring_ms,
            ring_timeout_ms=ring_s * 1000,
            utterances=person.utterances,
            plan=person.plan,
            misbehaviours=frozenset(way for way in Misbehaviour if way in person.misbehaviours),
        )
        contact_id = self._book.start(options).get_name()
        if token:
            self._book.dialled[token] = contact_id
        is_lost = Misbehaviour.DIAL_ANSWER_LOST in options.misbehaviours
        if (entry := self._book.find(contact_id)) is not None:
            entry.call.log.add("dial_asked", answered=not is_lost)
        if is_lost:
            await asyncio.sleep(_NO_ANSWER_S)
        return web.json_response({"ContactId": contact_id})

    async def stop(self, request: web.Request, body: dict[str, Any]) -> web.StreamResponse:
        self._check_instance(body.get("InstanceId"))
        self._running(body.get("ContactId")).call.stop("API")
        return web.json_response({})

    async def set_attributes(self, request: web.Request, body: dict[str, Any]) -> web.StreamResponse:
        """The flow is not woken by it."""
        self._check_instance(body.get("InstanceId"))
        contact = self._known(body.get("InitialContactId")).call.contact
        changed = contact.attributes | _texts(body.get("Attributes"))
        if len(json.dumps(changed).encode()) > _MOST_ATTRIBUTES_BYTES:
            raise AwsError(400, "InvalidRequestException", "a contact's attributes have at most 32 KB")
        contact.attributes = changed
        return web.json_response({})

    async def attributes(self, request: web.Request, body: dict[str, Any]) -> web.StreamResponse:
        self._check_instance(request.match_info["instance"])
        contact = self._known(request.match_info["contact"]).call.contact
        return web.json_response({"Attributes": contact.attributes})

    async def describe(self, request: web.Request, body: dict[str, Any]) -> web.StreamResponse:
        self._check_instance(request.match_info["instance"])
        return web.json_response({"Contact": self._known(request.match_info["contact"]).call.contact.described()})

    def recording(self, what: str) -> Deed:
        """Recording of the flow's own part. It is started once; to begin again it is resumed."""
        from_to = {
            "start": ({""}, "AVAILABLE"),
            "stop": ({"AVAILABLE", "SUSPENDED"}, "STOPPED"),
            "suspend": ({"AVAILABLE"}, "SUSPENDED"),
            "resume": ({"SUSPENDED"}, "AVAILABLE"),
        }

        async def deed(request: web.Request, body: dict[str, Any]) -> web.StreamResponse:
            self._check_instance(body.get("InstanceId"))
            call = self._running(body.get("ContactId")).call
            contact = call.contact
            allowed, after = from_to[what]
            if contact.ivr_recording not in allowed:
                raise AwsError(
                    400, "InvalidRequestException", f"the recording is {contact.ivr_recording or 'not begun'}"
                )
            contact.ivr_recording = after
            call.log.add("recording_told", now=after)
            return web.json_response({})

        return deed

    async def data_endpoint(self, request: web.Request, body: dict[str, Any]) -> web.StreamResponse:
        if body.get("APIName") != "GET_MEDIA" or body.get("StreamARN") not in self._book.streams.streams:
            raise AwsError(404, "ResourceNotFoundException", "there is no such stream")
        return web.json_response({"DataEndpoint": f"http://{request.host}"})

    async def media(self, request: web.Request, body: dict[str, Any]) -> web.StreamResponse:
        """The fragments after a number, as they come, for as long as any come."""
        stream = self._book.streams.streams.get(str(body.get("StreamARN")))
        if stream is None:
            raise AwsError(404, "ResourceNotFoundException", "there is no such stream")
        selector = body.get("StartSelector") or {}
        response = web.StreamResponse(headers={"Content-Type": "video/webm"})
        await response.prepare(request)
        given = 0
        async for each in stream.read(_after(selector, stream.next_number), _STREAM_SILENCE_S):
            given += 1
            if given > _BREAKS_OFF_AFTER and Misbehaviour.SOUND_BREAKS_OFF in stream.ways:
                await response.write(each.content[: len(each.content) // 2])
                if request.transport is not None:
                    request.transport.abort()
                return response
            await response.write(each.content)
        return response

    def _check_instance(self, instance_id: Any) -> None:
        if instance_id != self._book.account.instance_id:
            raise AwsError(404, "ResourceNotFoundException", "there is no such instance")

    def _known(self, contact_id: Any) -> Entry:
        entry = self._book.find(str(contact_id))
        if entry is None:
            raise AwsError(404, "ResourceNotFoundException", "there is no such contact")
        return entry

    def _running(self, contact_id: Any) -> Entry:
        entry = self._known(contact_id)
        if entry.task.done() or entry.call.contact.ended_ms is not None:
            raise AwsError(410, "ContactNotFoundException", "the contact is over")
        return entry


def _as_told(status: int) -> web.Response:
    kind = "TooManyRequestsException" if status == web.HTTPTooManyRequests.status_code else "InternalServiceException"
    return aws_error(status, kind, "the simulator was told to answer so")


def _after(selector: dict[str, Any], newest: int) -> int:
    """The number after which fragments are given. Raises: AwsError."""
    match selector.get("StartSelectorType"):
        case "NOW":
            return newest - 1
        case "EARLIEST":
            return 0
        case "FRAGMENT_NUMBER":
            return int(selector["AfterFragmentNumber"]) - 1
        case "CONTINUATION_TOKEN":
            return int(selector["ContinuationToken"])
        case kind:
            raise AwsError(400, "InvalidArgumentException", f"{kind} is no way to begin")


def _texts(given: Any) -> dict[str, str]:
    """Raises: AwsError."""
    if not isinstance(given or {}, dict) or not all(isinstance(value, str) for value in (given or {}).values()):
        raise AwsError(400, "InvalidParameterException", "attributes are texts")
    return dict(given or {})
