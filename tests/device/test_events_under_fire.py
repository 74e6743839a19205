"""Events while network or device fail, or the program is killed; the simulator's truth is the judge."""

import itertools
import os
import signal
import subprocess
import sys
import time

import pytest
from fakes import wait_until

from psychopy_neon.device.journal_reader import read_journal
from psychopy_neon.device.neon import Neon
from psychopy_neon.device.pending import EventState
from psychopy_neon.errors import NeonTimeoutError
from psychopy_neon.simulator import SimulatedNeon, SimulatorSettings

pytestmark = pytest.mark.once
LIMIT_S = 20.0
MS = 1_000_000
FRAME_S = 1 / 60


@pytest.fixture
def sim():
    with SimulatedNeon(SimulatorSettings(offset_ns=500 * MS, drift_ppm=40.0)) as sim:
        yield sim


@pytest.fixture
def neon(sim, tmp_path):
    with Neon(sim.address, journal=tmp_path / "run.jsonl") as neon:
        neon.start_recording()
        yield neon


def send_for(neon, seconds):
    """An event in every frame, each of another name."""
    end_s = time.monotonic() + seconds
    pending = []
    for number in itertools.count():
        if time.monotonic() >= end_s:
            return pending
        pending.append(neon.send_event(f"e{number}"))
        time.sleep(FRAME_S)  # the experiment draws


def on_device(sim):
    """Times of each event by its name, in the order in which the device first took them."""
    taken = {}
    for record in sim.truth.records("event"):
        taken.setdefault(record["name"], []).append(record["device_ns"])
    return taken


def assert_all_there(sim, events):
    """Nothing is lost, the order is kept, repeats are identical, and times are true; names that came more than once."""
    taken = on_device(sim)
    assert list(taken) == [event.name for event in events]
    for event in events:
        (device_ns,) = set(taken[event.name])
        assert device_ns == event.device_ns
        assert abs(device_ns - sim.clock.device_ns(event.host_ns)) <= event.bound_ns + MS
    return [name for name, times in taken.items() if len(times) > 1]


def ride_out(sim, neon, seconds):
    """Send through whatever goes wrong and for a second after it."""
    pending = send_for(neon, seconds + 1.0)
    events = [each.wait(LIMIT_S) for each in pending]
    assert {each.state for each in pending} == {EventState.CONFIRMED}
    assert neon.outbox.health.waiting == 0
    return assert_all_there(sim, events)


def fail_for(sim, neon, seconds):
    sim.fail_http(seconds)
    assert ride_out(sim, neon, seconds) == [], "503 has taken nothing, so nothing is there twice"
    assert any(record["fate"] == "refused" for record in sim.truth.records("request"))


def cut_for(sim, neon, seconds):
    pending = send_for(neon, 0.2)
    sim.cut_network()
    pending += [neon.send_event(f"cut {number}") for number in range(20)]
    time.sleep(seconds)  # the length of the cut is what is tested
    assert not pending[-1].is_done
    sim.cut_network(False)
    pending += [neon.send_event(f"after {number}") for number in range(20)]
    twice = assert_all_there(sim, [each.wait(LIMIT_S) for each in pending])
    assert len(twice) <= neon.outbox.health.repeated, "only what was on its way when it was cut"


def test_503(sim, neon):
    fail_for(sim, neon, 1.0)


def test_cut(sim, neon):
    cut_for(sim, neon, 1.0)


@pytest.mark.long
@pytest.mark.timeout(180)
def test_503_for_5_s(sim, neon):
    fail_for(sim, neon, 5.0)


@pytest.mark.long
@pytest.mark.timeout(180)
def test_cut_for_20_s(sim, neon):
    cut_for(sim, neon, 20.0)


def test_answers_lost_but_told_by_the_websocket(sim, neon):
    sim.lose_answers(3, is_published=True)
    pending = [neon.send_event(f"e{number}") for number in range(10)]
    assert assert_all_there(sim, [each.wait(LIMIT_S) for each in pending]) == []
    assert sum(record["fate"] == "answer_lost" for record in sim.truth.records("request")) == 3


def test_answers_lost_and_nobody_told(sim, neon):
    sim.lose_answers(1, is_published=False)
    pending = [neon.send_event(f"e{number}") for number in range(10)]
    assert assert_all_there(sim, [each.wait(LIMIT_S) for each in pending]) == ["e0"], "twice, and identical"
    assert neon.outbox.health.repeated == 1


