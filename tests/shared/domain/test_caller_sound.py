"""What one chunk of the caller's side sounds like: quiet, a hum, the agent's echo."""

from __future__ import annotations

import numpy as np
import numpy.typing as npt
import pytest
from hypothesis import given
from hypothesis import strategies as st

from shared.domain.audio import BYTES_PER_MS, bytes_of, decode_mulaw, encode_mulaw
from shared.domain.echo import HEARD_MS, LONGEST_DELAY_MS, PLAYED_MS, EchoDetector, likeness
from shared.domain.hum import HEARD_MS as HUM_MS
from shared.domain.hum import is_hum
from shared.domain.loudness import Loudness

RATE_HZ = 16_000
Track = npt.NDArray[np.float64]


def noise(ms: float, level: float, seed: int = 0) -> Track:
    return np.random.default_rng(seed).normal(0, level, int(ms * RATE_HZ / 1000))


def voice(ms: float, pitch_hz: float = 140, peaks_hz: tuple[float, ...] = (600, 1200, 2500), seed: int = 0) -> Track:
    """Harmonics of a pitch that wanders, strongest near the peaks, at about -16 dB of full scale."""
    time = np.arange(int(ms * RATE_HZ / 1000)) / RATE_HZ
    random = np.random.default_rng(seed)
    wander = np.cumsum(random.normal(0, 0.004, time.size)) * np.exp(-time)
    phase = 2 * np.pi * pitch_hz * time + wander
    sound = np.zeros(time.size)
    for harmonic in range(1, int(3400 / pitch_hz)):
        hz = harmonic * pitch_hz
        loudness = sum(1 / (1 + ((hz - peak) / 120) ** 2) for peak in peaks_hz) + 0.003
        sound += loudness * np.sin(harmonic * phase + random.uniform(0, 6))
    return sound / sound.std() * 4000


def chunks(sound: Track) -> list[bytes]:
    size = 32 * RATE_HZ // 1000
    return [bytes_of(sound[index : index + size]) for index in range(0, len(sound) - size + 1, size)]


def coded(sound: Track) -> Track:
    clipped = np.clip(np.rint(sound), -32768, 32767).astype(np.int16)
    return decode_mulaw(encode_mulaw(clipped)).astype(np.float64)


class TestLoudness:
    def settled(self, line_noise: float = 20.0) -> Loudness:
        loudness = Loudness()
        for chunk in chunks(np.concatenate([noise(320, line_noise), voice(640) + noise(640, line_noise, 1)])):
            loudness.quiet_tail_ms(chunk)
        return loudness

    @pytest.mark.parametrize("quiet_ms", [0, 8, 20, 32])
    def test_where_a_chunk_falls_quiet(self, quiet_ms: int) -> None:
        loud = voice(32 - quiet_ms, seed=3) if quiet_ms < 32 else np.zeros(0)
        chunk = bytes_of(np.concatenate([loud, np.zeros(quiet_ms * 16)]) + noise(32, 20, 5))
        assert abs(self.settled().quiet_tail_ms(chunk) - quiet_ms) <= 4

    def test_voice_after_quiet_is_no_tail(self) -> None:
        chunk = bytes_of(np.concatenate([noise(16, 20), voice(16, seed=3)]))
        assert self.settled().quiet_tail_ms(chunk) == 0

    def test_where_noise_is_as_loud_as_speech_nothing_is_quiet(self) -> None:
        loudness = self.settled(line_noise=1500)
        assert [loudness.quiet_tail_ms(chunk) for chunk in chunks(noise(320, 1500, 9))] == [0] * 10

    def test_noise_is_known(self) -> None:
        assert self.settled(line_noise=100).noise_db == pytest.approx(40, abs=3)

    @given(st.lists(st.sampled_from([5, 300, 4000]), min_size=1, max_size=8), st.integers(0, 10))
    def test_the_tail_is_what_comes_after_the_last_loud_block(self, levels: list[int], torn_bytes: int) -> None:
        loudness = self.settled()
        blocks = [bytes_of(noise(4, level, seed)) for seed, level in enumerate(levels)]
        quiet = next((after for after, level in enumerate(reversed(levels)) if level > 5), len(levels))
        assert loudness.quiet_tail_ms(b"".join(blocks) + bytes(torn_bytes)) == 4 * quiet

    @given(st.binary(max_size=1100))
    def test_any_sound(self, pcm: bytes) -> None:
        tail_ms = Loudness().quiet_tail_ms(pcm)
        assert 0 <= tail_ms <= len(pcm) / BYTES_PER_MS


