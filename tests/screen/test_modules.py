"""Pictures of tags, and reading them in a frame."""

from __future__ import annotations

import cv2
import numpy as np
import pytest
from judge import Floats, Image, Look, Screen, View

from psychopy_neon.screen.modules import TagModules, module_blocks, tag_picture
from psychopy_neon.simulator.settings import HeadPose

TURNED = HeadPose(yaw_deg=8, pitch_deg=-4, roll_deg=12)


def corners_in(view: View, screen: Screen) -> Floats:
    """True corners of all tags, scene px, shape (tags, 4, 2)."""
    corners = np.concatenate(list(screen[1].tags.values()))
    return view.camera.scene_from_screen(corners).reshape(-1, 4, 2)


def drawn(tag_id: int, module_px: int, black: int, white: int) -> tuple[Image, Floats]:
    """A tag in the middle of a grey picture, and its corners, shape (1, 4, 2)."""
    tag = np.where(tag_picture(tag_id, module_px) == 255, white, black).astype(np.uint8)
    luma = np.full((len(tag) + 80, len(tag) + 80), (black + white) // 2, np.uint8)
    luma[40:-40, 40:-40] = tag
    low, high = 40 + module_px - 0.5, 40 + 9 * module_px - 0.5
    return luma, np.array([[[low, low], [high, low], [high, high], [low, high]]])


@pytest.mark.parametrize("tag_id", [0, 23, 586])
def test_a_picture_is_the_tag_with_its_white_module(tag_id: int) -> None:
    picture = tag_picture(tag_id, 7)
    assert picture.shape == (70, 70)
    assert picture.dtype == np.uint8
    modules = picture[3::7, 3::7]
    np.testing.assert_array_equal(np.kron(modules, np.ones((7, 7))), picture)
    assert set(np.unique(picture)) == {0, 255}
    ring = np.ones((10, 10), bool)
    ring[1:-1, 1:-1] = False
    assert (modules[ring] == 255).all()
    border = np.ones((8, 8), bool)
    border[1:-1, 1:-1] = False
    assert (modules[1:-1, 1:-1][border] == 0).all()


@pytest.mark.parametrize("tag_id", [0, 586])
def test_module_blocks_cover_each_module_once(tag_id: int) -> None:
    covered = np.zeros((2, 10, 10), int)
    for is_white in (False, True):
        for (left, top), _, (right, bottom), _ in module_blocks(tag_id, is_white) + 1:
            covered[int(is_white), top:bottom, left:right] += 1

    assert (covered.sum(axis=0) == 1).all()
    assert ((covered[1] == 1) == (tag_picture(tag_id, 1) == 255)).all()


def test_tags_that_are_there_are_read(look: Look, screen: Screen) -> None:
    view = look(screen[0], TURNED).noisy(np.random.default_rng(1))
    whole, part, levels = TagModules(screen[1].tags).read(view.luma, corners_in(view, screen))
    assert whole.all()
    assert part.all()
    assert whole.dtype == part.dtype == np.bool_
    # The simulated screen is 0 and 255, video levels are 16 to 235.
    np.testing.assert_allclose(levels, [[16, 235]] * 12, atol=8)


def test_a_tag_of_another_number_is_not_read(look: Look, screen: Screen) -> None:
    view = look(screen[0], TURNED)
    others = [(tag_id + 1) % 12 for tag_id in screen[1].tags]
    whole, part, levels = TagModules(others).read(view.luma, corners_in(view, screen))
    assert not whole.any()
    assert not part.any()
    assert np.isnan(levels).all()


def test_every_other_tag_of_the_family_is_told_apart() -> None:
    luma, corners = drawn(100, 6, 40, 200)
    read = TagModules(range(587)).read(luma, np.repeat(corners, 587, axis=0))
    assert np.flatnonzero(read.whole).tolist() == [100]
    assert np.count_nonzero(read.part) < 6  # halves of some tags are alike


@pytest.mark.parametrize("turn", [1, 2, 3])
def test_a_tag_read_from_another_corner_is_none(look: Look, screen: Screen, turn: int) -> None:
    view = look(screen[0])
    read = TagModules(screen[1].tags).read(view.luma, np.roll(corners_in(view, screen), turn, axis=1))
    assert not read.whole.any()
    assert not read.part.any()


def test_a_mirrored_tag_is_none(look: Look, screen: Screen) -> None:
    view = look(screen[0])
    read = TagModules(screen[1].tags).read(view.luma, corners_in(view, screen)[:, [1, 0, 3, 2]])
    assert not read.whole.any()
    assert not read.part.any()


def test_chosen_tags_are_read_as_those(look: Look, screen: Screen) -> None:
    view = look(screen[0])
    modules, corners = TagModules(screen[1].tags), corners_in(view, screen)
    chosen = np.array([7, 2])
    assert modules.read(view.luma, corners[chosen], chosen).whole.all()
    assert not modules.read(view.luma, corners[chosen], chosen[::-1]).part.any()


@pytest.mark.parametrize(
    ("hidden", "is_whole", "is_part"),
    [
        ([[-20, -20], [18, -20], [18, 18], [-20, 18]], True, True),
        ([[-20, -20], [116, -20], [116, 48], [-20, 48]], False, True),
        ([[48, -20], [116, -20], [116, 116], [48, 116]], False, True),
        ([[-20, -20], [116, -20], [116, 72], [-20, 72]], False, False),
        ([[18, 18], [78, 18], [78, 78], [18, 78]], False, False),
        ([[-20, -20], [116, -20], [116, 116], [-20, 116]], False, False),
    ],
    ids=["a corner", "upper half", "right half", "three quarters", "the inner part", "all of it"],
)
@pytest.mark.parametrize("level", [0, 150, 255])
def test_a_covered_tag(
    look: Look, screen: Screen, hidden: list[list[float]], is_whole: bool, is_part: bool, level: int
) -> None:
    view, corner = look(screen[0]), screen[1].tags[3][0]
    read = TagModules(screen[1].tags).read(view.covered(corner + hidden, level).luma, corners_in(view, screen))
    assert (read.whole[3], read.part[3]) == (is_whole, is_part)
    assert np.delete(read.whole, 3).all()
    others = np.delete(read.levels, 3, axis=0)
    # What covers a corner of a tag that is still read mixes into its levels.
    np.testing.assert_allclose(read.levels[3], np.median(others, axis=0), atol=45 if is_whole else 1)


def test_a_tag_that_leaves_the_frame() -> None:
    """It reaches from 48 to 112 px; then without two of its rows or columns, then without five."""
    luma, corners = drawn(5, 8, 40, 200)
    modules, size = TagModules([5]), len(luma)
    assert modules.read(luma, corners).whole.all()
    for left, top in ((1, 0), (0, 1), (-1, 0), (0, -1)):
        for cut_px, is_part in ((64, True), (88, False)):
            first = np.maximum([left, top], 0) * cut_px
            last = size + np.minimum([left, top], 0) * cut_px
            seen = luma[first[1] : last[1], first[0] : last[0]]
            read = modules.read(seen, corners - first)
            assert not read.whole.any()
            assert read.part[0] == is_part
            assert np.isnan(read.levels).all()


@pytest.mark.parametrize("corners", [np.full((1, 4, 2), np.nan), np.full((1, 4, 2), 1e9), np.zeros((1, 4, 2))])
def test_nowhere_is_no_tag(corners: Floats) -> None:
    read = TagModules([5]).read(drawn(5, 8, 40, 200)[0], corners)
    assert not read.whole.any()
    assert not read.part.any()


@pytest.mark.parametrize("sigma_modules", [0.0, 0.2, 0.4])
@pytest.mark.parametrize(("black", "white"), [(20, 230), (90, 140)])
@pytest.mark.parametrize("tag_id", [3, 250])
def test_levels_are_right_under_blur(tag_id: int, black: int, white: int, sigma_modules: float) -> None:
    module_px = 6
    luma, corners = drawn(tag_id, module_px, black, white)
    if sigma_modules:
        luma = cv2.GaussianBlur(luma, (0, 0), sigma_modules * module_px)
    read = TagModules([tag_id]).read(luma, corners)
    assert read.whole.all()
    np.testing.assert_allclose(read.levels, [[black, white]], atol=0.03 * (white - black) + 0.5)


@pytest.mark.parametrize("level", [0, 128, 255])
def test_a_plain_picture_is_no_tag(level: int) -> None:
    luma, corners = np.full((200, 200), level, np.uint8), drawn(0, 6, 0, 255)[1]
    assert not TagModules([0]).read(luma, corners).part.any()


def test_noise_is_no_tag() -> None:
    rng = np.random.default_rng(2)
    corners = np.repeat(drawn(0, 6, 0, 255)[1], 587, axis=0)
    luma = rng.integers(0, 256, (200, 200), np.uint8)
    assert not TagModules(range(587)).read(luma, corners).part.any()
