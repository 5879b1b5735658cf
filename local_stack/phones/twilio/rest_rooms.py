"""`/Conferences`: who is in a conference, and who is muted, held, put out of it or called into it.

Source: https://www.twilio.com/docs/voice/api/conference-participant-resource
"""

from __future__ import annotations

from dataclasses import replace
from typing import Final
from xml.sax.saxutils import escape, quoteattr

from aiohttp import web

from local_stack.phones.twilio.account import API_VERSION
from local_stack.phones.twilio.forms import rfc_2822
from local_stack.phones.twilio.resources import RestError, not_found
from local_stack.phones.twilio.rest_access import Door, Form, flag_in, form_of, page, url_in
from local_stack.phones.twilio.rest_calls import outbound_options
from local_stack.phones.twilio.rooms import Participant, Room

_IN_THE_ROOM: Final = (
    ("StartConferenceOnEnter", "startConferenceOnEnter"),
    ("EndConferenceOnExit", "endConferenceOnExit"),
    ("Muted", "muted"),
    ("Beep", "beep"),
    ("Label", "participantLabel"),
    ("CallSidToCoach", "coach"),
    ("WaitMethod", "waitMethod"),
    ("MaxParticipants", "maxParticipants"),
)


class RoomsApi:
    def __init__(self, door: Door) -> None:
        self._door = door
        self._rooms = door.book.carrier.rooms

    def add_routes(self, app: web.Application, path: str) -> None:
        guarded, people = self._door.guarded, f"{path}/{{room}}/Participants"
        app.router.add_get(f"{path}.json", guarded(self.list))
        app.router.add_get(f"{path}/{{room}}.json", guarded(self.get))
        app.router.add_post(f"{path}/{{room}}.json", guarded(self.update))
        app.router.add_get(f"{people}.json", guarded(self.participants))
        app.router.add_post(f"{people}.json", guarded(self.call_in))
        app.router.add_get(f"{people}/{{sid}}.json", guarded(self.participant))
        app.router.add_post(f"{people}/{{sid}}.json", guarded(self.change))
        app.router.add_delete(f"{people}/{{sid}}.json", guarded(self.send_away))

    def _room(self, request: web.Request) -> Room:
        room = self._rooms.find(request.match_info["account"], request.match_info["room"])
        if room is None:
            raise not_found(request.path)
        return room

    def _participant(self, request: web.Request) -> Participant:
        sid = request.match_info["sid"]
        for participant in self._room(request).participants.values():
            if sid in (participant.call_sid, participant.label):
                return participant
        raise not_found(request.path)

    async def list(self, request: web.Request) -> web.Response:
        """Filtered by `FriendlyName` and `Status`."""
        wanted, account = request.query, request.match_info["account"]
        rooms = [_resource(room) for room in reversed(self._rooms.by_sid.values()) if room.account_sid == account]
        for name, key in (("FriendlyName", "friendly_name"), ("Status", "status")):
            rooms = [room for room in rooms if name not in wanted or room[key] == wanted[name]]
        return page(request, "conferences", rooms)

    async def get(self, request: web.Request) -> web.Response:
        return web.json_response(_resource(self._room(request)))

    async def update(self, request: web.Request) -> web.Response:
        room, form = self._room(request), await form_of(request)
        if form.get("Status") != "completed":
            raise RestError(400, 20001, "Status can be set to completed only")
        if room.is_over:
            raise not_found(request.path)
        room.end(self._door.book.now_ms(), "conference-ended-via-api")
        return web.json_response(_resource(room))

    async def participants(self, request: web.Request) -> web.Response:
        room = self._room(request)
        return page(request, "participants", [_member(room, one) for one in room.participants.values()])

    async def participant(self, request: web.Request) -> web.Response:
        return web.json_response(_member(self._room(request), self._participant(request)))

    async def change(self, request: web.Request) -> web.Response:
        room, one, form = self._room(request), self._participant(request), await form_of(request)
        member, before = one.member, replace(one.member)
        member.is_muted = flag_in(form, "Muted", member.is_muted)
        member.is_held = flag_in(form, "Hold", member.is_held)
        one.ends_room = flag_in(form, "EndConferenceOnExit", one.ends_room)
        if "Coaching" in form:
            member.heard_only_by = form.get("CallSidToCoach", "") if flag_in(form, "Coaching") else ""
        if member.is_muted != before.is_muted:
            one.tell("participant-mute" if member.is_muted else "participant-unmute")
        if member.is_held != before.is_held:
            one.tell("participant-hold" if member.is_held else "participant-unhold")
        if member.heard_only_by != before.heard_only_by:
            one.tell("participant-modify")
        return web.json_response(_member(room, one))

    async def send_away(self, request: web.Request) -> web.Response:
        self._participant(request).is_sent_away = True
        return web.Response(status=204)

    async def call_in(self, request: web.Request) -> web.Response:
        """Somebody is called, and is in the room when the phone is picked up."""
        form, account = await form_of(request), self._door.account_of(request)
        name = request.match_info["room"]
        known = self._rooms.find(account.sid, name)
        twiml = _into_room(form, name if known is None else known.name)
        options = outbound_options(self._door.book, account, form, twiml=twiml)
        task = self._door.book.start(options)
        body = {
            "call_sid": task.get_name(),
            "account_sid": account.sid,
            "status": "queued",
            "label": form.get("Label"),
        }
        return web.json_response({**body, "conference_sid": None if known is None else known.sid}, status=201)


def _into_room(form: Form, name: str) -> str:
    attributes = [f"{ours}={quoteattr(form[theirs])}" for theirs, ours in _IN_THE_ROOM if form.get(theirs)]
    if "WaitUrl" in form:
        attributes.append(f"waitUrl={quoteattr(form['WaitUrl'])}")
    if url := url_in(form, "ConferenceStatusCallback"):
        events = " ".join(form.getall("ConferenceStatusCallbackEvent", [])) or "end"
        attributes += [f"statusCallback={quoteattr(url)}", f"statusCallbackEvent={quoteattr(events)}"]
    return f"<Response><Dial><Conference {' '.join(attributes)}>{escape(name)}</Conference></Dial></Response>"


def _resource(room: Room) -> dict[str, object]:
    uri = f"/{API_VERSION}/Accounts/{room.account_sid}/Conferences/{room.sid}"
    return {
        "sid": room.sid,
        "account_sid": room.account_sid,
        "friendly_name": room.name,
        "status": room.status,
        "reason_conference_ended": room.reason or None,
        "date_created": rfc_2822(room.created_ms),
        "date_updated": rfc_2822(room.ended_ms or room.created_ms),
        "region": "us1",
        "uri": f"{uri}.json",
        "subresource_uris": {"participants": f"{uri}/Participants.json"},
    }


def _member(room: Room, one: Participant) -> dict[str, object]:
    uri = f"/{API_VERSION}/Accounts/{room.account_sid}/Conferences/{room.sid}/Participants/{one.call_sid}"
    return {
        "call_sid": one.call_sid,
        "conference_sid": room.sid,
        "account_sid": room.account_sid,
        "label": one.label or None,
        "muted": one.member.is_muted,
        "hold": one.member.is_held,
        "coaching": bool(one.member.heard_only_by),
        "call_sid_to_coach": one.member.heard_only_by or None,
        "start_conference_on_enter": one.starts_room,
        "end_conference_on_exit": one.ends_room,
        "status": "connected",
        "uri": f"{uri}.json",
    }
