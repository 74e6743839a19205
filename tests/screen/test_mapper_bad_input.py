"""What is no screen of this experiment gives a reason: never a wrong point, never an exception."""

from __future__ import annotations

import dataclasses
from collections.abc import Callable

import cv2
import numpy as np
import pytest
from judge import Floats, Image, Look, Screen

from psychopy_neon.errors import ConfigurationError
from psychopy_neon.samples import CameraCalibration, GazeReason
from psychopy_neon.screen.layout import ScreenLayout
from psychopy_neon.screen.mapper import ScreenMapper, ScreenPose
from psychopy_neon.simulator.settings import HeadPose

pytestmark = pytest.mark.once

LOST, CONTRADICTING = {GazeReason.TAGS_LOST}, {GazeReason.IMPLAUSIBLE, GazeReason.TOO_FEW_TAGS}
FRAMES = 12
"""More than lie between two searches of a whole frame."""


def reasons(mapper: ScreenMapper, luma: Image) -> set[object]:
    """What becomes of a frame that is shown for some time, to a mapper that has seen nothing yet."""
    return {mapper.locate(luma) for _ in range(FRAMES)}


@pytest.mark.parametrize("number", [np.nan, np.inf, -np.inf])
@pytest.mark.parametrize("field", ["matrix", "distortion"])
def test_a_calibration_that_holds_no_numbers(
    calibration: CameraCalibration, screen: Screen, field: str, number: float
) -> None:
    values = getattr(calibration.scene, field).copy()
    values.flat[2] = number
    damaged = dataclasses.replace(calibration, scene=dataclasses.replace(calibration.scene, **{field: values}))
    with pytest.raises(ConfigurationError, match="calibration"):
        ScreenMapper(damaged, screen[1])


@pytest.mark.parametrize(
    "corners",
    [[[0, 0], [40, 0], [80, 0], [120, 0]], [[0, 0], [40, 40], [80, 80], [120, 120]], [[5, 5]] * 4],
    ids=["along an axis", "aslant", "one point"],
)
def test_collinear_corners_in_a_layout(corners: list[list[float]]) -> None:
    with pytest.raises(ConfigurationError, match="tags"):
        ScreenLayout((1920, 1080), {0: np.array(corners, float)})


def test_a_mirror_image_of_the_screen(look: Look, screen: Screen, mapper: ScreenMapper) -> None:
    luma = look(screen[0], HeadPose(yaw_deg=4)).luma
    for mirrored in (luma[:, ::-1], luma[::-1]):
        assert reasons(mapper, mirrored) == LOST


def test_tags_whose_places_are_mirrored(look: Look, screen: Screen, calibration: CameraCalibration) -> None:
    """Each is as it should be, the whole is not: a layout counted from the wrong side."""
    image, layout = screen
    flip = np.array([-1, 1])
    mirrored = {each: (corners * flip)[[1, 0, 3, 2]] + (layout.size_px[0], 0) for each, corners in layout.tags.items()}
    mapper = ScreenMapper(calibration, ScreenLayout(layout.size_px, mirrored))
    assert reasons(mapper, look(image).luma) <= LOST | CONTRADICTING


def test_another_participants_screen(look: Look, screen: Screen, calibration: CameraCalibration) -> None:
    """The same places, other tags."""
    layout = screen[1]
    others = ScreenLayout(layout.size_px, {tag_id + 40: corners for tag_id, corners in layout.tags.items()})
    assert reasons(ScreenMapper(calibration, others), look(screen[0]).luma) == LOST


def test_another_screen_beside_ours(look: Look, screen: Screen, calibration: CameraCalibration) -> None:
    """Its tags are passed over, also where they lie between ours."""
    image, layout = screen
    ours = ScreenLayout(layout.size_px, {tag_id: layout.tags[tag_id] for tag_id in (0, 3, 8, 11)})
    view = look(image)
    pose = ScreenMapper(calibration, ours).locate(view.luma)
    on_screen, scene = view.grid()
    assert np.linalg.norm(pose.screen_from_scene(scene) - on_screen, axis=1).max() < 1
    assert pose.tags == {0, 3, 8, 11}


def shown(screen: Screen, picture: Callable[[int, int], Image]) -> Image:
    """The screen with other pictures in the places of its tags; ``picture`` of tag id and width."""
    image = screen[0].copy()
    for tag_id, corners in screen[1].tags.items():
        (left, top), (right, bottom) = corners[0].astype(int), corners[2].astype(int)
        image[top:bottom, left:right] = picture(tag_id, right - left)[:, :, np.newaxis]
    return image


