from __future__ import annotations

import cv2
import numpy as np
import pytest
from judge import Floats, Look, Screen, View

from psychopy_neon.screen.camera import SceneLens
from psychopy_neon.screen.fit import Fit, TagSides, fit_screen
from psychopy_neon.screen.layout import ScreenLayout
from psychopy_neon.screen.pose import projected
from psychopy_neon.simulator.settings import HeadPose

TURNED = HeadPose(yaw_deg=6, pitch_deg=-3, roll_deg=8)
ALL = frozenset(range(12))


@pytest.fixture(scope="session")
def sides(screen: Screen) -> TagSides:
    return TagSides(screen[1])


@pytest.fixture(scope="session")
def view(look: Look, screen: Screen) -> View:
    return look(screen[0], TURNED).noisy(np.random.default_rng(1))


def moved(pose: Floats, x_px: float, y_px: float, turn_deg: float = 0.0, scale: float = 1.0) -> Floats:
    """A pose that is off by so many scene px in the middle of the frame, turned and scaled about it."""
    angle = np.deg2rad(turn_deg)
    cosine, sine = scale * np.cos(angle), scale * np.sin(angle)
    step = np.array([[cosine, -sine, x_px / 888.4], [sine, cosine, y_px / 888.4], [0, 0, 1]])
    return step @ pose


def away_px(fit: Fit | None, view: View, lens: SceneLens) -> Floats:
    """Errors all over the screen, scene px."""
    assert fit is not None
    on_screen, scene = view.grid()
    return np.linalg.norm(lens.scene(projected(fit.ray_from_screen, on_screen)) - scene, axis=1)


@pytest.mark.parametrize(
    "off",
    [(0, 0, 0, 1), (2, 0, 0, 1), (0, -2, 0, 1), (-1.5, 1.5, 0, 1), (1, 1, 0.1, 1.002)],
    ids=["true", "right", "up", "aslant", "turned and grown"],
)
def test_a_guess_that_is_off_is_moved_onto_the_screen(
    view: View, scene_lens: SceneLens, sides: TagSides, off: tuple[float, float, float, float]
) -> None:
    fit = fit_screen(view.luma, scene_lens, sides, moved(view.pose(), *off))
    assert away_px(fit, view, scene_lens).max() < 0.1
    assert (fit.verified, fit.supporting) == (ALL, ALL)
    assert fit.residual_px < 0.3
    assert np.linalg.norm(fit.ray_from_screen) == pytest.approx(1)


def test_edges_that_all_lie_inward_matter_little(view: View, screen: Screen, scene_lens: SceneLens) -> None:
    """Bright pixels spill over: black shrinks on all sides, so that few tags look farther away than they are."""
    layout = screen[1]
    spilled = (0.7 * view.luma + 0.3 * cv2.dilate(view.luma, np.ones((3, 3), np.uint8))).round().astype(np.uint8)
    two = TagSides(ScreenLayout(layout.size_px, {tag_id: layout.tags[tag_id] for tag_id in (0, 11)}))
    fit = fit_screen(spilled, scene_lens, two, view.pose())
    assert away_px(fit, view, scene_lens).max() < 5  # 8 if nothing is known of the spilling
    assert away_px(fit_screen(spilled, scene_lens, TagSides(layout), view.pose()), view, scene_lens).max() < 0.15


@pytest.mark.parametrize("cover", ["upper half", "left half", "right half"])
def test_half_covered_tags_support_without_being_verified(
    view: View, screen: Screen, scene_lens: SceneLens, sides: TagSides, cover: str
) -> None:
    seen = view
    parts = {
        "upper half": [[-14, -14], [110, -14], [110, 48], [-14, 48]],
        "left half": [[-14, -14], [48, -14], [48, 110], [-14, 110]],
        "right half": [[50, -14], [110, -14], [110, 110], [50, 110]],
    }
    hidden = frozenset({0, 3, 6, 10})
    for tag_id in hidden:
        seen = seen.covered(np.array(parts[cover]) + screen[1].tags[tag_id][0])
    fit = fit_screen(seen.luma, scene_lens, sides, moved(view.pose(), 1, -1))
    assert away_px(fit, view, scene_lens).max() < 0.15
    assert fit.supporting == ALL
    assert fit.verified == ALL - hidden


def test_wholly_covered_tags_do_not_support(view: View, screen: Screen, scene_lens: SceneLens, sides: TagSides) -> None:
    seen = view
    for tag_id in (1, 7):
        seen = seen.covered(screen[1].outlines[tag_id])
    fit = fit_screen(seen.luma, scene_lens, sides, moved(view.pose(), 1, -1))
    assert away_px(fit, view, scene_lens).max() < 0.15
    assert fit.supporting == fit.verified == ALL - {1, 7}


