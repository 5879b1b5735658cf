"""Begins, ends and records contacts by Amazon Connect's API; a transfer is for the flow, which asks us what to do.

Source: https://docs.aws.amazon.com/connect/latest/APIReference/, botocore's service model `connect`
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, NoReturn
from urllib.parse import quote

from shared.adapters.connect.aws_api import AwsApi, AwsAway, AwsRefused
from shared.adapters.connect.documents import text
from shared.adapters.connect.flow_events import OUR_CALL
from shared.domain.errors import Conflict, TelephonyError
from shared.domain.telephony.commands import Dial, DialUncertain, SendKeys, Transfer
from shared.domain.telephony.lines import Capability, Line, Unsupported
from shared.domain.telephony.progress import CallState

_LONGEST_ADDRESS = 2000
_OVER = frozenset({"ContactNotFoundException", "ResourceNotFoundException"})
_RING_S = (15, 60)
"""Of `RingTimeoutInSeconds`."""
_NEVER_JOINED = {"SIT_TONE_BUSY": CallState.BUSY, "AMD_UNANSWERED": CallState.NO_ANSWER}


class ConnectCallControl:
    """Fills the port `CallControl`. `flow_id`: the flow that a call runs which we dial."""

    capabilities = frozenset(
        {Capability.HANG_UP, Capability.OUTBOUND, Capability.IDEMPOTENT_DIAL, Capability.RECORDING}
    )

    def __init__(self, api: AwsApi, *, instance_id: str, flow_id: str) -> None:
        self._api = api
        self._instance_id = instance_id
        self._flow_id = flow_id

    async def hang_up(self, provider_call_id: str) -> None:
        try:
            await self._post("StopContact", "/contact/stop", {"ContactId": provider_call_id})
        except AwsRefused as error:
            if error.name not in _OVER:
                raise

    async def transfer(self, provider_call_id: str, transfer: Transfer) -> NoReturn:
        """Only the flow can, with what its next question is answered."""
        raise Unsupported(Line.CONNECT, Capability.WARM_TRANSFER if transfer.whisper else Capability.COLD_TRANSFER)

    async def send_keys(self, provider_call_id: str, keys: SendKeys) -> NoReturn:
        raise Unsupported(Line.CONNECT, Capability.KEYS_OUT)

    async def leave_message(self, provider_call_id: str, text: str, *, language: str) -> NoReturn:
        raise Unsupported(Line.CONNECT, Capability.VOICEMAIL_DETECTION)

    async def record(self, provider_call_id: str, *, on: bool) -> None:
        """What the flow says and hears. It is begun once in a call; after that it is suspended and resumed."""
        which = {"ContactId": provider_call_id, "InitialContactId": provider_call_id}
        known = {**which, "ContactRecordingType": "IVR"}
        try:
            if not on:
                await self._suspend(known)
                return
            begin = {**which, "VoiceRecordingConfiguration": {"IvrRecordingTrack": "ALL"}}
            try:
                await self._post("StartContactRecording", "/contact/start-recording", begin)
            except AwsRefused as error:
                if error.name != "InvalidRequestException":
                    raise
                await self._post("ResumeContactRecording", "/contact/resume-recording", known)
        except AwsRefused as error:
            if error.name in _OVER:
                raise Conflict("call_ended", "the call has ended already") from error
            raise

    async def _suspend(self, known: Mapping[str, str]) -> None:
        try:
            await self._post("SuspendContactRecording", "/contact/suspend-recording", known)
        except AwsRefused as error:
            if error.name != "InvalidRequestException":  # which says that nothing is being recorded
                raise

    async def dial(self, dial: Dial) -> str:
        """Safe to be asked again for seven days: one attempt makes one call."""
        try:
            return await self._dial(dial)
        except AwsAway as error:
            if not error.was_sent:
                raise
            raise DialUncertain(str(error)) from error
        except AwsRefused as error:
            if error.status >= 500:
                raise DialUncertain(str(error)) from error
            raise

    async def find_dialled(self, dial: Dial) -> str | None:
        """Asked for again, the same attempt gives the same call; where it had not begun, it begins now, once."""
        return await self._dial(dial)

    async def _dial(self, dial: Dial) -> str:
        if not self._flow_id:
            raise TelephonyError("connect_flow_unknown", "CONNECT_FLOW_ID is not set")
        least, most = _RING_S
        answer = await self._api.ask(
            "StartOutboundVoiceContact",
            "PUT",
            "/contact/outbound-voice",
            {
                "InstanceId": self._instance_id,
                "ContactFlowId": self._flow_id,
                "DestinationPhoneNumber": dial.to,
                "SourcePhoneNumber": dial.caller_id,
                "ClientToken": dial.attempt_id,
                "Attributes": {OUR_CALL: dial.call_id},
                "RingTimeoutInSeconds": min(max(dial.ring_s, least), most),
                "TrafficType": "GENERAL",
            },
        )
        contact_id = text(answer, "ContactId")
        if not contact_id:
            raise TelephonyError("aws_answer", "StartOutboundVoiceContact: no ContactId")
        return contact_id

    async def state_of(self, provider_call_id: str) -> CallState | None:
        """Contact events may be lost: this tells what has become of the contact."""
        try:
            contact = await self._described(provider_call_id)
        except TelephonyError:
            return None
        return _state(contact) if contact else None

    async def locate(self, provider_call_id: str) -> str:
        """Fills the port `RecordingRegister`: the bucket of S3 is the one that the instance is set up with."""
        recordings = (await self._described(provider_call_id)).get("Recordings")
        for recording in recordings if isinstance(recordings, list) else ():
            if not isinstance(recording, dict) or recording.get("StorageType") != "S3":
                continue
            if recording.get("MediaStreamType") == "AUDIO" and (location := text(recording, "Location")):
                return f"s3://{location}"[:_LONGEST_ADDRESS]
        return ""

    async def _described(self, provider_call_id: str) -> Mapping[str, Any]:
        """Raises: TelephonyError."""
        path = f"/contacts/{quote(self._instance_id, safe='')}/{quote(provider_call_id, safe='')}"
        contact = (await self._api.ask("DescribeContact", "GET", path)).get("Contact")
        return contact if isinstance(contact, dict) else {}

    async def _post(self, operation: str, path: str, body: Mapping[str, Any]) -> None:
        await self._api.ask(operation, "POST", path, {"InstanceId": self._instance_id, **body})


def _state(contact: Mapping[str, Any]) -> CallState:
    """Moments are Unix seconds, or missing."""
    is_joined, is_over = contact.get("ConnectedToSystemTimestamp"), contact.get("DisconnectTimestamp")
    if is_over:
        is_outbound = contact.get("InitiationMethod") in ("API", "OUTBOUND")
        if is_joined or not is_outbound:
            return CallState.COMPLETED
        return _NEVER_JOINED.get(str(contact.get("AnsweringMachineDetectionStatus")), CallState.NO_ANSWER)
    if is_joined:
        return CallState.IN_PROGRESS
    return CallState.RINGING if contact.get("RingStartTimestamp") else CallState.QUEUED
