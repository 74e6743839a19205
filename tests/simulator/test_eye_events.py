"""Eye events of the simulated phone, and the lids that belong to a blink."""

from __future__ import annotations

import struct

import numpy as np
import pytest

from psychopy_neon.errors import ConfigurationError
from psychopy_neon.simulator import HeadPose, SimulatedNeon, SimulatorSettings
from psychopy_neon.simulator.eye_events import EyeEventMaker
from psychopy_neon.simulator.eyes import Eyes
from psychopy_neon.simulator.factory import factory_calibration
from psychopy_neon.simulator.head import Head
from psychopy_neon.simulator.head_motion import HEAD_MOTIONS
from psychopy_neon.simulator.lens import Lens
from psychopy_neon.simulator.media import Audience
from psychopy_neon.simulator.phone_clock import PhoneClock
from psychopy_neon.simulator.sender import RtpSender
from psychopy_neon.simulator.truth import TruthLog
from psychopy_neon.wire.rtp import RtpPacket

from .conftest import RawRtsp
from .test_sender import Recorder

MS = 1_000_000
S = 1000 * MS


class Phone:
    """A maker of events and what it sent; its clock shows 10**18 ns when its uptime is 0."""

    def __init__(self, motion: str = "still", **settings: float) -> None:
        self.settings = SimulatorSettings(seed=3, **settings)  # type: ignore[arg-type]
        self.head = Head(Lens(factory_calibration("1").scene), (1920, 1080), HeadPose(), HEAD_MOTIONS[motion], 3)
        self.eyes = Eyes(self.settings, (1920, 1080))
        self.clock = PhoneClock(start=(0, 10**18))
        self.truth = TruthLog()
        self.channel = Recorder()
        self.sender = RtpSender("eye_events", 101, 1, self.channel, self.clock, self.truth, self.settings)
        self.maker = EyeEventMaker(self.eyes, self.head, self.clock, self.truth)

    def run(self, from_s: float, to_s: float, arrivals: int = 1) -> None:
        for uptime_ns in range(round(from_s * S), round(to_s * S), 5 * MS):
            self.maker.produce(uptime_ns, Audience((self.sender,), arrivals))

    @property
    def payloads(self) -> list[bytes]:
        return [packet.payload for packet in self.channel.sent if isinstance(packet, RtpPacket)]

    @property
    def kinds(self) -> list[int]:
        return [struct.unpack_from("!i", payload)[0] for payload in self.payloads]


def test_scripted_fixations_give_onsets_and_records() -> None:
    phone = Phone()
    phone.run(0, 10)
    kinds = phone.kinds
    assert kinds[:7] == [5, 2, 0, 3, 1, 2, 0], "a sign of life; a saccade's onset, saccade, the same of a fixation"
    assert 10 <= kinds.count(1) <= 17, "fixations of 0.6 to 1.0 s"
    assert kinds.count(0) == pytest.approx(kinds.count(1), abs=1)
    for payload, kind in zip(phone.payloads, kinds, strict=True):
        assert len(payload) == {0: 60, 1: 60, 2: 12, 3: 12, 5: 12}[kind]


def test_what_is_sent_is_the_truth() -> None:
    phone = Phone("sway")
    phone.run(0, 5)
    events = [payload for payload in phone.payloads if payload[3] != 5]
    truth = phone.truth.records("eye_event")
    assert len(events) == len(truth) > 10
    for payload, record in zip(events, truth, strict=True):
        assert struct.unpack_from("!q", payload, 4)[0] == record["start_ns"]
        assert record["start_ns"] == 10**18 + record["start_host_ns"]
        if payload[3] < 2:
            end_ns, *numbers = struct.unpack_from("!q10f", payload, 12)
            assert end_ns == record["end_ns"] == 10**18 + record["end_host_ns"]
            motion = record["motion"]
            points = [*motion["start"], *motion["end"], *motion["mean"]]
            names = ("amplitude_px", "amplitude_deg", "mean_velocity", "max_velocity")
            assert numbers == [*points, *(motion[name] for name in names)]


def test_turning_the_head_makes_no_saccade() -> None:
    phone = Phone("natural")
    phone.eyes.look_at((700.0, 500.0))
    phone.run(0, 3)
    assert phone.kinds == [5, 3]


def test_a_stream_is_never_silent_for_long() -> None:
    phone = Phone()
    phone.eyes.look_at((700.0, 500.0))
    phone.run(0, 30)
    stamps = [struct.unpack_from("!q", payload, 4)[0] - 10**18 for payload in phone.payloads if payload[3] == 5]
    assert max(np.diff(stamps)) <= 8 * S
    assert len(stamps) >= 4


