import numpy as np
import pytest

from psychopy_neon.simulator import HeadPose, SceneCamera
from psychopy_neon.simulator.factory import factory_calibration
from psychopy_neon.simulator.lens import Lens
from psychopy_neon.simulator.render import SceneRenderer, make_maps


@pytest.fixture(scope="module")
def lens() -> Lens:
    return Lens(factory_calibration("1").scene)


def screen_with_dot(center: tuple[float, float], sigma: float = 6.0) -> np.ndarray:
    """A bright spot on grey, BGRA; its centre is exact to a part of a px."""
    ys, xs = np.mgrid[0:1080, 0:1920]
    # Array indices are at pixel centres, screen px count from the outer corner of the first pixel.
    spot = np.exp(-((xs + 0.5 - center[0]) ** 2 + (ys + 0.5 - center[1]) ** 2) / (2 * sigma**2))
    image = np.full((1080, 1920, 4), 100, np.uint8)
    image[:, :, :3] += np.round(150 * spot).astype(np.uint8)[:, :, np.newaxis]
    return image


def centroid(luma: np.ndarray, near: np.ndarray) -> np.ndarray:
    x, y = np.round(near).astype(int)
    piece = luma[y - 30 : y + 31, x - 30 : x + 31].astype(float)
    weight = np.clip(piece - np.median(piece) - 8, 0, None)
    ys, xs = np.mgrid[y - 30 : y + 31, x - 30 : x + 31]
    return np.array([(xs * weight).sum(), (ys * weight).sum()]) / weight.sum()


@pytest.mark.parametrize("head", [HeadPose(), HeadPose(yaw_deg=8, pitch_deg=-5, roll_deg=6)])
@pytest.mark.parametrize("center", [(960.0, 540.0), (400.3, 300.8), (1500.0, 800.0)])
def test_a_dot_is_seen_where_the_lens_says(lens: Lens, head: HeadPose, center: tuple[float, float]) -> None:
    camera = SceneCamera(lens, (1920, 1080), head)
    renderer = SceneRenderer()
    renderer.draw(screen_with_dot(center), camera)
    place = camera.scene_from_screen([center])[0]
    assert np.abs(centroid(renderer.luma, place) - place).max() < 0.1


def test_changes_draw_the_same_as_all_anew(lens: Lens) -> None:
    camera = SceneCamera(lens, (1920, 1080), HeadPose(yaw_deg=3))
    renderer, fresh = SceneRenderer(), SceneRenderer()
    rng = np.random.default_rng(4)
    screen = rng.integers(0, 256, (1080, 1920, 4)).astype(np.uint8)
    renderer.draw(screen, camera)
    for left, top, right, bottom in ((100, 100, 300, 200), (0, 0, 11, 7), (1801, 1001, 1920, 1080), (5, 3, 6, 4)):
        screen = screen.copy()
        screen[top:bottom, left:right] = rng.integers(0, 256, (bottom - top, right - left, 4))
        renderer.draw(screen, camera)
    fresh.draw(screen, camera)
    np.testing.assert_array_equal(renderer.frame, fresh.frame)


def test_beside_the_screen_is_the_wall(lens: Lens) -> None:
    renderer = SceneRenderer()
    white = np.full((1080, 1920, 4), 255, np.uint8)
    renderer.draw(white, SceneCamera(lens, (1920, 1080), HeadPose()))
    assert renderer.luma[10, 800] == renderer.luma[1190, 800] == 70
    assert renderer.luma[600, 800] > 200
    renderer.draw(white, SceneCamera(lens, (1920, 1080), HeadPose(yaw_deg=60)))
    assert renderer.luma[600, 1500] == 70, "nothing is left of the old place"


def test_behind_the_camera_nothing_is_seen(lens: Lens) -> None:
    renderer = SceneRenderer()
    white = np.full((1080, 1920, 4), 255, np.uint8)
    renderer.draw(white, SceneCamera(lens, (1920, 1080), HeadPose(yaw_deg=170)))
    assert (renderer.luma == 70).all()