def test_stop_comes_after_all_events(sim, neon):
    sim.fail_http(1.0)
    pending = [neon.send_event(f"e{number}") for number in range(50)]
    neon.stop_recording(LIMIT_S)
    assert all(each.is_done and each.error is None for each in pending)
    recordings = {record["recording_id"] for record in sim.truth.records("event")}
    assert len(recordings) == 1
    assert None not in recordings


def test_stop_in_a_cut_says_what_it_waits_for_and_does_not_come_later(sim, neon):
    sim.cut_network()
    pending = [neon.send_event(f"e{number}") for number in range(5)]
    with pytest.raises(NeonTimeoutError, match=r"5 event\(s\) still wait"):
        neon.stop_recording(0.3)
    sim.cut_network(False)
    assert_all_there(sim, [each.wait(LIMIT_S) for each in pending])
    assert neon.send_event("on").wait(LIMIT_S).recording_id, "the recording goes on"


def test_recording_whose_answers_are_lost(sim, neon):
    neon.cancel_recording()
    sim.lose_answers(1)
    recording_id = neon.start_recording(LIMIT_S)
    assert neon.status.recording.id == recording_id
    sim.lose_answers(1)
    neon.stop_recording(LIMIT_S)
    actions = [record["action"] for record in sim.truth.records("recording")]
    assert actions == ["START", "STOP", "DISCARD", "START", "STOP", "SAVE"], "each once"


# Killed


CHILD = """
import sys
from psychopy_neon.device.neon import Neon

def next_line():
    print("ready", flush=True)
    return sys.stdin.readline()

neon = Neon(sys.argv[1], journal=sys.argv[2])
neon.start_recording()
for number in range(10):
    neon.send_event(f"early {number}").wait(20)
next_line()
for number in range(30):
    neon.send_event(f"late {number}")
next_line()
"""


@pytest.fixture
def killed(sim, tmp_path):
    """A program that sent ten events, and thirty to a device that had gone mad, when it was killed; its journal."""
    path = tmp_path / "killed.jsonl"
    command = [sys.executable, "-c", CHILD, sim.address, str(path)]
    with subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True) as child:
        assert child.stdout.readline() == "ready\n"
        sim.lose_answers(1000, is_published=False)
        child.stdin.write("\n")
        child.stdin.flush()
        # The device takes the first of them without an answer, and then cannot be reached any more.
        sim.truth.wait("event", 11, LIMIT_S)
        sim.cut_network()
        assert child.stdout.readline() == "ready\n"
        wait_until(lambda: len(read_journal(path).events) == 40, LIMIT_S)
        os.kill(child.pid, signal.SIGKILL if sys.platform != "win32" else signal.SIGTERM)
        child.wait(LIMIT_S)
    sim.lose_answers(0)
    sim.cut_network(False)
    return path


def events_command(*arguments):
    command = [sys.executable, "-m", "psychopy_neon", "events", *map(str, arguments)]
    return subprocess.run(command, capture_output=True, text=True, timeout=60, check=False)


def test_killed_and_redelivered(sim, killed):
    events = list(read_journal(killed).events.values())
    assert [event.state for event in events[:11]] == [EventState.CONFIRMED] * 10 + [EventState.UNSURE]
    assert events[10].device_ns == on_device(sim)["late 0"][0]
    assert [event.name for event in events] == [f"early {n}" for n in range(10)] + [f"late {n}" for n in range(30)]
    assert events_command(killed).returncode == 1, "not all is there"

    done = events_command(killed, "--redeliver", sim.address)
    assert done.returncode == 0, done.stdout + done.stderr
    assert assert_all_there(sim, list(read_journal(killed).events.values())) == ["late 0"], "twice, and identical"
    assert len({record["recording_id"] for record in sim.truth.records("event")}) == 1

    count = sim.truth.count("event")
    assert events_command(killed, "--redeliver", sim.address).returncode == 0
    assert sim.truth.count("event") == count, "nothing is sent again that was confirmed"


def test_killed_and_the_recording_has_ended(sim, killed):
    count = sim.truth.count("event")
    with Neon(sim.address) as neon:
        neon.stop_recording()
        neon.start_recording()
    done = events_command(killed, "--redeliver", sim.address, "--json")
    assert done.returncode == 1
    assert "has ended" in done.stdout
    assert sim.truth.count("event") == count
