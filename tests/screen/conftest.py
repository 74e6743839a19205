"""The judge of ``judge.py`` as fixtures."""

from __future__ import annotations

import sys
from functools import lru_cache
from pathlib import Path

import pytest

from psychopy_neon.samples import CameraCalibration
from psychopy_neon.screen.camera import SceneLens
from psychopy_neon.screen.layout import ScreenLayout
from psychopy_neon.screen.mapper import ScreenMapper
from psychopy_neon.simulator.factory import factory_calibration
from psychopy_neon.simulator.lens import Lens, SceneCamera
from psychopy_neon.simulator.render import SceneRenderer
from psychopy_neon.simulator.screens import StillScreen, synthetic_screen
from psychopy_neon.simulator.settings import HeadPose

sys.path.insert(0, str(Path(__file__).parent))  # for judge.py: tests are imported one by one, not as a package

from judge import Image, Look, Screen, View


@pytest.fixture(scope="session")
def calibration() -> CameraCalibration:
    return factory_calibration("114837")


@pytest.fixture(scope="session")
def scene_lens(calibration: CameraCalibration) -> SceneLens:
    """The code's own lens; the judge has another."""
    return SceneLens(calibration.scene)


@pytest.fixture(scope="session")
def screen() -> Screen:
    """A screen's picture and its layout."""
    image, tags = synthetic_screen()
    return image, ScreenLayout((image.shape[1], image.shape[0]), tags)


@pytest.fixture
def mapper(calibration: CameraCalibration, screen: Screen) -> ScreenMapper:
    return ScreenMapper(calibration, screen[1])


@pytest.fixture(scope="session")
def look(calibration: CameraCalibration, screen: Screen) -> Look:
    """Renders a picture as if it were a screen; looks at the screen itself are kept, since a frame takes long."""
    lens = Lens(calibration.scene)

    def look(image: Image, head: HeadPose = HeadPose()) -> View:  # noqa: B008 (frozen)
        shown = StillScreen(image)
        camera = SceneCamera(lens, shown.size_px, head)
        renderer = SceneRenderer()
        renderer.draw(shown.read(), camera)
        return View(renderer.frame.copy(), camera)

    @lru_cache(maxsize=48)
    def look_at_screen(head: HeadPose) -> View:
        view = look(screen[0], head)
        view.frame.flags.writeable = False
        return view

    return lambda image, head=HeadPose(): look_at_screen(head) if image is screen[0] else look(image, head)  # noqa: B008