@pytest.mark.parametrize(
    "head",
    [HeadPose(), HeadPose(yaw_deg=12, pitch_deg=-6, roll_deg=8), HeadPose(distance=0.5), HeadPose(yaw_deg=-35)],
)
def test_the_place_that_a_pixel_sees_is_exact_to_a_fiftieth_of_a_pixel(lens: Lens, head: HeadPose) -> None:
    camera = SceneCamera(lens, (1920, 1080), head)
    maps = make_maps(camera)
    left, top, right, bottom = maps.region
    pixels = np.random.default_rng(0).integers((left, top), (right, bottom), (20_000, 2))
    exact = camera.screen_from_scene(pixels)
    is_seen = ((exact > 0) & (exact < (1920, 1080))).all(axis=1)
    assert is_seen.sum() > 1000
    halvings, _ = maps.smoothing
    drawn = (maps.luma[pixels[:, 1] - top, pixels[:, 0] - left] + 0.5) * (1 << halvings)
    errors = np.hypot(*(drawn - exact)[is_seen].T) / camera.screen_px_per_scene_px()
    assert errors.max() < 0.02
    assert np.median(errors) < 0.004
    # A chroma sample lies in the middle of four pixels.
    exact = camera.screen_from_scene(pixels // 2 * 2 + 0.5)
    drawn = (maps.chroma[(pixels[:, 1] - top) // 2, (pixels[:, 0] - left) // 2] + 0.5) * (2 << halvings)
    errors = np.hypot(*(drawn - exact)[is_seen].T) / camera.screen_px_per_scene_px()
    assert errors.max() < 0.02


@pytest.mark.parametrize("head", [HeadPose(yaw_deg=75, distance=0.3), HeadPose(yaw_deg=30, distance=0.1)])
def test_at_the_horizon_of_the_screens_plane_nothing_is_smeared(lens: Lens, head: HeadPose) -> None:
    """Between a pixel that sees the screen's plane and one that does not nothing may be interpolated."""
    renderer, camera = SceneRenderer(), SceneCamera(lens, (1920, 1080), head)
    renderer.draw(np.full((1080, 1920, 4), 255, np.uint8), camera)
    ys, xs = np.mgrid[0:1200:3, 0:1600:3]
    pixels = np.stack([xs.ravel(), ys.ravel()], axis=1)
    exact = camera.screen_from_scene(pixels)
    depth = np.column_stack([lens.undistort(pixels.astype(float)), np.ones(len(pixels))]) @ camera.screen_from_ray[2]
    luma = renderer.luma[pixels[:, 1], pixels[:, 0]]
    halvings, _ = make_maps(camera).smoothing
    edge = 4 << halvings  # smoothing reaches so far
    is_outside = ~((exact > -edge) & (exact < (1920 + edge, 1080 + edge))).all(axis=1) | ~(depth > 0)
    is_inside = ((exact > edge) & (exact < (1920 - edge, 1080 - edge))).all(axis=1) & (depth > 0)
    assert (luma[is_outside] == 70).all()
    assert (luma[is_inside] < 200).mean() < 0.003, "only beside the rim of the lens"


def test_a_moving_head_draws_the_same_as_one_that_has_always_been_there(lens: Lens) -> None:
    rng = np.random.default_rng(4)
    screen = rng.integers(0, 256, (1080, 1920, 4)).astype(np.uint8)
    renderer = SceneRenderer()
    # Near and far: the screen is smoothed before it is sampled, or not.
    for head in (HeadPose(yaw_deg=3, distance=0.8), HeadPose(distance=2.5), HeadPose(roll_deg=9, distance=0.6)):
        camera, fresh = SceneCamera(lens, (1920, 1080), head), SceneRenderer()
        renderer.draw(screen, camera)
        fresh.draw(screen, camera)
        np.testing.assert_array_equal(renderer.frame, fresh.frame)
        screen = screen.copy()
        screen[300:400, 500:900] = rng.integers(0, 256, (100, 400, 4))
