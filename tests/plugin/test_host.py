"""A Neon behind PsychoPy: connecting in the background, states and their sentences, recordings, events that wait."""

from __future__ import annotations

import json
import socket
import time
from collections.abc import Callable, Iterator
from contextlib import ExitStack
from typing import Any

import pytest

from psychopy_neon.errors import ConfigurationError, NeonTimeoutError, RecordingRefusedError
from psychopy_neon.plugin.host import HELD_LIMIT, HostSettings, HostState, NeonHost
from psychopy_neon.plugin.window_units import WindowFacts
from psychopy_neon.samples import GazeReason
from psychopy_neon.screen.layout import ScreenLayout
from psychopy_neon.simulator import SimulatedNeon, SimulatorSettings, synthetic_screen
from psychopy_neon.simulator.screens import StillScreen

pytestmark = pytest.mark.once

IMAGE, TAGS = synthetic_screen()
LAYOUT = ScreenLayout((1920, 1080), TAGS)
LIMIT_S = 20.0
SECOND_NS = 1_000_000_000


def wait_until(is_it: Callable[[], bool], what: Any) -> None:
    end = time.monotonic() + LIMIT_S
    while not is_it():
        assert time.monotonic() < end, what()
        time.sleep(0.01)


@pytest.fixture
def stack() -> Iterator[ExitStack]:
    with ExitStack() as stack:
        yield stack


@pytest.fixture
def simulate(stack: ExitStack) -> Callable[..., SimulatedNeon]:
    def simulate(**settings: Any) -> SimulatedNeon:
        sim = SimulatedNeon(SimulatorSettings(**{"scene_fps": 15, **settings}), StillScreen(IMAGE))
        return stack.enter_context(sim)

    return simulate


@pytest.fixture
def host_of(stack: ExitStack) -> Callable[..., NeonHost]:
    def host_of(address: str, **settings: Any) -> NeonHost:
        host = NeonHost(HostSettings(address=address, **settings))
        stack.callback(host.close)
        return host

    return host_of


def wait_for(host: NeonHost, state: HostState) -> None:
    wait_until(lambda: host.state is state, host.report)


def free_port() -> int:
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        return free.getsockname()[1]


# Connecting


def test_gaze_in_window_units_once_there_is_a_layout(simulate, host_of):
    sim = simulate()
    sim.look_at(480, 270)
    host = host_of(sim.address)
    wait_for(host, HostState.READY)
    assert host.screen_gaze().reason is GazeReason.NO_LAYOUT
    assert host.position() is None
    host.use_layouts([LAYOUT], WindowFacts(1920, 1080, "height"))
    wait_until(lambda: host.position() is not None, host.screen_gaze)
    assert host.position() == pytest.approx((-480 / 1080, 0.25), abs=0.005)
    host.use_layouts([])
    assert host.screen_gaze().reason is GazeReason.NO_LAYOUT


def test_units_that_the_monitor_does_not_allow_are_a_sentence(simulate, host_of):
    host = host_of(simulate().address)
    host.use_layouts([LAYOUT], WindowFacts(1920, 1080, "deg", monitor_name="lab"))
    wait_until(lambda: host.screen_gaze().pos is not None, host.screen_gaze)
    assert host.position() is None
    wait_until(lambda: "Monitor Center" in (host.problem or ""), host.report)


def test_it_is_there_before_its_device(simulate, host_of):
    port = free_port()
    host = host_of(f"127.0.0.1:{port}")
    wait_until(lambda: host.problem is not None, host.report)
    assert host.state is HostState.CONNECTING
    assert "no Neon found" in host.problem
    assert host.screen_gaze().reason is GazeReason.NO_STREAM
    assert host.take() == []
    with pytest.raises(NeonTimeoutError, match="no Neon found"):
        host.connected(0)
    simulate(port=port)
    wait_for(host, HostState.READY)
    assert host.problem is None


def test_a_device_that_goes_away_and_comes_back(simulate, host_of):
    sim = simulate()
    host = host_of(sim.address)
    wait_for(host, HostState.READY)
    sim.cut_network()
    wait_for(host, HostState.LOST)
    assert "went away" in host.problem
    sim.cut_network(False)
    wait_for(host, HostState.READY)


def test_gaze_that_stops_is_lost_although_the_phone_answers(simulate, host_of):
    sim = simulate()
    host = host_of(sim.address)
    wait_for(host, HostState.READY)
    sim.mute("gaze")
    wait_for(host, HostState.LOST)
    assert "no gaze has arrived" in host.problem


@pytest.mark.parametrize(("name", "value"), [("record", "tape"), ("left_running", "ask"), ("at_end", "")])
def test_choices_that_there_are_not(name: str, value: str):
    with pytest.raises(ConfigurationError, match=name):
        HostSettings.of({name: value, "whatever ioHub adds": 1})


# Recordings


def actions(sim: SimulatedNeon) -> list[str]:
    """Without the STOP that the phone tells before it saves or discards."""
    return [each["action"] for each in sim.truth.records("recording") if each["action"] != "STOP"]


