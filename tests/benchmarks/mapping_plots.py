"""Pictures of the benchmark of mapping, for the manual."""

from __future__ import annotations

import tempfile
from itertools import pairwise
from pathlib import Path

import cv2
import matplotlib as mpl
import numpy as np
from head import SCREEN_PX, Floats, is_in_frame
from mapping_job import job_of, map_by_corners, run_side
from mapping_record import Outcome, joined
from matplotlib.axes import Axes
from matplotlib.figure import Figure
from scene_camera import Image
from scenes import SETS, Truth, rendered, truth_of

mpl.use("agg")

COLOURS = {"ours": "#0072b2", "peer": "#d55e00", "judge": "#777777"}
NAMES = {"ours": "psychopy-neon", "peer": "real-time-screen-gaze", "judge": "pupil-apriltags − 0.5 px"}
EXAMPLES = {"clean": 7, "hard, H.264": 7, "turning 50": 7, "out of view": 40}
"""Sequences, and which of their frames."""
ZOOM_PX = 70
BINS = 12
OTHERWISE_HARD = ("hard", "rows")
"""Sequences in which speed is not the only trouble."""


def draw_all(outcomes: list[Outcome], seed: int, judge_python: str, folder: Path) -> None:
    draw_errors(outcomes, folder / "mapping_errors.png")
    draw_speed(outcomes, folder / "mapping_speed.png")
    draw_frames(seed, judge_python, folder / "mapping_frames.png")


