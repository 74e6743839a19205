"""The scenes of the mapping benchmark are true, and outside judges see our tags where we see them."""

from __future__ import annotations

import os
import sys
from pathlib import Path

import numpy as np
import pytest

sys.path.insert(0, str(Path(__file__).parents[1] / "benchmarks"))  # its files are no package

from head import Floats, Head, Turn
from mapping_job import job_of, map_by_corners, run_side
from scene_camera import Image, Optics, SceneCamera, screen_picture
from scenes import CLEAN, HARD, SETS, SceneSet, Truth, rendered, truth_of

pytestmark = [pytest.mark.once, pytest.mark.timeout(180)]

FINE = 10
FRAMES = 4
SILENT = Optics(blur_px=0, noise=0)


def patch_of(truth: Truth, at_s: float, picture: Image, corner: tuple[int, int], side: int) -> Floats:
    """Part of the scene, each pixel the mean of FINE x FINE exact rays."""
    steps = [(np.arange(side * FINE) + 0.5) / FINE - 0.5 + first for first in corner]
    rays = truth.lens.undistort(np.stack(np.meshgrid(*steps), axis=-1).reshape(-1, 2))
    lifted = np.column_stack([rays, np.ones(len(rays))]) @ np.linalg.inv(truth.head.ray_from_screen(at_s)[0]).T
    columns, rows = np.floor(lifted[:, :2] / lifted[:, 2:]).astype(int).T
    seen = picture[rows, columns].astype(np.float64)
    return seen.reshape(side, FINE, side, FINE).mean(axis=(1, 3))


@pytest.mark.parametrize("tag_id", [0, 7])
def test_a_tag_is_drawn_where_the_truth_has_it(tag_id: int) -> None:
    truth, rng = truth_of(SETS["clean"], 2, 3), np.random.default_rng(3)
    picture = screen_picture(truth.layout, rng)
    camera = SceneCamera(truth.lens, truth.head, picture, 3)
    at_s = float(truth.frame_s[1])
    left, top = np.floor(truth.scene_from_screen(at_s, truth.layout.tags[tag_id]).min(axis=0)).astype(int) + 2
    side = 36  # within the tag, so that only the screen is seen
    drawn = camera.draw(at_s, SILENT, rng)[top : top + side, left : left + side].astype(np.float64)
    levels = camera.levels[picture]
    exact = patch_of(truth, at_s, levels, (left, top), side)
    down, across = np.gradient(exact)
    slopes = np.stack([across.ravel(), down.ravel()], axis=1)
    shift, *_ = np.linalg.lstsq(slopes, (exact - drawn).ravel(), rcond=None)
    assert np.abs(shift).max() < 0.02
    assert np.abs(drawn - exact).mean() < 2


def test_the_gyroscope_feels_the_head() -> None:
    head = Head(yaw=Turn(50.0, 12.0), pitch=Turn(20.0, 5.0, phase=np.pi / 2))
    speed = head.speed_dps(0.0)[0]  # the yaw is at its fastest, the pitch at its upper end
    assert speed[1] == pytest.approx(50 * np.cos(np.deg2rad(5)), abs=0.1)
    assert speed[0] == pytest.approx(0, abs=0.1)


@pytest.fixture
def judge_python() -> str:
    python = os.environ.get("NEON_JUDGE_PYTHON")
    if not python:
        pytest.skip("NEON_JUDGE_PYTHON is not set: it names a Python that has the packages of the group judge")
    return python


@pytest.mark.long
@pytest.mark.parametrize(
    ("optics", "rms_px", "mean_px"), [(CLEAN, 0.15, 0.08), (HARD, 0.2, 0.1)], ids=["clean", "hard"]
)
def test_pupil_apriltags_sees_the_tags_where_we_do(
    optics: Optics, rms_px: float, mean_px: float, judge_python: str, tmp_path: Path
) -> None:
    scene = SceneSet("test", "", optics=optics)
    truth = truth_of(scene, FRAMES, 5)
    job, _ = job_of(truth, rendered(scene, truth, 5, tmp_path))
    np.savez(tmp_path / "job.npz", **job)
    ours, judge = (
        run_side(side, judge_python, tmp_path / "job.npz", tmp_path / f"{side}.npz") for side in ("ours", "judge")
    )
    assert np.isfinite(judge["corners"]).all()
    judged, _ = map_by_corners(judge["corners"], job, truth)
    away = (ours["places"] - judged)[np.isfinite(job["places"][..., 0])]
    # One scene px is two and a half px of the screen. Half a pixel of bias would be 0.5.
    assert np.sqrt(np.mean(np.sum(away**2, axis=1))) < 2.5 * rms_px
    assert np.abs(away.mean(axis=0)).max() < 2.5 * mean_px
