"""The whole client against the simulator and its ground truth."""

import itertools
import os
import subprocess
import sys
import threading
import time

import numpy as np
import pytest
from fakes import wait_until

from psychopy_neon.device.neon import Neon
from psychopy_neon.errors import (
    LinkError,
    NeonError,
    RecordingRefusedError,
)
from psychopy_neon.simulator import SimulatedNeon, SimulatorSettings
from psychopy_neon.simulator.frame_code import read_frame_code

MS = 1_000_000
S = 1000 * MS
WRAP = 2**24


def open_sockets():
    """Inode numbers of the sockets that this process holds (Linux)."""
    found = set()
    for name in os.listdir("/proc/self/fd"):
        try:
            target = os.readlink(f"/proc/self/fd/{name}")
        except OSError:
            continue
        if target.startswith("socket:"):
            found.add(target)
    return found


def our_threads():
    return [thread.name for thread in threading.enumerate() if thread.name.startswith("psychopy-neon:")]


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


# Against the truth


def truth_of(simulated, kind, last):
    """Records by number; the newest is written only after its datum was sent."""

    def by_number():
        records = {record["number"] % WRAP: record for record in simulated.truth.records(kind)}
        return records if last in records else None

    return wait_until(by_number)


@pytest.mark.parametrize(
    ("offset_ns", "drift_ppm"), [(500 * MS, 0.0), (-3600 * S, 0.0), (0, 50.0)], ids=["ahead", "behind", "drift"]
)
def test_gaze_is_complete_and_its_times_are_true(simulate, offset_ns, drift_ppm):
    simulated = simulate(offset_ns=offset_ns, drift_ppm=drift_ppm, number_gaze=True)
    with Neon(simulated.address) as neon:
        samples = [neon.gaze.wait(20) for _ in range(200)]
        health = neon.gaze.health
    numbers = [int(sample.x) for sample in samples]
    truth = truth_of(simulated, "gaze", numbers[-1])
    assert numbers == list(range(numbers[0], numbers[0] + 200)), "none is missing, none comes twice"
    for sample in samples:
        record = truth[int(sample.x)]
        assert abs(sample.device_ns - record["device_ns"]) <= 20_000, "to the tick"
        assert abs(sample.host_ns - record["host_ns"]) <= sample.bound_ns
        assert sample.bound_ns < 20 * MS
        assert sample.y == pytest.approx(record["y"])
    assert (health.lost, health.malformed, health.duplicate, health.dropped, health.gaps) == (0, 0, 0, 0, ())
    assert health.rate_hz == pytest.approx(200, rel=0.2)


def test_lost_and_reordered_packets(simulate):
    simulated = simulate(number_gaze=True, loss=0.05, reorder=0.1, seed=3)
    with Neon(simulated.address) as neon:
        samples = [neon.gaze.wait(20) for _ in range(200)]
    numbers = [int(sample.x) for sample in samples]
    assert numbers == sorted(set(numbers))
    lost = {r["number"] for r in simulated.truth.records("packet") if r["fate"] == "lost" and r["stream"] == "gaze"}
    missing = set(range(numbers[0], numbers[-1])) - set(numbers)
    assert missing <= lost
    assert missing


def test_scene_frames_in_order_with_their_true_times(simulate):
    simulated = simulate(frame_code=True, offset_ns=500 * MS, scene_fps=15.0)
    with Neon(simulated.address) as neon:
        frames = [neon.scene.wait(20) for _ in range(8)]
    numbers = [read_frame_code(frame.luma) for frame in frames]
    assert numbers == list(range(numbers[0], numbers[0] + 8))
    truth = truth_of(simulated, "frame", numbers[-1])
    for frame, number in zip(frames, numbers, strict=True):
        assert abs(frame.device_ns - truth[number]["device_ns"]) <= 20_000
        assert abs(frame.host_ns - truth[number]["host_ns"]) <= frame.bound_ns
        assert frame.luma.shape == (1200, 1600)
        assert frame.u.shape == frame.v.shape == (600, 800)


def test_matched(simulate):
    simulated = simulate(scene_fps=15.0)
    with Neon(simulated.address) as neon:
        pairs = list(itertools.islice(neon.matched(10.0), 8))
    for frame, sample in pairs[2:]:
        assert abs(frame.device_ns - sample.device_ns) <= 2_600_000
    assert [frame.sequence for frame, _ in pairs] == sorted(frame.sequence for frame, _ in pairs)


