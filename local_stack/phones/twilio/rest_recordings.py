"""`/Recordings`: begun, paused and stopped on a call that runs; fetched afterwards, by the account only.

Source: https://www.twilio.com/docs/voice/api/recording
"""

from __future__ import annotations

from typing import Final

from aiohttp import web

from local_stack.phones.twilio.account import API_VERSION
from local_stack.phones.twilio.call_book import CallEntry
from local_stack.phones.twilio.forms import recording_url, rfc_2822
from local_stack.phones.twilio.options import RecordingWish
from local_stack.phones.twilio.recordings import Recording
from local_stack.phones.twilio.resources import RestError, not_found
from local_stack.phones.twilio.rest_access import Door, Form, callback_in, form_of, page

EVENTS: Final = frozenset({"in-progress", "completed", "absent"})
_CURRENT: Final = "Twilio.CURRENT"


def recording_wish(form: Form) -> RecordingWish:
    """What a form says of the recording that is wanted. Raises: RestError."""
    channels = form.get("RecordingChannels", "mono")
    if channels not in ("mono", "dual"):
        raise RestError(400, 20001, "RecordingChannels is mono or dual")
    track = form.get("RecordingTrack", "both")
    if track not in ("inbound", "outbound", "both"):
        raise RestError(400, 20001, "RecordingTrack is inbound, outbound or both")
    callback = callback_in(form, "RecordingStatusCallback", EVENTS, "completed")
    return RecordingWish(callback, 2 if channels == "dual" else 1, track)


class RecordingsApi:
    def __init__(self, door: Door) -> None:
        self._door = door
        self._recordings = door.book.carrier.recordings

    def add_routes(self, app: web.Application, account: str) -> None:
        guarded, of_call = self._door.guarded, f"{account}/Calls/{{sid}}/Recordings"
        app.router.add_post(f"{of_call}.json", guarded(self.create))
        app.router.add_get(f"{of_call}.json", guarded(self.list))
        app.router.add_post(f"{of_call}/{{recording}}.json", guarded(self.update))
        for path in (of_call, f"{account}/Recordings"):
            app.router.add_get(f"{path}/{{recording}}.json", guarded(self.get))
            app.router.add_delete(f"{path}/{{recording}}.json", guarded(self.delete))
        app.router.add_get(f"{account}/Recordings/{{recording}}.wav", guarded(self.sound))
        app.router.add_get(f"{account}/Recordings/{{recording}}", guarded(self.sound))

    def _call(self, request: web.Request) -> CallEntry:
        entry = self._door.book.find(request.match_info["sid"])
        if entry is None or entry.options.account.sid != request.match_info["account"]:
            raise not_found(request.path)
        return entry

    def _recording(self, request: web.Request) -> Recording:
        sid = request.match_info["recording"]
        found = self._recordings.by_sid.get(sid)
        if sid == _CURRENT:
            live = [one for one in self._recordings.of_call(request.match_info["sid"]) if one.is_live]
            found = live[0] if live else None
        if found is None or found.account_sid != request.match_info["account"]:
            raise not_found(request.path)
        return found

    async def create(self, request: web.Request) -> web.Response:
        entry = self._call(request)
        if entry.call is None or entry.state.answered_ms is None or entry.state.over:
            raise RestError(400, 21220, "Requested resource is not eligible for recording")
        recording = entry.call.record(recording_wish(await form_of(request)))
        return web.json_response(self._resource(recording), status=201)

    async def list(self, request: web.Request) -> web.Response:
        recordings = self._recordings.of_call(self._call(request).sid)
        return page(request, "recordings", [self._resource(one) for one in recordings])

    async def update(self, request: web.Request) -> web.Response:
        """`Status` is paused, in-progress or stopped."""
        self._call(request)
        recording, form = self._recording(request), await form_of(request)
        if not recording.is_live:
            raise RestError(400, 21220, "The recording is over")
        match form.get("Status"):
            case "paused":
                recording.pause(keeps_silence=form.get("PauseBehavior", "silence") == "silence")
            case "in-progress":
                recording.resume()
            case "stopped":
                recording.stop(self._door.book.now_ms())
            case status:
                raise RestError(400, 20001, f"Status {status} is not one of paused, in-progress, stopped")
        return web.json_response(self._resource(recording))

    async def get(self, request: web.Request) -> web.Response:
        return web.json_response(self._resource(self._recording(request)))

    async def delete(self, request: web.Request) -> web.Response:
        del self._recordings.by_sid[self._recording(request).sid]
        return web.Response(status=204)

    async def sound(self, request: web.Request) -> web.Response:
        recording = self._recording(request)
        if recording.is_live:
            raise not_found(request.path)
        return web.Response(body=recording.as_wav(), content_type="audio/x-wav")

    def _resource(self, recording: Recording) -> dict[str, object]:
        path = f"/{API_VERSION}/Accounts/{recording.account_sid}/Recordings/{recording.sid}"
        return {
            "sid": recording.sid,
            "account_sid": recording.account_sid,
            "call_sid": recording.call_sid,
            "conference_sid": None,
            "api_version": API_VERSION,
            "status": recording.status,
            "source": recording.source,
            "channels": recording.channels,
            "track": recording.track,
            "duration": None if recording.is_live else str(recording.duration_s),
            "start_time": rfc_2822(recording.started_ms),
            "date_created": rfc_2822(recording.started_ms),
            "media_url": recording_url(self._door.book.carrier.api_url, recording),
            "error_code": None,
            "uri": f"{path}.json",
        }
