"""Names, signatures and commands that demos, docs and outside tests rely on; what they do is tested elsewhere."""

from __future__ import annotations

import inspect
import subprocess
import sys
from collections.abc import Callable
from importlib.metadata import entry_points, version
from typing import Any

import click
import pytest

import psychopy_neon

HEAVY = ["aiohttp", "av", "cv2", "psychopy", "requests", "websocket", "zeroconf"]


def parameters(act: Callable[..., Any]) -> dict[str, object]:
    """Name -> default (or ``...``) of each parameter but ``self``; ``*`` stands before those that need their name."""
    found: dict[str, object] = {}
    for each in inspect.signature(act).parameters.values():
        if each.kind is inspect.Parameter.KEYWORD_ONLY:
            found.setdefault("*", ...)
        if each.name != "self":
            found[each.name] = ... if each.default is inspect.Parameter.empty else each.default
    return found


def needs_no_argument(act: Callable[..., Any]) -> bool:
    return all(default is not ... for name, default in parameters(act).items() if name != "*")


def run_python(code: str) -> str:
    return subprocess.run(
        [sys.executable, "-c", code], capture_output=True, text=True, check=True, timeout=30
    ).stdout.strip()


def test_importing_the_package_is_cheap() -> None:
    code = f"import sys, psychopy_neon; print([name for name in {HEAVY} if name in sys.modules])"
    assert run_python(code) == "[]"


@pytest.mark.parametrize("module", ["errors", "samples", "cli", "wire.rtsp", "timing.offset"])
def test_light_modules_import_nothing_heavy(module: str) -> None:
    code = f"import sys, psychopy_neon.{module}; print([name for name in {HEAVY} if name in sys.modules])"
    assert run_python(code) == "[]"


@pytest.mark.parametrize("name", psychopy_neon.__all__)
def test_every_public_name_is_there(name: str) -> None:
    assert getattr(psychopy_neon, name) is not None
    assert name in dir(psychopy_neon)


def test_public_names() -> None:
    assert {
        "Event",
        "GazeReason",
        "GazeSample",
        "Neon",
        "NeonError",
        "SceneFrame",
        "ScreenGaze",
        "ScreenGazeTracker",
        "ScreenLayout",
        "ScreenMapper",
        "find_devices",
    } <= set(psychopy_neon.__all__)


def test_unknown_name_is_an_attribute_error() -> None:
    with pytest.raises(AttributeError, match="no attribute 'Neno'"):
        _ = psychopy_neon.Neno


def test_version_is_that_of_the_distribution() -> None:
    assert psychopy_neon.__version__ == version("psychopy-neon")


def test_every_error_is_a_neon_error() -> None:
    for name in psychopy_neon.__all__:
        if name.endswith("Error"):
            assert issubclass(getattr(psychopy_neon, name), psychopy_neon.NeonError)


def test_neon_is_opened_by_address_serial_or_name() -> None:
    found = parameters(psychopy_neon.Neon)
    assert list(found)[:4] == ["address", "*", "serial", "name"]
    assert found["address"] is found["serial"] is found["name"] is None
    assert needs_no_argument(psychopy_neon.Neon)


@pytest.mark.parametrize("name", ["status", "calibration"])
def test_neon_properties(name: str) -> None:
    assert isinstance(inspect.getattr_static(psychopy_neon.Neon, name), property)


@pytest.mark.parametrize("name", ["start_recording", "stop_recording", "cancel_recording", "matched", "close"])
def test_neon_acts_need_no_argument(name: str) -> None:
    assert needs_no_argument(getattr(psychopy_neon.Neon, name))


def test_neon_is_a_context_manager() -> None:
    assert callable(psychopy_neon.Neon.__enter__)
    assert callable(psychopy_neon.Neon.__exit__)


def test_send_event() -> None:
    assert parameters(psychopy_neon.Neon.send_event) == {"name": ..., "at_ns": None}


def test_pending_event_is_waited_for() -> None:
    from psychopy_neon.device.outbox import PendingEvent

    assert "timeout_s" in parameters(PendingEvent.wait)