def test_a_recording_is_started_saved_and_told_of(simulate, host_of):
    sim = simulate()
    host = host_of(sim.address)
    host.recording.start()
    host.recording.start()  # nothing changes
    report = host.report()
    assert report["is_recording"]
    assert report["recording_id"] == host.neon.status.recording.id
    host.recording.finish("save")
    host.recording.finish("cancel")  # nothing runs any more
    assert actions(sim) == ["START", "SAVE"]
    assert host.report()["recording_ended"] is None


def test_without_the_phone_nothing_is_recorded_there(simulate, host_of):
    sim = simulate()
    host = host_of(sim.address, record="stream")
    host.recording.start()
    assert host.recording.is_running
    host.recording.finish("save")
    assert actions(sim) == []


def test_a_refused_recording_does_not_run(simulate, host_of):
    sim = simulate()
    sim.refuse_start("no wearer selected")
    host = host_of(sim.address)
    with pytest.raises(RecordingRefusedError, match="no wearer"):
        host.recording.start()
    assert not host.recording.is_running


@pytest.mark.parametrize(
    ("left_running", "expected"),
    [("use", ["START"]), ("save", ["START", "SAVE", "START"]), ("cancel", ["START", "DISCARD", "START"])],
)
def test_a_recording_that_was_left_running(simulate, host_of, left_running: str, expected: list[str]):
    sim = simulate()
    before = host_of(sim.address)
    before.recording.start()
    host = host_of(sim.address, left_running=left_running)
    host.recording.start()
    assert actions(sim) == expected
    assert (host.recording.id == before.recording.id) is (left_running == "use")


def test_a_recording_that_ends_on_the_phone_is_noticed(simulate, host_of):
    sim = simulate()
    host = host_of(sim.address)
    host.recording.start()
    sim.fail_recording("storage is full")
    wait_until(lambda: not host.recording.is_running, host.report)
    assert "storage is full" in host.report()["recording_ended"]
    wait_until(lambda: "storage is full" in (host.problem or ""), host.report)
    host.recording.start()  # another try begins anew
    assert host.report()["recording_ended"] is None


@pytest.mark.parametrize(("at_end", "action"), [("save", "SAVE"), ("cancel", "DISCARD")])
def test_closing_ends_the_recording(simulate, host_of, at_end: str, action: str):
    sim = simulate()
    host = host_of(sim.address, at_end=at_end)
    host.recording.start()
    host.close()
    host.close()
    assert actions(sim) == ["START", action]
    assert host.state is HostState.CLOSED


# Events


def test_events_wait_for_the_device_and_keep_their_times(simulate, host_of):
    port = free_port()
    host = host_of(f"127.0.0.1:{port}")
    begun_ns = time.perf_counter_ns()
    for number in range(3):
        host.send_event(f"early {number}", begun_ns - number * SECOND_NS)
    assert host.report()["events_unconfirmed"] == 3
    sim = simulate(port=port)
    sim.truth.wait("event", 3, LIMIT_S)
    events = sim.truth.records("event")
    assert [each["name"] for each in events] == ["early 0", "early 1", "early 2"]
    wait_until(lambda: host.report()["events_unconfirmed"] == 0, host.report)
    first, second, third = (each["device_ns"] for each in events)
    assert (first - second, second - third) == pytest.approx((SECOND_NS, SECOND_NS), abs=1_000_000)


def test_an_early_event_that_cannot_be_sent_holds_up_no_other(simulate, host_of):
    port = free_port()
    host = host_of(f"127.0.0.1:{port}")
    host.send_event("", time.perf_counter_ns())
    host.send_event("good", time.perf_counter_ns())
    sim = simulate(port=port)
    sim.truth.wait("event", 1, LIMIT_S)
    assert [each["name"] for each in sim.truth.records("event")] == ["good"]
    assert host.report()["events_refused"] == 1
    wait_until(lambda: "was not sent" in (host.problem or ""), host.report)


def test_too_many_early_events_are_counted(host_of):
    host = host_of(f"127.0.0.1:{free_port()}")
    for number in range(HELD_LIMIT + 2):
        host.send_event(str(number), number)
    assert host.report()["events_refused"] == 2


# Reports


def test_reports_come_by_themselves_and_tell_the_end(simulate, host_of):
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as listener:
        listener.bind(("127.0.0.1", 0))
        listener.settimeout(LIMIT_S)
        sim = simulate()
        host = host_of(sim.address, report_port=listener.getsockname()[1])
        states = []
        while "ready" not in states:
            report = json.loads(listener.recv(4000))
            states.append(report["state"])
        assert (report["phone"], report["template"]["name"]) == ("Neon Simulator", host.neon.template.definition.name)
        assert report["clock_bound_s"] < 0.1
        host.close()
        while states[-1] != "closed":
            states.append(json.loads(listener.recv(4000))["state"])
