"""The judge of ``judge.py`` as fixtures."""

from __future__ import annotations

import sys
from collections.abc import Callable
from pathlib import Path

import pytest

from psychopy_neon.samples import CameraCalibration
from psychopy_neon.screen.layout import ScreenLayout
from psychopy_neon.simulator.factory import factory_calibration
from psychopy_neon.simulator.lens import Lens, SceneCamera
from psychopy_neon.simulator.render import SceneRenderer
from psychopy_neon.simulator.screens import StillScreen, synthetic_screen
from psychopy_neon.simulator.settings import HeadPose

sys.path.insert(0, str(Path(__file__).parent))  # for judge.py: tests are imported one by one, not as a package

from judge import Image, View


@pytest.fixture(scope="session")
def calibration() -> CameraCalibration:
    return factory_calibration("114837")


@pytest.fixture(scope="session")
def screen() -> tuple[Image, ScreenLayout]:
    """A screen's picture and its layout."""
    image, tags = synthetic_screen()
    return image, ScreenLayout((image.shape[1], image.shape[0]), tags)


@pytest.fixture(scope="session")
def look(calibration: CameraCalibration) -> Callable[[Image, HeadPose], View]:
    lens = Lens(calibration.scene)

    def look(image: Image, head: HeadPose = HeadPose()) -> View:  # noqa: B008 (frozen)
        shown = StillScreen(image)
        camera = SceneCamera(lens, shown.size_px, head)
        renderer = SceneRenderer()
        renderer.draw(shown.read(), camera)
        return View(renderer.frame.copy(), camera)

    return look
