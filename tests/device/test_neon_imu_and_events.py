"""The inertial sensor and eye events: the whole client against the simulator and its ground truth."""

import struct
import time

import pytest
from datagrams import gaze, rtp, sender_report
from fakes import GAZE_SDP, FakeEcho, FakeHttp, FakeRtsp, phone_components, sensor, wait_until

from psychopy_neon.device import rtsp_link
from psychopy_neon.device.neon import Neon
from psychopy_neon.errors import NeonTimeoutError
from psychopy_neon.samples import EyeEventKind
from psychopy_neon.simulator import SimulatedNeon, SimulatorSettings
from psychopy_neon.simulator.head_motion import HeadMotionSpec

pytestmark = pytest.mark.once

MS = 1_000_000
S = 1000 * MS


@pytest.fixture
def simulate():
    running = []

    def start(**settings):
        simulated = SimulatedNeon(SimulatorSettings(**settings)).start()
        running.append(simulated)
        return simulated

    yield start
    for each in running:
        each.close()


def truth_of(simulated, kind, key, last):
    """Records by a time in them; the newest is written only after its datum was sent."""

    def by_time():
        records = {record[key]: record for record in simulated.truth.records(kind)}
        return records if last in records else None

    return wait_until(by_time)


def assert_imu_true(simulated, samples):
    """Bit by bit, and in time; whether one is missing is told."""
    truth = truth_of(simulated, "imu", "device_ns", samples[-1].device_ns)
    numbers = []
    for sample in samples:
        record = truth[sample.device_ns]
        assert (sample.gyro_dps, sample.accel_g, sample.quaternion) == (
            record["gyro_dps"],
            record["accel_g"],
            record["quaternion"],
        )
        assert abs(sample.host_ns - record["host_ns"]) <= sample.bound_ns
        assert sample.host_ns <= sample.received_ns + sample.bound_ns
        numbers.append(record["number"])
    assert numbers == sorted(set(numbers))
    return numbers


@pytest.mark.parametrize(
    ("offset_ns", "drift_ppm"), [(500 * MS, 0.0), (-3600 * S, 50.0)], ids=["ahead", "behind and drifting"]
)
def test_imu_is_complete_and_its_times_are_true(simulate, offset_ns, drift_ppm):
    simulated = simulate(offset_ns=offset_ns, drift_ppm=drift_ppm, head_motion=HeadMotionSpec.parse("sway"))
    with Neon(simulated.address) as neon:
        samples = [neon.imu.wait(20) for _ in range(150)]
        health = neon.imu.health
        assert neon.imu.latest(None) is not None
    numbers = assert_imu_true(simulated, samples)
    assert numbers == list(range(numbers[0], numbers[0] + 150)), "none is missing"
    assert (health.lost, health.malformed, health.duplicate, health.dropped, health.gaps) == (0, 0, 0, 0, ())
    assert health.rate_hz == pytest.approx(110, rel=0.2)


def test_lost_and_reordered_imu_packets(simulate):
    simulated = simulate(loss=0.05, reorder=0.1, seed=3)
    with Neon(simulated.address) as neon:
        numbers = assert_imu_true(simulated, [neon.imu.wait(20) for _ in range(150)])
        assert neon.imu.health.lost > 0
    packets = simulated.truth.records("packet")
    lost = {each["number"] for each in packets if each["fate"] == "lost" and each["stream"] == "imu"}
    missing = set(range(numbers[0], numbers[-1])) - set(numbers)
    assert missing
    assert missing <= lost


@pytest.mark.once
@pytest.mark.parametrize("step_ns", [1_703 * MS, -1_703 * MS])  # no multiple of the period: no time comes twice
def test_every_imu_sample_around_a_step_has_its_time(simulate, step_ns):
    simulated = simulate(offset_ns=500 * MS)
    with Neon(simulated.address) as neon:
        reader = neon.imu.reader()
        samples = [reader.wait(20) for _ in range(60)]
        simulated.step_clock(step_ns)
        samples += [reader.wait(20) for _ in range(150)]
        assert len(neon.clock.history) == 2
    numbers = assert_imu_true(simulated, samples)
    assert numbers == list(range(numbers[0], numbers[0] + 210))


def assert_events_true(simulated, events):
    def sent():
        records = {(each["event"], each["start_ns"]): each for each in simulated.truth.records("eye_event")}
        return records if (events[-1].kind.value, events[-1].start_ns) in records else None

    truth = wait_until(sent)
    for event in events:
        record = truth[event.kind.value, event.start_ns]
        assert event.end_ns == record["end_ns"]
        motion = None if event.motion is None else event.motion._asdict()
        assert motion == record["motion"]
        assert abs(event.start_host_ns - record["start_host_ns"]) <= event.bound_ns
        if event.end_ns is not None:
            assert abs(event.end_host_ns - record["end_host_ns"]) <= event.bound_ns


def test_eye_events_are_true(simulate):
    simulated = simulate(offset_ns=-3600 * S, drift_ppm=40, blinks_per_minute=60, seed=1)
    with Neon(simulated.address) as neon:
        events = [neon.eye_events.wait(20) for _ in range(14)]
        newest = neon.eye_events.latest()
        health = neon.eye_events.health
        assert newest is not None
        assert newest.received_ns >= events[-1].received_ns
    assert_events_true(simulated, events)
    assert {event.kind for event in events} >= {EyeEventKind.FIXATION, EyeEventKind.SACCADE_ONSET}
    assert (health.lost, health.malformed, health.gaps) == (0, 0, ())