def test_stream_words() -> None:
    from psychopy_neon.device.stream import Reader, Stream

    assert parameters(Stream.take) == parameters(Reader.take) == {}
    assert list(parameters(Stream.wait)) == list(parameters(Reader.wait)) == ["timeout_s"]
    assert needs_no_argument(Stream.latest)
    assert needs_no_argument(Stream.reader)
    assert isinstance(inspect.getattr_static(Stream, "health"), property)


def test_neon_has_its_streams_and_its_clock() -> None:
    from psychopy_neon.device.clock import DeviceClock
    from psychopy_neon.device.stream import Stream
    from psychopy_neon.simulator import SimulatedNeon, SimulatorSettings

    with SimulatedNeon(SimulatorSettings(port=0, mdns=False)) as sim, psychopy_neon.Neon(sim.address) as neon:
        assert isinstance(neon.gaze, Stream)
        assert isinstance(neon.scene, Stream)
        assert isinstance(neon.clock, DeviceClock)


def test_template() -> None:
    from psychopy_neon.device.template import Template

    for name in ("definition", "answers", "trouble"):
        assert isinstance(inspect.getattr_static(Template, name), property)
    assert parameters(Template.fill) == {"answers": ...}
    assert parameters(Template.missing) == parameters(Template.read) == {}


def test_clock() -> None:
    from psychopy_neon.device.clock import DeviceClock

    assert isinstance(inspect.getattr_static(DeviceClock, "offset"), property)
    assert parameters(DeviceClock.host_ns) == {"device_ns": ..., "near_host_ns": None}
    assert parameters(DeviceClock.device_ns) == {"host_ns": ...}


def test_clock_offset_fields() -> None:
    from psychopy_neon.timing.offset import ClockOffset

    assert {"offset_ns", "bound_ns", "drift_ppm", "measured_at_ns", "exchanges", "segment"} <= set(dir(ClockOffset))


@pytest.mark.parametrize(
    ("record", "fields"),
    [
        ("GazeSample", "device_ns host_ns bound_ns x y worn left right sequence"),
        ("ScreenGaze", "pos reason quality age_s sample"),
        ("SceneFrame", "device_ns host_ns bound_ns luma"),
        ("Event", "name device_ns recording_id"),
    ],
)
def test_record_fields(record: str, fields: str) -> None:
    assert set(fields.split()) <= set(inspect.signature(getattr(psychopy_neon, record)).parameters)


def test_find_devices_needs_no_argument() -> None:
    assert needs_no_argument(psychopy_neon.find_devices)


def test_screen_gaze_tracker() -> None:
    assert list(parameters(psychopy_neon.ScreenGazeTracker))[:2] == ["neon", "layout"]
    assert parameters(psychopy_neon.ScreenGazeTracker.latest) == {}


def test_screen_mapper() -> None:
    assert list(parameters(psychopy_neon.ScreenMapper))[:2] == ["calibration", "layout"]
    assert parameters(psychopy_neon.ScreenMapper.locate) == {"luma": ..., "turned": None}


def test_screen_pose() -> None:
    from psychopy_neon.screen.pose import ScreenPose

    assert len(parameters(ScreenPose.screen_from_scene)) == 1


SIMULATE = """--host --port --name --serial --gaze --scene --offset-ms --drift-ppm --echo-jitter-ms --loss --reorder
--refuse-start --model --truth --faults --seed --no-mdns --seconds"""


@pytest.mark.parametrize(
    ("name", "words"),
    [
        ("simulate", SIMULATE),
        ("discover", "--json"),
        ("status", "address --json"),
        ("demo", "name --simulate --frames"),
        ("events", "path --json --redeliver"),
    ],
)
def test_commands_and_their_options(name: str, words: str) -> None:
    from psychopy_neon.cli import main

    command = main.get_command(click.Context(main), name)
    assert command is not None
    assert set(words.split()) <= {option for param in command.params for option in param.opts}


def test_command_is_installed() -> None:
    (script,) = entry_points(group="console_scripts", name="psychopy-neon")
    assert script.value == "psychopy_neon.cli:main"