def test_tags_may_be_left_out(view: View, scene_lens: SceneLens, sides: TagSides) -> None:
    left_out = frozenset({2, 9, 11})
    fit = fit_screen(view.luma, scene_lens, sides, view.pose(), left_out)
    assert fit.supporting == ALL - left_out
    assert fit_screen(view.luma, scene_lens, sides, view.pose(), ALL) is None


def test_a_layout_that_is_wrong_in_one_place(view: View, screen: Screen, scene_lens: SceneLens) -> None:
    layout = screen[1]
    wrong = ScreenLayout(layout.size_px, {**layout.tags, 7: layout.tags[7] + (4, 0)})
    fit = fit_screen(view.luma, scene_lens, TagSides(wrong), view.pose())
    assert away_px(fit, view, scene_lens).max() < 0.15
    assert fit.supporting == fit.verified == ALL - {7}


def test_a_layout_that_contradicts_itself_is_no_good_pose(view: View, screen: Screen, scene_lens: SceneLens) -> None:
    """Every tag is shifted by another 4 px: whatever comes out says that it fits badly, or is nothing."""
    layout, rng = screen[1], np.random.default_rng(3)
    shifts = {tag_id: rng.choice([-4, 4], 2) for tag_id in layout.tags}
    wrong = ScreenLayout(layout.size_px, {each: corners + shifts[each] for each, corners in layout.tags.items()})
    fit = fit_screen(view.luma, scene_lens, TagSides(wrong), view.pose())
    assert fit is None or len(fit.supporting) < 6 or fit.residual_px > 0.6


def test_too_few_points(view: View, screen: Screen, scene_lens: SceneLens, sides: TagSides) -> None:
    """One tag is enough; a single side of it is not."""
    layout = screen[1]
    single = TagSides(ScreenLayout(layout.size_px, {4: layout.tags[4]}))
    fit = fit_screen(view.luma, scene_lens, single, view.pose())
    assert fit.supporting == {4}
    rest = np.array([[-14, -14], [110, -14], [110, 88], [-14, 88]]) + layout.tags[4][0]
    assert fit_screen(view.covered(rest).luma, scene_lens, single, view.pose()) is None


def test_a_frame_without_edges(view: View, scene_lens: SceneLens, sides: TagSides) -> None:
    for level in (0, 90, 255):
        assert fit_screen(np.full((1200, 1600), level, np.uint8), scene_lens, sides, view.pose()) is None
    noise = np.random.default_rng(4).integers(0, 256, (1200, 1600), np.uint8)
    fit = fit_screen(noise, scene_lens, sides, view.pose())
    assert fit is None or not fit.verified


def test_a_screen_seen_from_behind_is_none(view: View, scene_lens: SceneLens, sides: TagSides) -> None:
    mirrored = view.pose() @ np.array([[-1, 0, 1920], [0, 1, 0], [0, 0, 1.0]])
    assert fit_screen(view.luma, scene_lens, sides, mirrored) is None
    assert fit_screen(view.luma[:, ::-1], scene_lens, sides, mirrored) is None
    assert fit_screen(view.luma, scene_lens, sides, -view.pose()) is None  # all of it behind the camera


@pytest.mark.parametrize(
    "guess",
    [
        np.full((3, 3), np.nan),
        np.full((3, 3), np.inf),
        np.zeros((3, 3)),
        np.eye(3),
        np.ones((3, 3)),
        np.diag([1e-9, 1e-9, 1.0]),
        np.diag([0.0, 1e-3, 1.0]),
        np.diag([1e200, 1e200, 1.0]),
    ],
    ids=["nan", "inf", "zeros", "identity", "ones", "tiny", "flat", "huge"],
)
@pytest.mark.filterwarnings("ignore::RuntimeWarning")  # of numbers that are too large
def test_degenerate_guesses_are_none(view: View, scene_lens: SceneLens, sides: TagSides, guess: Floats) -> None:
    assert fit_screen(view.luma, scene_lens, sides, guess) is None


def test_the_covariance_tells_the_spread_of_the_pose(
    look: Look, screen: Screen, scene_lens: SceneLens, sides: TagSides
) -> None:
    """Of the change ``A`` in ``(1 + A) h``, over frames that differ by noise alone."""
    rng = np.random.default_rng(5)
    clean = look(screen[0], TURNED)
    fits = [fit_screen(clean.noisy(rng).luma, scene_lens, sides, clean.pose()) for _ in range(12)]
    changes = [fit.ray_from_screen @ np.linalg.inv(clean.pose()) for fit in fits]
    spread = np.array([(change / change[2, 2] - np.eye(3)).ravel()[:8] for change in changes])
    covariance = fits[0].covariance
    np.testing.assert_allclose(covariance, covariance.T, rtol=1e-6)
    assert (np.linalg.eigvalsh(covariance) > 0).all()
    ratio = np.sqrt(np.mean(spread**2, axis=0) / np.diag(covariance))
    assert ratio.max() < 4
    assert np.median(ratio) > 0.1
