"""What every decoder of frames does with good frames and with anything else."""

from __future__ import annotations

import base64
import json
from collections.abc import Callable
from dataclasses import dataclass

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from shared.adapters.twilio.media_codec import TwilioEncoder, TwilioFrameDecoder
from shared.adapters.vonage.media_codec import FRAME_BYTES, VonageFrameDecoder, VonageFramer
from shared.adapters.web.media import WebFrameDecoder
from shared.domain.audio import BYTES_PER_MS, Samples, bytes_of, decode_mulaw, encode_mulaw, samples_of
from shared.domain.errors import MediaError
from shared.domain.resampling import Resampler
from shared.ports.media_codec import DecodedFrame, FrameDecoder


@dataclass(frozen=True)
class Codec:
    """A way to make frames, and to read them."""

    decoder: Callable[[], FrameDecoder]
    frame: Callable[[Samples, int], bytes]
    """From 16 kHz samples and the moment in ms."""
    frame_ms: int


def twilio_frame(samples: Samples, at_ms: int, **changes: object) -> bytes:
    payload = base64.b64encode(encode_mulaw(samples[::2])).decode()
    media = {"track": "inbound", "chunk": "1", "timestamp": str(at_ms), "payload": payload} | changes
    return json.dumps({"event": "media", "sequenceNumber": "3", "media": media, "streamSid": "MZ1"}).encode()


CODECS = {
    "twilio": Codec(TwilioFrameDecoder, twilio_frame, 20),
    "vonage": Codec(lambda: VonageFrameDecoder(0), lambda samples, _: samples.astype("<i2").tobytes(), 20),
    "web": Codec(lambda: WebFrameDecoder(0), lambda samples, _: samples.astype("<i2").tobytes(), 60),
}


@pytest.fixture(params=list(CODECS))
def codec(request: pytest.FixtureRequest) -> Codec:
    return CODECS[request.param]


def tone(seconds: float = 1.2) -> Samples:
    return (8000 * np.sin(2 * np.pi * 440 * np.arange(int(16_000 * seconds)) / 16_000)).astype(np.int16)


