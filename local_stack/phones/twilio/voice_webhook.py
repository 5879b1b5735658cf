"""Where the next TwiML of a call comes from, and how the carrier asks for it."""

from __future__ import annotations

from dataclasses import dataclass, field

from local_stack.phones.twilio import twiml
from local_stack.phones.twilio.context import CallContext
from local_stack.phones.twilio.faults import CarrierFault
from local_stack.phones.twilio.forms import Fields, voice_fields
from local_stack.phones.twilio.misbehaviour import Misbehaviour
from local_stack.phones.twilio.signature import Signing
from local_stack.phones.twilio.verbs import Verb
from local_stack.phones.twilio.webhooks import PreparedRequest, WebhookSender


@dataclass(frozen=True)
class Source:
    """An address that is asked, or the document itself."""

    url: str | None = None
    method: str = "POST"
    document: str | None = None
    extra: Fields = field(default_factory=list)


class VoiceWebhook:
    """Fetches TwiML. Only the first request of a call misbehaves, and only it has a fallback address."""

    def __init__(self, context: CallContext, sender: WebhookSender) -> None:
        self._context = context
        self._sender = sender
        self._asked = False

    async def fetch(self, source: Source) -> list[Verb]:
        """Raises: CarrierFault."""
        if source.url is None:
            base_url = self._context.options.voice_url or ""
            verbs = twiml.parse((source.document or "").encode(), base_url)
        elif self._asked:
            request = self._request("voice", source, Signing.VALID)
            if Misbehaviour.REPEATED_WEBHOOKS in self._context.options.misbehaviours:
                await self._sender.send(request)
            verbs = await self._sender.fetch_twiml(request)
        else:
            self._asked = True
            verbs = await self._ask_first(source)
        self._context.log.add("twiml_read", verbs=[type(verb).__name__ for verb in verbs])
        return verbs

    async def _ask_first(self, source: Source) -> list[Verb]:
        options = self._context.options
        request = self._request("voice", source, self._signing())
        try:
            verbs = await self._sender.fetch_twiml(request)
        except CarrierFault as fault:
            if options.fallback_url is None:
                raise
            self._context.log.add("carrier_error", code=int(fault.code), message=fault.message)
            trouble = [("ErrorCode", str(int(fault.code))), ("ErrorUrl", source.url or "")]
            fallback = Source(options.fallback_url, extra=[*source.extra, *trouble])
            return await self._sender.fetch_twiml(self._request("fallback", fallback, Signing.VALID))
        if Misbehaviour.REPLAYED_WEBHOOK in options.misbehaviours:
            await self._replay(request)
        return verbs

    def _request(self, kind: str, source: Source, signing: Signing) -> PreparedRequest:
        context = self._context
        fields = [*voice_fields(context.options, context.sid, context.state.status), *source.extra]
        if context.state.answered_by is not None:
            fields.append(("AnsweredBy", context.state.answered_by))
        return self._sender.prepare(kind, source.method, source.url or "", fields, signing)

    async def _replay(self, request: PreparedRequest) -> None:
        """Sends the request again to the byte, as somebody does who has overheard it."""
        try:
            answer = await self._sender.send(request)
        except CarrierFault as fault:
            self._context.log.add("replay_refused", message=fault.message)
        else:
            body = answer.body.decode(errors="replace")
            self._context.log.add("replay_answered", status=answer.status, body=body)

    def _signing(self) -> Signing:
        ways = self._context.options.misbehaviours
        if Misbehaviour.NO_SIGNATURE in ways:
            return Signing.NONE
        return Signing.WRONG if Misbehaviour.WRONG_SIGNATURE in ways else Signing.VALID