class TestHums:
    def test_an_open_mouth_is_none(self) -> None:
        assert not is_hum(bytes_of(coded(voice(HUM_MS))))

    @pytest.mark.parametrize("pitch_hz", [110, 180, 230])
    def test_a_closed_mouth_is_one(self, pitch_hz: float) -> None:
        hum = voice(HUM_MS, pitch_hz, peaks_hz=(280,))
        hum = np.convolve(hum, np.ones(12) / 12, "same")
        assert is_hum(bytes_of(coded(hum)))

    def test_what_has_no_pitch_is_one(self) -> None:
        assert is_hum(bytes_of(noise(HUM_MS, 4000)))

    def test_noise_of_the_line_does_not_open_a_mouth(self) -> None:
        hum = np.convolve(voice(HUM_MS, 120, peaks_hz=(280,)), np.ones(12) / 12, "same") + noise(HUM_MS, 400, 4)
        assert is_hum(bytes_of(hum), noise_db=20 * np.log10(400))

    @given(st.binary(max_size=2200))
    def test_any_sound(self, pcm: bytes) -> None:
        assert is_hum(pcm) in (True, False)


class TestEchoes:
    def agent(self) -> Track:
        words = [
            voice(180, pitch, (peak, 2 * peak), seed) for seed, (pitch, peak) in enumerate([(120, 500), (150, 800)])
        ]
        more = [
            voice(220, pitch, (peak, 3 * peak), seed) for seed, (pitch, peak) in enumerate([(110, 700), (135, 400)])
        ]
        return np.concatenate([*words, *more, *words])[: PLAYED_MS * RATE_HZ // 1000]

    def returned(self, agent: Track, delay_ms: int, attenuation_db: float) -> Track:
        delayed = np.concatenate([np.zeros(delay_ms * RATE_HZ // 1000), agent])[: len(agent)]
        return coded(delayed * 10 ** (-attenuation_db / 20) + noise(len(agent) / 16, 15))

    @pytest.mark.parametrize("delay_ms", [0, 50, 233, 600])
    @pytest.mark.parametrize("attenuation_db", [10, 25])
    def test_the_agents_voice_coming_back(self, delay_ms: int, attenuation_db: float) -> None:
        agent = self.agent()
        heard, played = bytes_of(self.returned(agent, delay_ms, attenuation_db)), bytes_of(agent)
        assert EchoDetector().is_echo(heard, played)

    def test_a_caller_over_the_echo_is_none(self) -> None:
        agent = self.agent()
        caller = np.concatenate([voice(140, 205, (350, 2300), 7), voice(160, 190, (900, 1500), 8)])
        both = self.returned(agent, 120, 14)
        both[-len(caller) :] += caller
        assert not EchoDetector().is_echo(bytes_of(both), bytes_of(agent))

    def test_a_caller_while_nothing_is_played_is_none(self) -> None:
        assert likeness(bytes_of(voice(HEARD_MS)), bytes(PLAYED_MS * BYTES_PER_MS)) < 0.1
        assert likeness(bytes_of(voice(HEARD_MS)), b"") == 0.0

    def test_an_agent_who_has_just_begun_is_recognised_too(self) -> None:
        agent = self.agent()[: 300 * 16]
        heard = self.returned(agent, 100, 12)
        assert EchoDetector().is_echo(bytes_of(heard), bytes_of(agent))

    @pytest.mark.parametrize("delay_ms", [0, 1, 350, 699, 700])
    def test_the_same_sound_is_found_at_every_delay_and_no_later(self, delay_ms: int) -> None:
        line = noise(2 * PLAYED_MS, 4000, 3)
        end = len(line) - delay_ms * 16
        heard = bytes_of(line[end - HEARD_MS * 16 : end])
        assert likeness(heard, bytes_of(line)) == pytest.approx(1, abs=0.02)
        assert likeness(heard, bytes_of(noise(2 * PLAYED_MS, 4000, 4))) < 0.3
        assert likeness(heard, bytes_of(line[: -(HEARD_MS + LONGEST_DELAY_MS + HEARD_MS) * 16])) < 0.3

    @given(st.binary(max_size=9000), st.binary(max_size=32_000))
    def test_any_sound(self, heard: bytes, played: bytes) -> None:
        assert 0 <= likeness(heard, played) <= 1.001