@pytest.mark.parametrize("offset_ns", [500 * MS, -3600 * S])
def test_event_times_are_true(simulate, offset_ns):
    simulated = simulate(offset_ns=offset_ns)
    with Neon(simulated.address) as neon:
        recording_id = neon.start_recording()
        assert neon.status.is_recording
        bound_ns = neon.clock.offset.bound_ns
        host_ns = neon.host_clock.now_ns() - 250 * MS
        event = neon.send_event("then", at_ns=host_ns).wait(20)
        now = neon.send_event("now").wait(20)
        arrived = neon.send_event("arrived", at_ns="arrival").wait(20)
        neon.stop_recording()
        assert not neon.status.is_recording
        bound_ns = max(bound_ns, neon.clock.offset.bound_ns)
    assert event.recording_id == now.recording_id == recording_id
    assert abs(event.device_ns - simulated.clock.device_ns(host_ns)) <= bound_ns
    records = simulated.truth.records("event")
    assert [record["name"] for record in records] == ["then", "now", "arrived"]
    assert [record["device_ns"] for record in records] == [event.device_ns, now.device_ns, arrived.device_ns]
    assert abs(now.device_ns - simulated.clock.device_ns(records[1]["host_ns"])) < 500 * MS
    assert arrived.device_ns % MS == 0


def test_recording_is_refused_with_the_reason(simulate):
    simulated = simulate(refuse_start="Storage is full")
    with Neon(simulated.address) as neon:
        with pytest.raises(RecordingRefusedError, match="Storage is full"):
            neon.start_recording()
        with pytest.raises(RecordingRefusedError, match="No recording"):
            neon.stop_recording()
        simulated.refuse_start(None)
        neon.start_recording()
        neon.cancel_recording()
    assert [record["action"] for record in simulated.truth.records("recording")] == ["START", "STOP", "DISCARD"]


def test_streams_come_from_the_address_that_was_given(simulate):
    simulated = simulate(reported_ip="192.0.2.55")
    with Neon(simulated.address) as neon:
        assert neon.status.sensor("gaze").ip == "192.0.2.55"
        assert neon.gaze.wait(20)


def test_cut_stream_comes_back(simulate):
    simulated = simulate(number_gaze=True)
    with Neon(simulated.address) as neon:
        for _ in range(20):
            neon.gaze.wait(20)
        simulated.drop_streams()
        wait_until(lambda: neon.gaze.health.gaps and neon.gaze.health.gaps[0].end_ns)
        neon.gaze.take()
        samples = [neon.gaze.wait(20) for _ in range(20)]
        (gap,) = neon.gaze.health.gaps
        neon.check_link()
    truth = truth_of(simulated, "gaze", int(samples[-1].x))
    for sample in samples:
        assert abs(sample.device_ns - truth[int(sample.x)]["device_ns"]) <= 20_000
    assert gap.end_ns - gap.start_ns < 2 * S
    assert "closed" in gap.cause


def test_sensor_unplugged_and_back(simulate):
    simulated = simulate()
    with Neon(simulated.address) as neon:
        neon.gaze.wait(20)
        simulated.set_sensor("gaze", connected=False)
        wait_until(lambda: not neon.status.sensor("gaze").connected)
        wait_until(lambda: neon.gaze.health.gaps)
        neon.check_link()
        simulated.set_sensor("gaze", connected=True)
        wait_until(lambda: neon.gaze.health.gaps[-1].end_ns)


def test_step_of_the_devices_clock(simulate):
    simulated = simulate(number_gaze=True)
    with Neon(simulated.address) as neon:
        neon.gaze.wait(20)
        simulated.step_clock(-10 * S)
        wait_until(lambda: neon.clock.offset.segment == 1)
        assert abs(neon.clock.offset.offset_ns + neon.host_clock.now_ns() - simulated.clock.now_ns()) < 50 * MS


def test_calibration(simulate):
    simulated = simulate(serial="654321")
    with Neon(simulated.address) as neon:
        calibration = neon.calibration
        assert calibration.serial == "654321"
        assert np.array_equal(calibration.scene.matrix, simulated.calibration.scene.matrix)
        assert neon.calibration is calibration


# The end