@pytest.mark.parametrize("is_followed", [False, True], ids=["at first", "in place of ours"])
@pytest.mark.parametrize(
    "family", ["APRILTAG_16h5", "APRILTAG_25h9", "APRILTAG_36h10", "4X4_50", "6X6_250", "ARUCO_ORIGINAL"]
)
def test_tags_of_other_families(
    look: Look, screen: Screen, mapper: ScreenMapper, family: str, is_followed: bool
) -> None:
    dictionary = cv2.aruco.getPredefinedDictionary(getattr(cv2.aruco, f"DICT_{family}"))
    image = shown(screen, lambda tag_id, width: cv2.aruco.generateImageMarker(dictionary, tag_id, width))
    if is_followed:
        assert isinstance(mapper.locate(look(screen[0]).luma), ScreenPose)
    assert reasons(mapper, look(image).luma) == LOST


@pytest.mark.parametrize("is_followed", [False, True], ids=["at first", "after a screen"])
@pytest.mark.parametrize("kind", ["black", "white", "noise", "stripes"])
def test_frames_that_show_nothing(
    look: Look, screen: Screen, mapper: ScreenMapper, kind: str, is_followed: bool
) -> None:
    size = (1200, 1600)
    stripes = np.where(np.arange(1600) // 8 % 2, 255, 0).astype(np.uint8)
    luma = {
        "black": lambda: np.zeros(size, np.uint8),
        "white": lambda: np.full(size, 255, np.uint8),
        "noise": lambda: np.random.default_rng(1).integers(0, 256, size, np.uint8),
        "stripes": lambda: np.tile(stripes, (1200, 1)),
    }[kind]()
    if is_followed:
        assert isinstance(mapper.locate(look(screen[0]).luma), ScreenPose)
    frames = 3 if kind == "noise" and not is_followed else FRAMES  # to search noise takes long
    assert {mapper.locate(luma) for _ in range(frames)} == LOST


def errors(pose: object, on_screen: Floats, scene: Floats) -> Floats:
    """Errors in multiples of what the pose expects; nothing for a reason."""
    if not isinstance(pose, ScreenPose):
        return np.zeros(0)
    away = np.linalg.norm(pose.screen_from_scene(scene) - on_screen, axis=1)
    return away / [pose.place(x, y).error_px for x, y in scene.tolist()]


@pytest.mark.parametrize("noise", [0, 3])
@pytest.mark.parametrize("tag_px", [4, 8, 12])
def test_tags_too_small_to_read(
    look: Look, screen: Screen, calibration: CameraCalibration, tag_px: int, noise: float
) -> None:
    image, layout = screen
    width_px = np.ptp(look(image, HeadPose(distance=1.0)).camera.scene_from_screen(layout.tags[5])[:, 1])
    view = look(image, HeadPose(distance=width_px / tag_px)).noisy(np.random.default_rng(2), noise)
    mapper = ScreenMapper(calibration, layout)
    results = [mapper.locate(view.luma) for _ in range(FRAMES)]
    if tag_px <= 8:
        assert {*results} <= {GazeReason.TAGS_LOST, *CONTRADICTING}
    for result in results:
        assert (errors(result, *view.grid()) < 4).all()


@pytest.mark.parametrize("size", [(1080, 1088), (600, 800), (2400, 3200), (40, 60), (1, 1), (0, 0)])
@pytest.mark.parametrize("is_followed", [False, True], ids=["at first", "after a whole one"])
def test_a_frame_of_another_size(
    look: Look, screen: Screen, mapper: ScreenMapper, size: tuple[int, int], is_followed: bool
) -> None:
    """A part of the frame, as a cropping camera shows it, keeps its scene px; no size is a reason for an exception."""
    view = look(screen[0], HeadPose(yaw_deg=-3, roll_deg=-4))
    if is_followed:
        mapper.locate(view.luma)
    on_screen, scene = view.grid()
    luma = np.full(size, 70, np.uint8)
    part = view.luma[: size[0], : size[1]]
    luma[: part.shape[0], : part.shape[1]] = part
    for _ in range(3):
        result = mapper.locate(luma)
        if min(size) < 100:
            assert result in LOST
        else:
            assert (errors(result, on_screen, scene) < 4).all()


@pytest.mark.parametrize(
    "head",
    [
        HeadPose(yaw_deg=180),
        HeadPose(x=1.2, distance=0.02, yaw_deg=-85),
        HeadPose(x=1.2, distance=-0.3, yaw_deg=-80),
        HeadPose(distance=-1.0, yaw_deg=180),
    ],
    ids=["looked away from", "edge-on", "from behind, aslant", "from behind"],
)
def test_a_screen_seen_from_nowhere(look: Look, screen: Screen, mapper: ScreenMapper, head: HeadPose) -> None:
    view = look(screen[0], head)
    assert reasons(mapper, view.luma) <= LOST | CONTRADICTING


def test_a_screen_seen_very_much_from_the_side(look: Look, screen: Screen, mapper: ScreenMapper) -> None:
    view = look(screen[0], HeadPose(x=-0.9, distance=0.35, yaw_deg=62))
    for _ in range(FRAMES):
        assert (errors(mapper.locate(view.luma), *view.grid()) < 4).all()