def test_whoever_is_new_gets_a_sign_of_life() -> None:
    phone = Phone()
    phone.eyes.look_at((700.0, 500.0))
    phone.run(0, 1)
    phone.run(1, 2, arrivals=2)
    assert phone.kinds == [5, 3, 5]


def test_an_event_over_a_step_of_the_clock_has_a_time_of_before_and_one_of_after() -> None:
    phone = Phone()
    phone.eyes.look_at((700.0, 500.0))
    phone.run(0, 1)
    phone.clock.step(-5 * S, at_host_ns=1 * S)
    phone.eyes.look_at((300.0, 500.0))
    phone.run(1, 1.2)
    (fixation,) = [payload for payload in phone.payloads if payload[3] == 1]
    assert struct.unpack_from("!qq", fixation, 4) == (10**18, 10**18 + 995 * MS)
    saccade = phone.payloads[-2]
    assert struct.unpack_from("!iqq", saccade) == (0, 10**18 + 995 * MS, 10**18 - 4 * S)


def test_glasses_that_are_not_worn_see_nothing() -> None:
    phone = Phone()
    phone.run(0, 1)
    count = len(phone.kinds)
    phone.eyes.set_worn(False)
    phone.run(1, 7)
    assert set(phone.kinds[count:]) == {5}
    phone.eyes.set_worn(True)
    phone.run(7, 8)
    assert phone.kinds[count:].count(3) >= 1


def closed(payload: bytes) -> bool:
    """By the aperture of the left eye, in the form of 89 bytes."""
    return bool(struct.unpack_from("!f", payload, 65 + 8)[0] < 2)


def test_blinks_show_in_the_lids_and_as_events() -> None:
    with SimulatedNeon(SimulatorSettings(gaze_bytes=89, blinks_per_minute=60, seed=1)) as sim:
        gaze, events = RawRtsp(sim, "gaze"), RawRtsp(sim, "eye_events")
        over_tcp = "RTP/AVP/TCP;unicast;interleaved=0-1"
        for client in (gaze, events):
            client.ask("DESCRIBE")
            client.ask("SETUP", client.base, Transport=over_tcp)
        is_closed = []
        while len(is_closed) < 1200 and not (True in is_closed and not is_closed[-1]):
            channel, data = gaze.frame()
            if channel == 0:
                is_closed.append(closed(RtpPacket.parse(data).payload))
        blink = None
        while blink is None:
            channel, data = events.frame()
            payload = RtpPacket.parse(data).payload if channel == 0 else b""
            if payload[:4] == b"\0\0\0\4":
                blink = struct.unpack_from("!qq", payload, 4)
        gaze.close()
        events.close()
        lids = [record["closed"] for record in sim.truth.records("gaze")]
        (record, *_) = (each for each in sim.truth.records("eye_event") if each["event"] == "blink")
    assert is_closed == lids[: len(is_closed)]
    assert blink == (record["start_ns"], record["end_ns"])
    assert 100 * MS <= blink[1] - blink[0] <= 260 * MS


def test_a_blink_on_command(sim: SimulatedNeon) -> None:
    client = RawRtsp(sim, "eye_events")
    client.ask("DESCRIBE")
    client.ask("SETUP", client.base, Transport="RTP/AVP/TCP;unicast;interleaved=0-1")
    client.frame()
    sim.blink(0.15)
    while True:
        channel, data = client.frame()
        payload = RtpPacket.parse(data).payload if channel == 0 else b""
        if payload[:4] == b"\0\0\0\4":
            break
    client.close()
    start_ns, end_ns = struct.unpack_from("!qq", payload, 4)
    assert end_ns - start_ns == pytest.approx(150 * MS, abs=10 * MS)
    for seconds in (0, -1, 61, float("nan")):
        with pytest.raises(ConfigurationError, match="seconds"):
            sim.blink(seconds)


@pytest.mark.parametrize(
    ("settings", "streams"),
    [
        (SimulatorSettings(model="invisible"), ("world", "gaze")),
        (SimulatorSettings(has_eye_events=False), ("world", "gaze", "imu")),
    ],
)
def test_what_is_not_there_is_not_streamed(settings: SimulatorSettings, streams: tuple[str, ...]) -> None:
    assert settings.streams == streams
    with SimulatedNeon(settings) as sim:
        client = RawRtsp(sim, "eye_events")
        assert client.ask("DESCRIBE")[0] == 404
        client.close()
        with pytest.raises(ConfigurationError, match="eye_events"):
            sim.mute("eye_events")
