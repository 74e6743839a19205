"""The Neon among PsychoPy's devices, without ioHub."""

from __future__ import annotations

from collections.abc import Iterator
from types import SimpleNamespace

import pytest
from test_host import wait_until

from psychopy_neon.plugin.exchange import packed_layout, unpacked_gaze
from psychopy_neon.plugin.window_units import WindowFacts
from psychopy_neon.screen.layout import ScreenLayout
from psychopy_neon.simulator import SimulatedNeon, SimulatorSettings, synthetic_screen
from psychopy_neon.simulator.screens import StillScreen

pytestmark = pytest.mark.once

IMAGE, TAGS = synthetic_screen()
CLASS = "psychopy_neon.plugin.native.NeonDevice"


@pytest.fixture
def manager(psychopy: SimpleNamespace) -> Iterator[SimpleNamespace]:
    from psychopy.hardware import DeviceManager

    yield DeviceManager
    if DeviceManager.hasDevice("eyetracker"):
        DeviceManager.removeDevice("eyetracker")


@pytest.fixture
def sim() -> Iterator[SimulatedNeon]:
    with SimulatedNeon(SimulatorSettings(scene_fps=15), StillScreen(IMAGE)) as sim:
        yield sim


def test_it_serves_the_parts_that_expect_iohub(manager, sim):
    from psychopy.hardware.eyetracker import EyetrackerControl

    sim.look_at(960, 540)
    device = manager.addDevice(deviceClass=CLASS, deviceName="eyetracker", address=sim.address)
    assert manager.getDevice("eyetracker") is device
    facts = list(WindowFacts(1920, 1080, "pix"))
    assert device.useLayouts([packed_layout(ScreenLayout((1920, 1080), TAGS))], facts) == {}
    control = EyetrackerControl(device)
    control.start()
    assert control.currentlyRecording
    wait_until(lambda: control.getPos() is not None, device.getReport)
    assert control.getPos() == pytest.approx((0, 0), abs=2)
    assert unpacked_gaze(device.getScreenGaze()).is_on_screen
    assert device.sendEvent("cue") == {}
    control.stop()
    assert not device.isRecordingEnabled()
    assert [each["name"] for each in sim.truth.records("event")] == ["cue"]
    assert device.neon.gaze.health.received > 0
    assert device.runSetupProcedure({}) == 200


@pytest.mark.filterwarnings("ignore:SelectableGroups:DeprecationWarning")  # of PsychoPy
def test_calibrate_finds_the_class_that_it_looks_up(manager, sim, open_window, psychopy):
    from psychopy.hardware.eyetracker import EyetrackerCalibration

    device = manager.addDevice(deviceClass=CLASS, deviceName="eyetracker", address=sim.address)
    wait_until(device.isConnected, device.getReport)
    win = open_window((320, 240))
    target = psychopy.visual.TargetStim(win)
    calibration = EyetrackerCalibration(win, device, target)
    calibration.run()
    assert calibration.last == 200


def test_a_device_that_does_not_answer_is_an_error_that_says_why(manager):
    from psychopy.hardware.exceptions import DeviceNotConnectedError

    with pytest.raises(DeviceNotConnectedError, match="no Neon found"):
        manager.addDevice(deviceClass=CLASS, deviceName="eyetracker", address="127.0.0.1:9", waitTime=1.0)
    assert not manager.hasDevice("eyetracker")


def test_two_phones_are_two_devices(manager, sim):
    device = manager.addDevice(deviceClass=CLASS, deviceName="eyetracker", address=sim.address)
    assert device.isSameDevice({"deviceName": "phone", "address": sim.address})
    assert not device.isSameDevice({"deviceName": "phone", "address": "192.0.2.1:8080"})
