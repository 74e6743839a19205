"""PsychoPy opens its display when it is imported, so nothing here imports it before a test needs it."""

from __future__ import annotations

import os
import sys
import warnings
from collections.abc import Callable, Iterator
from pathlib import Path
from types import SimpleNamespace

import numpy as np
import pytest

EVERY_PYTHON = ("test_visual.py", "test_events.py")

sys.path.insert(0, str(Path(__file__).parent))  # for doubles.py: tests are imported one by one, not as a package


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """Of all tests here: the tags in small windows would truly be too small at the monitor's distance, which is not the
    point; and windows take time, and are the same for every Python."""
    here = Path(__file__).parent
    for item in items:
        if here in item.path.parents:
            item.add_marker(pytest.mark.filterwarnings("ignore:.* a module of the smallest tag:UserWarning"))
            if "open_window" in getattr(item, "fixturenames", ()) and item.path.name not in EVERY_PYTHON:
                item.add_marker(pytest.mark.once)


@pytest.fixture(autouse=True)
def default_clock() -> Iterator[None]:
    """A script of the Builder sets the clock of PsychoPy's log; no other test is to meet that."""
    yield
    if "psychopy.logging" in sys.modules:
        sys.modules["psychopy.logging"].setDefaultClock(sys.modules["psychopy.clock"].monotonicClock)


@pytest.fixture(scope="session")
def psychopy() -> SimpleNamespace:
    """PsychoPy's modules and ours that need them."""
    if sys.platform.startswith("linux") and not os.environ.get("DISPLAY"):
        pytest.skip("PsychoPy needs a display and DISPLAY is not set; a virtual one (Xvfb) will do")
    pytest.importorskip("psychopy")
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")  # what PsychoPy's own imports warn of is not ours to mend
        from psychopy import core, data, logging, monitors, visual
        from psychopy.tools import monitorunittools

        from psychopy_neon.plugin import clock, events, mirror
        from psychopy_neon.plugin import visual as plugin_visual
        from psychopy_neon.plugin.visual import AprilTag, AprilTagFrame, GazeCursor, gaze_tool
    return SimpleNamespace(
        core=core,
        data=data,
        logging=logging,
        monitors=monitors,
        visual=visual,
        monitorunittools=monitorunittools,
        clock=clock,
        events=events,
        mirror=mirror,
        AprilTag=AprilTag,
        AprilTagFrame=AprilTagFrame,
        GazeCursor=GazeCursor,
        plugin_visual=plugin_visual,
        gaze_tool=gaze_tool,
    )


@pytest.fixture
def open_window(psychopy: SimpleNamespace) -> Iterator[Callable[..., object]]:
    """Opens windows that are closed at the end of the test."""
    windows = []

    def open_window(size: tuple[int, int] = (800, 600), **settings: object) -> object:
        monitor = psychopy.monitors.Monitor("test", width=53.0, distance=65.0)
        monitor.setSizePix((1920, 1080))
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")
            win = psychopy.visual.Window(
                size, monitor=monitor, fullscr=False, allowGUI=False, checkTiming=False, **settings
            )
        windows.append(win)
        return win

    yield open_window
    for win in windows:
        win.close()


def pixels(win: object) -> np.ndarray:
    """What has been drawn since the last flip, RGB, first row on top."""
    return np.asarray(win._getFrame(buffer="back"))


@pytest.fixture
def grab() -> Callable[[object], np.ndarray]:
    return pixels


@pytest.fixture
def neon(psychopy: SimpleNamespace) -> object:
    from doubles import FakeNeon

    return FakeNeon()


@pytest.fixture
def judge(psychopy: SimpleNamespace, monkeypatch: pytest.MonkeyPatch) -> object:
    """PsychoPy's default clock, replaced by one that knows when it was read."""
    from doubles import JudgeClock

    clock = JudgeClock()
    monkeypatch.setattr(psychopy.logging, "defaultClock", clock)
    return clock