def draw_errors(outcomes: list[Outcome], path: Path) -> None:
    """Of each sequence, the share of places that are off by no more than so many px."""
    shown = [each for each in outcomes if any(len(joined(record.error_px)) for record in each.records.values())]
    if not shown:
        return
    rows = -(-len(shown) // 4)
    figure = Figure(figsize=(10, 2.3 * rows + 0.5), layout="constrained")
    grid = figure.subplots(rows, 4, sharex=True, sharey=True, squeeze=False).ravel()
    for axes, outcome in zip(grid, shown, strict=False):
        for by, record in outcome.records.items():
            errors = np.sort(joined(record.error_px))
            if len(errors):
                # Of all places: whoever does not map some frames never gets to 100 %.
                percent = 100 * np.arange(1, len(errors) + 1) / sum(map(len, record.error_px))
                axes.plot(errors, percent, color=COLOURS[by], label=NAMES[by])
        axes.set_title(outcome.name, fontsize=9)
        axes.set(xscale="log", xlim=(0.003, 300), ylim=(0, 100))
        axes.set_xticks([0.01, 0.1, 1, 10, 100], ["0.01", "0.1", "1", "10", "100"])
        axes.tick_params(labelbottom=True, labelsize=8)
        axes.grid(alpha=0.3)
    for axes in grid[len(shown) :]:
        axes.set_visible(False)
    figure.supxlabel("error on the screen, px", fontsize=9)
    figure.supylabel("places, %", fontsize=9)
    handles, labels = grid[0].get_legend_handles_labels()
    figure.legend(handles, labels, loc="outside upper center", ncols=3, frameon=False, fontsize=9)
    figure.savefig(path, dpi=110)


def draw_speed(outcomes: list[Outcome], path: Path) -> None:
    """Error of gaze against the speed of the head: when it came, and one frame later."""
    turning = [each for each in outcomes if each.name.startswith("turning") and not each.name.endswith(OTHERWISE_HARD)]
    figure = Figure(figsize=(7, 3.8), layout="constrained")
    axes = figure.subplots()
    for by, kind, style, says in (
        ("peer", "live_px", "-", "live"),
        ("ours", "live_px", "-", "live"),
        ("ours", "interpolated_px", "--", "one frame later"),
    ):
        records = [each.records[by] for each in turning if by in each.records]
        if not records or not all(getattr(record, kind) for record in records):
            continue
        error = np.concatenate([row for record in records for row in getattr(record, kind)])
        speed = np.concatenate([row for record in records for row in record.speed_dps])
        if not np.isfinite(error).any():
            continue
        draw_bins(axes, speed, error, COLOURS[by], style, f"{NAMES[by]}, {says}")
    axes.set(xlabel="speed of the head, deg/s", ylabel="error on the screen, px", yscale="log", xlim=(0, 105))
    axes.set_yticks([0.01, 0.1, 1, 10, 100], ["0.01", "0.1", "1", "10", "100"])
    axes.grid(alpha=0.3)
    axes.legend(frameon=False, fontsize=9)
    figure.savefig(path, dpi=110)


def draw_bins(axes: Axes, speed: Floats, error: Floats, colour: str, style: str, label: str) -> None:
    """Median, and the middle nine tenths as a band, of equally many samples each."""
    is_mapped = np.isfinite(error)
    order = np.argsort(speed[is_mapped])
    bins = [each for each in np.array_split(order, BINS) if len(each)]
    speeds = [float(np.median(speed[is_mapped][each])) for each in bins]
    parts = np.array([np.quantile(error[is_mapped][each], (0.05, 0.5, 0.95)) for each in bins])
    axes.plot(speeds, parts[:, 1], style, color=colour, label=label, marker="o", markersize=3)
    axes.fill_between(speeds, parts[:, 0], parts[:, 2], color=colour, alpha=0.12, linewidth=0)


def draw_frames(seed: int, judge_python: str, path: Path) -> None:
    """A frame of some sequences with the screen as each mapper sees it, and one corner of it enlarged."""
    figure = Figure(figsize=(10, 3.75 * len(EXAMPLES)), layout="constrained")
    grid = figure.subplots(len(EXAMPLES), 2, width_ratios=(4, 3), squeeze=False)
    for (whole, near), (name, frame) in zip(grid, EXAMPLES.items(), strict=True):
        luma, outlines, corner = example(name, frame, seed, judge_python)
        left, top = (corner - ZOOM_PX / 2).round()
        # Pixel centres are at integers in both, so the picture reaches from -0.5 on.
        for axes in (whole, near):
            axes.imshow(luma, cmap="gray", vmin=0, vmax=max(int(np.quantile(luma, 0.999)), 1), interpolation="nearest")
            for by, outline in outlines.items():
                axes.plot(*outline.T, color=COLOURS[by], linewidth=1.2, label=NAMES[by])
            axes.set_xticks([])
            axes.set_yticks([])
        whole.set(xlim=(-0.5, luma.shape[1] - 0.5), ylim=(luma.shape[0] - 0.5, -0.5))
        near.set(xlim=(left, left + ZOOM_PX), ylim=(top + ZOOM_PX, top))
        whole.set_title(f"{name}: {SETS[name].says}", fontsize=9, loc="left")
    handles, labels = grid[0, 0].get_legend_handles_labels()
    figure.legend(handles, labels, loc="outside upper center", ncols=3, frameon=False, fontsize=9)
    figure.savefig(path, dpi=90)


def example(name: str, frame: int, seed: int, judge_python: str) -> tuple[Image, dict[str, Floats], Floats]:
    """A frame, the borders of the screen and of a tag as each mapper sees them, and where that tag is."""
    scene, outlines = SETS[name], {}
    truth = truth_of(scene, frame + 1, seed)
    tag, place = seen_tag(truth, float(truth.frame_s[frame]))
    with tempfile.TemporaryDirectory() as temporary:
        folder = Path(temporary)
        frames = rendered(scene, truth, seed, folder)
        job, _ = job_of(truth, frames)
        np.savez(folder / "job.npz", **job)
        for side in ("judge", "peer", "ours"):
            result = run_side(side, judge_python, folder / "job.npz", folder / f"{side}.npz")
            if "corners" in result:
                result["places"], _ = map_by_corners(result["corners"], job, truth)
            outlines[side] = outline_of(truth, tag, job["places"][frame], result["places"][frame])
        luma = np.load(frames)[frame]
    return luma, outlines, place


def seen_tag(truth: Truth, at_s: float) -> tuple[Floats, Floats]:
    """The last tag that the frame of a time shows as a whole: its corners, screen px, and its middle, scene px."""
    for tag_id in sorted(truth.layout.tags, reverse=True):
        corners = truth.layout.tags[tag_id]
        scene = truth.scene_from_screen(at_s, corners)
        if is_in_frame(scene).all():
            return corners, scene.mean(axis=0)
    raise ValueError(f"no tag is seen at {at_s:.2f} s")


def outline_of(truth: Truth, tag: Floats, scene_px: Floats, screen_px: Floats) -> Floats:
    """Where a mapper that puts scene px onto screen px sees the borders of the screen and of a tag."""
    is_mapped = np.isfinite(screen_px[:, 0]) & np.isfinite(scene_px[:, 0])
    if is_mapped.sum() < 4:
        return np.full((1, 2), np.nan)
    ray_from_screen, _ = cv2.findHomography(screen_px[is_mapped], truth.lens.undistort(scene_px[is_mapped]), 0)
    width, height = SCREEN_PX
    lines = []
    for border in (np.array([[0, 0], [width, 0], [width, height], [0, height]], np.float64), tag):
        ends = np.concatenate([border, border[:1]])
        line = np.concatenate([np.linspace(a, b, 40) for a, b in pairwise(ends)])
        rays = cv2.perspectiveTransform(line[:, None], ray_from_screen)[:, 0]
        lines += [truth.lens.distort(rays), np.full((1, 2), np.nan)]
    return np.concatenate(lines)
