"""Hands one sequence to one mapper in a process of its own, and reads what it did.

A *job* (npz) has ``frames`` (path of an npy: luma, shape (n, 1200, 1600)), ``matrix``, ``distortion``, ``screen_px``,
``tag_ids``, ``tag_corners`` (screen px), ``places`` (scene px, shape (n, places, 2), filled up with NaN: to be mapped
by each frame's own pose), ``gaze`` and ``gaze_frame`` (scene px, and the newest frame that was there when each sample
came; -1: none), ``frame_s``, ``gaze_s``, ``gyro_s``, ``gyro_dps``, ``frame_delay_s``, ``gaze_delay_s``.

A *result* (npz) has ``places`` and ``live`` (gaze as it could be mapped when it came), screen px, NaN where there is
none, and ``wall_s`` and ``cpu_s`` of each frame. Ours adds ``interpolated`` (gaze as it can be mapped one frame later),
``expected`` and ``live_expected`` (its own word on the errors, px) and ``has_searched``. The judge has ``corners``
(scene px, shape (n, tags, 4, 2)) in place of places.
"""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path
from typing import Any

import cv2
import numpy as np
from head import Floats
from scenes import Truth

HERE = Path(__file__).parent
SIDES = {"ours": "ours_mapping.py", "peer": "peer_mapping.py", "judge": "judge_corners.py"}
FRAME_DELAY_S, GAZE_DELAY_S = 0.025, 0.005
"""From the middle of an exposure until the decoded frame is there; from a gaze sample's time until it is there."""
CHILD_LIMIT_S = 3600.0


class Failed(Exception):  # noqa: N818 - its text is all that is shown
    """A run did not give a result."""


def job_of(truth: Truth, frames: Path) -> tuple[dict[str, Any], Floats]:
    """What a mapper is given; with it the true screen px of its places, shape (n, places, 2)."""
    seen = [truth.places(number) for number in range(len(truth.frame_s))]
    widest = max(len(screen) for screen, _ in seen)
    screen, scene = np.full((2, len(seen), widest, 2), np.nan)
    for number, (on_screen, in_scene) in enumerate(seen):
        screen[number, : len(on_screen)], scene[number, : len(in_scene)] = on_screen, in_scene
    newest = np.searchsorted(truth.frame_s + FRAME_DELAY_S, truth.gaze.at_s + GAZE_DELAY_S, side="right") - 1
    camera = truth.calibration.scene
    job = {
        "frames": str(frames.resolve()),
        "matrix": camera.matrix,
        "distortion": camera.distortion,
        "screen_px": np.array(truth.layout.size_px),
        "tag_ids": np.array(list(truth.layout.tags)),
        "tag_corners": np.stack(list(truth.layout.tags.values())),
        "places": scene,
        "gaze": truth.gaze.scene_px,
        "gaze_frame": newest,
        "frame_s": truth.frame_s,
        "gaze_s": truth.gaze.at_s,
        "gyro_s": truth.gyro.at_s,
        "gyro_dps": truth.gyro.dps,
        "frame_delay_s": FRAME_DELAY_S,
        "gaze_delay_s": GAZE_DELAY_S,
    }
    return job, screen


def run_side(side: str, judge_python: str | None, job: Path, result: Path) -> dict[str, Any]:
    """Let one mapper do a job; its result.

    Raises
    ------
    Failed
        It ended with an error, or did not end.
    """
    python, environment = sys.executable, dict(os.environ)
    if side != "ours":  # the others find nothing of ours
        assert judge_python is not None
        python = judge_python
        environment = {key: value for key, value in environment.items() if not key.startswith("PYTHON")}
    script = SIDES[side]
    command = [python, str(HERE / script), str(job), str(result)]
    try:
        done = subprocess.run(command, capture_output=True, text=True, timeout=CHILD_LIMIT_S, env=environment)
    except subprocess.TimeoutExpired as error:
        raise Failed(f"{script} did not end within {CHILD_LIMIT_S:g} s") from error
    if done.returncode != 0:
        raise Failed(f"{script} ended with {done.returncode}:\n{done.stderr[-4000:]}")
    with np.load(result) as arrays:
        return dict(arrays)


def map_by_corners(corners: Floats, job: dict[str, Any], truth: Truth) -> tuple[Floats, Floats]:
    """Places and gaze through a plain homography of all of a frame's corners, shape (n, tags, 4, 2)."""
    places, live = np.full(job["places"].shape, np.nan), np.full(job["gaze"].shape, np.nan)
    for number, each in enumerate(corners):
        is_found = np.isfinite(each).all(axis=(1, 2))
        if not is_found.any():
            continue
        rays = truth.lens.undistort(each[is_found].reshape(-1, 2))
        screen_from_ray, _ = cv2.findHomography(rays, job["tag_corners"][is_found].reshape(-1, 2), 0)
        is_seen = np.isfinite(job["places"][number, :, 0])
        seen = truth.lens.undistort(job["places"][number, is_seen])
        places[number, is_seen] = cv2.perspectiveTransform(seen[:, None], screen_from_ray)[:, 0]
        is_newest = job["gaze_frame"] == number
        if is_newest.any():
            seen = truth.lens.undistort(job["gaze"][is_newest])
            live[is_newest] = cv2.perspectiveTransform(seen[:, None], screen_from_ray)[:, 0]
    return places, live