def test_check_link_raises_when_the_device_is_gone(simulate):
    simulated = simulate()
    with Neon(simulated.address) as neon:
        neon.gaze.wait(20)
        neon.check_link()
        simulated.close()
        begin = time.monotonic()

        def is_lost():
            neon.check_link()
            return False

        with pytest.raises(LinkError, match="went away") as caught:
            wait_until(is_lost)
        assert time.monotonic() - begin < 2.0
        assert caught.value.last_packet_age_s >= 1.0


def test_close_leaves_no_thread_and_no_socket(simulate):
    simulated = simulate()
    before = open_sockets()
    neon = Neon(simulated.address)
    neon.gaze.wait(20)
    neon.scene.wait(20)
    neon.send_event("x").wait(20)
    assert neon.calibration
    assert {"psychopy-neon:gaze", "psychopy-neon:world", "psychopy-neon:decoder", "psychopy-neon:clock"} <= set(
        our_threads()
    )
    begin = time.monotonic()
    neon.close()
    assert time.monotonic() - begin < 3.0
    assert our_threads() == []

    def ours():
        # The simulator's ends of the connections close a moment later, in its own thread.
        return open_sockets() - before

    wait_until(lambda: not ours())
    neon.close()
    assert repr(neon).endswith(", closed>")


def test_use_after_close(simulate):
    neon = Neon(simulate().address)
    reader = neon.gaze.reader()
    neon.close()
    acts = [
        lambda: neon.status,
        lambda: neon.calibration,
        neon.check_link,
        neon.start_recording,
        neon.stop_recording,
        neon.cancel_recording,
        lambda: neon.send_event("x"),
        neon.gaze.latest,
        neon.gaze.take,
        neon.gaze.wait,
        neon.scene.latest,
        neon.scene.reader,
        reader.take,
        reader.wait,
        lambda: next(neon.matched(0.1)),
    ]
    for act in acts:
        with pytest.raises(NeonError, match="this Neon is closed; open a new one"):
            act()
    assert neon.gaze.health.malformed == 0
    assert neon.address


def test_device_dies_in_the_middle_of_everything(simulate):
    simulated = simulate()
    neon = Neon(simulated.address, timeout_s=1.0)
    neon.gaze.wait(20)
    neon.scene.wait(20)
    neon.start_recording()
    closer = threading.Thread(target=simulated.close)
    pending = []
    for number in range(300):
        if number == 50:
            closer.start()
        pending.append(neon.send_event(f"e{number}"))
        neon.gaze.latest()
        neon.scene.latest()
    closer.join(10)
    begin = time.monotonic()
    neon.close()
    assert time.monotonic() - begin < 4.0
    assert our_threads() == []
    assert all(each.is_done for each in pending)
    assert [each.error is None for each in pending] == sorted((each.error is None for each in pending), reverse=True)


def test_close_while_others_wait(simulate):
    simulated = simulate()
    neon = Neon(simulated.address)
    neon.gaze.wait(20)
    simulated.mute("gaze")
    errors = []

    def wait():
        try:
            while True:
                neon.gaze.wait(0.5)
        except NeonError as error:
            errors.append(error)

    waiting = [threading.Thread(target=wait) for _ in range(3)]
    for each in waiting:
        each.start()
    neon.close()
    for each in waiting:
        each.join(20)
    assert len(errors) == 3


SCRIPT = """
import sys, threading
from psychopy_neon.device.neon import Neon
neon = Neon(sys.argv[1])
neon.gaze.wait(20)
neon.scene.wait(20)
neon.start_recording()
pending = neon.send_event("last words")
{end}
"""


@pytest.mark.parametrize(("end", "code"), [("", 0), ("1 / 0", 1)])
def test_exit_without_close_ends_cleanly(simulate, end, code):
    simulated = simulate()
    script = SCRIPT.format(end=end)
    begin = time.monotonic()
    command = [sys.executable, "-X", "dev", "-W", "error::ResourceWarning", "-c", script, simulated.address]
    done = subprocess.run(command, capture_output=True, text=True, timeout=30, check=False)
    assert done.returncode == code, done.stderr
    assert time.monotonic() - begin < 20
    if not code:
        assert done.stderr == ""
    assert "Fatal" not in done.stderr
    assert [record["name"] for record in simulated.truth.records("event")] == ["last words"]