@pytest.mark.once
@pytest.mark.parametrize("step_ns", [1_700 * MS, -1_700 * MS])
def test_a_fixation_over_a_step_of_the_clock_has_both_times(simulate, step_ns):
    simulated = simulate()
    with Neon(simulated.address) as neon:
        neon.eye_events.wait(20)
        simulated.look_at(900.0, 500.0)
        begin_ns = neon.host_clock.now_ns()
        events = [neon.eye_events.wait(20)]
        while events[-1].kind is not EyeEventKind.FIXATION_ONSET or events[-1].start_host_ns < begin_ns:
            events = [neon.eye_events.wait(20)]
        begin_ns = neon.host_clock.now_ns()
        wait_until(lambda: neon.host_clock.now_ns() - begin_ns > 500 * MS)  # a fixation lasts
        simulated.step_clock(step_ns)
        wait_until(lambda: len(neon.clock.history) == 2)
        simulated.look_at(300.0, 500.0)
        while events[-1].kind is not EyeEventKind.SACCADE:
            events.append(neon.eye_events.wait(20))
    (fixation,) = (event for event in events if event.kind is EyeEventKind.FIXATION)
    assert_events_true(simulated, events)
    assert 500 * MS < fixation.end_host_ns - fixation.start_host_ns < 20 * S
    shown_ns = fixation.end_ns - fixation.start_ns
    assert shown_ns == pytest.approx(fixation.end_host_ns - fixation.start_host_ns + step_ns, abs=5 * MS)


def test_without_time_echo_there_is_no_bound(simulate):
    simulated = simulate(has_echo=False)
    with Neon(simulated.address) as neon:
        sample = neon.imu.wait(20)
        event = neon.eye_events.wait(20)
        assert (sample.bound_ns, event.bound_ns) == (None, None)
        assert sample.host_ns <= sample.received_ns
        assert event.host_ns <= event.received_ns
        assert "no time echo" in neon.imu.health.clock_trouble


@pytest.mark.parametrize(
    ("settings", "missing"),
    [
        ({"model": "invisible"}, {"imu": "Pupil Invisible", "eye_events": "Pupil Invisible"}),
        ({"has_eye_events": False}, {"eye_events": "computing of fixations"}),
    ],
    ids=["Pupil Invisible", "fixations off"],
)
def test_only_what_is_not_there_is_red(simulate, settings, missing):
    with Neon(simulate(**settings).address) as neon:
        streams = {name: getattr(neon, name) for name in ("gaze", "imu", "eye_events")}
        for stream in streams.values():
            assert stream.take() == []
        for name, stream in streams.items():
            if name not in missing:
                assert stream.wait(20)
                assert stream.health.gaps == ()
                continue
            (gap,) = wait_until(lambda stream=stream: stream.health.gaps)
            assert gap.end_ns is None
            assert f"no {name} stream" in gap.cause
            assert missing[name] in gap.cause
            assert stream.latest() is None
            with pytest.raises(NeonTimeoutError, match=missing[name]):
                stream.wait(0.01)
        neon.check_link()


def test_a_sensor_that_comes_later_is_taken(simulate):
    simulated = simulate()
    simulated.set_sensor("imu", connected=False)
    with Neon(simulated.address) as neon:
        assert neon.imu.take() == []
        wait_until(lambda: neon.imu.health.gaps)
        simulated.set_sensor("imu", connected=True)
        assert neon.imu.wait(20)
        assert neon.imu.health.gaps[0].end_ns is not None


# By hand

EVENT_SDP = GAZE_SDP.replace("AVP 99", "AVP 101").replace("rtpmap:99 com.pupillabs.gaze1", "rtpmap:101 x")


def test_a_stream_of_events_may_be_silent_where_gaze_may_not(monkeypatch):
    """What nothing has happened for is no dead connection."""
    monkeypatch.setattr(rtsp_link, "SILENCE_LIMIT_NS", 300 * MS)
    monkeypatch.setattr(rtsp_link, "FIRST_PACKET_LIMIT_NS", 300 * MS)
    with FakeRtsp(EVENT_SDP) as events, FakeRtsp() as looks, FakeEcho(10**17) as echo, FakeHttp() as http:
        http.components = [*phone_components(None, echo.port), sensor("eye_events", events.port)]
        http.components.append(sensor("gaze", looks.port))
        with Neon(http.address) as neon:
            assert (neon.eye_events.latest(), neon.gaze.latest()) == (None, None)
            now_ns = time.perf_counter_ns() + 10**17
            events.session(0).send_rtp(rtp(7, 0, struct.pack("!iq", 5, 0), payload_type=101))
            session = looks.session(0)
            session.send_rtcp(sender_report(now_ns, 0))
            session.send_rtp(rtp(0, 0, gaze(1)))
            wait_until(lambda: "silent for" in "".join(gap.cause for gap in neon.gaze.health.gaps))
            events.session(0).send_rtp(rtp(8, 0, struct.pack("!iq", 3, now_ns), payload_type=101))
            event = neon.eye_events.wait(20)
            assert (event.kind, event.start_ns, event.sequence) == (EyeEventKind.FIXATION_ONSET, now_ns, 8)
            health = neon.eye_events.health
            assert (health.received, health.gaps, health.malformed) == (2, (), 0)
            assert len(events.sessions) == 1