def decoded(codec: Codec, samples: Samples) -> list[tuple[int, bytes]]:
    decoder, size = codec.decoder(), codec.frame_ms * 16
    frames = [
        decoder.decode(codec.frame(samples[start : start + size], start // 16))
        for start in range(0, len(samples), size)
    ]
    return [(frame.at_ms, frame.pcm) for frame in frames]


def test_frames_become_sound_at_its_place(codec: Codec) -> None:
    frames = decoded(codec, tone())
    assert [at_ms for at_ms, _ in frames] == [number * codec.frame_ms for number in range(len(frames))]
    sound = samples_of(b"".join(pcm for _, pcm in frames))
    assert len(sound) / 16 == pytest.approx(1200, abs=2)
    spectrum = np.abs(np.fft.rfft(sound[1600:17600]))
    assert np.argmax(spectrum) == 440
    assert 2 * spectrum[440] / 16_000 == pytest.approx(8000, rel=0.05)


def decoded_or_refused(decoder: FrameDecoder, payload: bytes) -> DecodedFrame | str:
    """The frame, or the code of the only error that may come."""
    try:
        return decoder.decode(payload)
    except MediaError as error:
        return "retryable" if error.retryable else error.code


@given(junk=st.binary(max_size=300))
@pytest.mark.parametrize("name", list(CODECS))
def test_junk_is_refused_or_is_sound(name: str, junk: bytes) -> None:
    found = decoded_or_refused(CODECS[name].decoder(), junk)
    assert found.startswith("frame_") if isinstance(found, str) else len(found.pcm) % 2 == 0


@given(
    payload=st.one_of(st.none(), st.integers(), st.text(max_size=40), st.lists(st.integers(), max_size=3)),
    timestamp=st.one_of(st.none(), st.text(max_size=10), st.floats(), st.integers(), st.booleans()),
)
def test_any_json_is_refused_or_is_sound(payload: object, timestamp: object) -> None:
    document = {"event": "media", "media": {"payload": payload, "timestamp": timestamp}}
    found = decoded_or_refused(TwilioFrameDecoder(), json.dumps(document).encode())
    if isinstance(found, str):
        assert found.startswith("frame_")
    else:
        assert 0 <= found.at_ms <= 24 * 3600 * 1000
        assert found.pcm


_MEDIA = (
    b'"media":{"track":"inbound","chunk":"2","timestamp":"5040",'
    b'"payload":"' + base64.b64encode(bytes(range(160))) + b'"}'
)
_STREAM = b'"streamSid":"MZ0123456789abcdef"'
USUAL_FRAMES = [
    b'{"event":"media","sequenceNumber":"4",' + _MEDIA + b"," + _STREAM + b"}",
    b'{"event":"media","sequenceNumber":"4",' + _STREAM + b"," + _MEDIA + b"}",
]


def read_as_json(payload: bytes) -> DecodedFrame | str:
    """The same message with a blank at its end, which no shortcut knows."""
    return decoded_or_refused(TwilioFrameDecoder(), payload + b" ")


@pytest.mark.parametrize("frame", USUAL_FRAMES)
def test_the_usual_frames_are_read_without_json(frame: bytes, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delattr(json, "loads")
    assert TwilioFrameDecoder().decode(frame).at_ms == 5040


_CHANGE = st.tuples(st.integers(0, len(USUAL_FRAMES[0])), st.integers(0, 2), st.binary(max_size=3))


@given(frame=st.sampled_from(USUAL_FRAMES), changes=st.lists(_CHANGE, max_size=3))
def test_a_frame_as_twilio_writes_it_is_read_like_any_json(
    frame: bytes, changes: list[tuple[int, int, bytes]]
) -> None:
    for position, removed, added in changes:
        frame = frame[:position] + added + frame[position + removed :]
    assert decoded_or_refused(TwilioFrameDecoder(), frame) == read_as_json(frame)


@given(
    numbers=st.lists(st.text("0123456789٣-+ _x\\u00e9", max_size=12), min_size=3, max_size=3),
    payload=st.one_of(st.binary(max_size=20).map(base64.b64encode), st.binary(max_size=20), st.just(b"=")),
    track=st.sampled_from(["inbound", "outbound", 'inbound","payload":"AAAA', "in\\u0062ound"]),
    last=st.sampled_from(["MZ1", "", 'MZ","media":{"timestamp":"7","payload":"//8="},"x":"']),
)
def test_no_message_is_read_in_two_ways(numbers: list[str], payload: bytes, track: str, last: str) -> None:
    number, chunk, timestamp = numbers
    frame = (
        f'{{"event":"media","sequenceNumber":"{number}","media":{{"track":"{track}","chunk":"{chunk}",'
        f'"timestamp":"{timestamp}","payload":"'
    ).encode()
    frame += payload + f'"}},"streamSid":"{last}"}}'.encode()
    assert decoded_or_refused(TwilioFrameDecoder(), frame) == read_as_json(frame)


@pytest.mark.parametrize(
    ("frame", "code"),
    [
        (b"", "frame_malformed"),
        (b"[]", "frame_malformed"),
        (b"{}", "frame_malformed"),
        (b'{"media":{}}', "frame_malformed"),
        (b'{"media":[]}', "frame_malformed"),
        (b"[" * 50_000, "frame_malformed"),
        (twilio_frame(tone(), 0, payload="%%%%"), "frame_malformed"),
        (twilio_frame(tone(), 0, payload="AAA"), "frame_malformed"),
        (twilio_frame(tone(), 0, payload="AA\nAA"), "frame_malformed"),
        (twilio_frame(tone(), 0, payload=""), "frame_size"),
        (twilio_frame(tone(), 0, payload="A" * 12_000), "frame_size"),
        (twilio_frame(tone(), 0, timestamp="soon"), "frame_malformed"),
        (twilio_frame(tone(), 0, timestamp=float("inf")), "frame_malformed"),
        (twilio_frame(tone(), 0, timestamp=float("nan")), "frame_malformed"),
        (twilio_frame(tone(), 0, timestamp="-1"), "frame_time"),
        (twilio_frame(tone(), 0, timestamp=10**15), "frame_time"),
        (twilio_frame(tone(), 0, timestamp="9" * 5000), "frame_malformed"),
    ],
)
def test_what_a_carrier_never_sends(frame: bytes, code: str) -> None:
    with pytest.raises(MediaError) as error:
        TwilioFrameDecoder().decode(frame)
    assert error.value.code == code


@pytest.mark.parametrize("size", [0, 1, 641, 32_001, 32_002, 1_000_000])
def test_frames_that_a_client_never_sends(size: int) -> None:
    with pytest.raises(MediaError, match="frame_size"):
        WebFrameDecoder(0).decode(bytes(size))


def test_a_broken_frame_moves_nothing() -> None:
    decoder = WebFrameDecoder(500)
    assert decoder.decode(bytes(60 * BYTES_PER_MS)).at_ms == 500
    with pytest.raises(MediaError):
        decoder.decode(b"x")
    assert decoder.decode(bytes(60 * BYTES_PER_MS)).at_ms == 560


@given(mulaw=st.binary(min_size=1, max_size=900), cuts=st.lists(st.integers(1, 899), max_size=12))
def test_however_the_carrier_cuts_the_line_it_sounds_the_same(mulaw: bytes, cuts: list[int]) -> None:
    decoder = TwilioFrameDecoder()
    codes = np.frombuffer(mulaw, dtype=np.uint8)
    payloads = [base64.b64encode(piece.tobytes()).decode() for piece in np.split(codes, sorted(cuts)) if piece.size]
    frames = [decoder.decode(twilio_frame(tone(0.02), 0, payload=payload)) for payload in payloads]
    whole = Resampler(8_000, 16_000).push(decode_mulaw(mulaw))
    assert b"".join(frame.pcm for frame in frames) == whole.tobytes()


def sent(encoder: TwilioEncoder, pcm: bytes) -> Samples:
    message = json.loads(encoder.media(pcm))
    assert set(message) == {"event", "streamSid", "media"}
    assert set(message["media"]) == {"payload"}
    assert (message["event"], message["streamSid"]) == ("media", "MZ1")
    return decode_mulaw(base64.b64decode(message["media"]["payload"]))


@given(cuts=st.lists(st.integers(0, 19_200), max_size=12))
def test_pieces_to_the_carrier_join_without_a_click(cuts: list[int]) -> None:
    samples = tone()
    encoder = TwilioEncoder("MZ1")
    pieces = [bytes_of(piece) for piece in np.split(samples, sorted(cuts))]
    wire = np.concatenate([sent(encoder, piece) for piece in pieces])
    whole = decode_mulaw(encode_mulaw(Resampler(16_000, 8_000).push(samples)))
    assert np.array_equal(wire, whole)


def test_after_a_clear_nothing_of_what_was_before_sounds() -> None:
    encoder = TwilioEncoder("MZ1")
    sent(encoder, tone().astype("<i2").tobytes())
    assert json.loads(encoder.clear()) == {"event": "clear", "streamSid": "MZ1"}
    assert not sent(encoder, bytes(640)).any()


def test_a_mark_has_its_name_and_nothing_else() -> None:
    assert json.loads(TwilioEncoder("MZ1").mark("1-2-3")) == {
        "event": "mark",
        "streamSid": "MZ1",
        "mark": {"name": "1-2-3"},
    }


@given(size=st.integers(0, 4 * FRAME_BYTES))
def test_vonage_takes_frames_of_one_size_only(size: int) -> None:
    found = decoded_or_refused(VonageFrameDecoder(40), bytes(size))
    assert found == (DecodedFrame(bytes(size), 40) if size == FRAME_BYTES else "frame_size")


@given(pieces=st.lists(st.tuples(st.binary(max_size=3 * FRAME_BYTES), st.booleans()), max_size=6))
def test_what_goes_to_vonage_is_in_whole_frames_and_nothing_is_lost(pieces: list[tuple[bytes, bool]]) -> None:
    framer, expected, sent = VonageFramer(), b"", b""
    for pcm, to_the_end in pieces:
        frames = framer.push(pcm, to_the_end=to_the_end)
        assert all(len(frame) == FRAME_BYTES for frame in frames)
        expected, sent = expected + pcm, sent + b"".join(frames)
        if to_the_end:
            expected += bytes(-len(expected) % FRAME_BYTES)
            assert sent == expected
    assert expected.startswith(sent)
    assert len(expected) - len(sent) < FRAME_BYTES


@given(pieces=st.lists(st.binary(max_size=100).map(lambda some: some * 2), max_size=8))
def test_sound_survives_the_way_to_vonage_and_back(pieces: list[bytes]) -> None:
    framer, decoder = VonageFramer(), VonageFrameDecoder(0)
    frames = [frame for piece in pieces for frame in framer.push(piece, to_the_end=False)]
    frames += framer.push(b"", to_the_end=True)
    heard = b"".join(decoder.decode(frame).pcm for frame in frames)
    assert heard.startswith(b"".join(pieces))
    assert not heard[len(b"".join(pieces)) :].strip(b"\0")
