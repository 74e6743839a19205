"""Our mapper on a sequence of scene frames: ``ours_mapping.py JOB RESULT``; see mapping_job.py for the files."""

from __future__ import annotations

import math
import sys
import time
from collections.abc import Iterator
from typing import Any

import numpy as np

from psychopy_neon.samples import CameraCalibration, CameraModel, GazeReason
from psychopy_neon.screen.layout import ScreenLayout
from psychopy_neon.screen.mapper import ScreenMapper
from psychopy_neon.screen.motion import HeadMotion
from psychopy_neon.screen.timeline import Placed, PoseTimeline

EPOCH_NS = 1_700_000_000_000_000_000
"""Device time of the sequence's beginning."""
NOWHERE = (math.nan, math.nan, math.nan)


def main(job_path: str, result_path: str) -> None:
    with np.load(job_path) as arrays:
        job = dict(arrays)
    motion = HeadMotion()
    timeline = PoseTimeline(mapper_of(job), motion)
    frames = np.load(str(job["frames"]), mmap_mode="r")
    result = empty_result(job)
    waiting: list[int] = []
    gaze_ns, frame_ns, gyro_ns = (device_ns(job[name]) for name in ("gaze_s", "frame_s", "gyro_s"))
    for kind, number in arrivals(job):
        if kind == "gyro":
            x, y, z = job["gyro_dps"][number].tolist()
            motion.add(gyro_ns[number], (x, y, z))
        elif kind == "gaze":
            result["live"][number] = told(timeline.live(*job["gaze"][number].tolist(), gaze_ns[number]))
            waiting.append(number)
        else:
            take_frame(timeline, frame_ns[number], np.array(frames[number]), job["places"][number], number, result)
            waiting = [each for each in waiting if not is_placed(timeline, job, gaze_ns, each, result)]
    result["expected"], result["places"] = result["places"][..., 2], result["places"][..., :2]
    result["live_expected"], result["live"] = result["live"][:, 2], result["live"][:, :2]
    result["interpolated"] = result["interpolated"][:, :2]
    np.savez(result_path, **result)


def mapper_of(job: dict[str, Any]) -> ScreenMapper:
    scene = CameraModel(job["matrix"], job["distortion"], np.eye(4))
    tags = dict(zip(job["tag_ids"].tolist(), job["tag_corners"], strict=True))
    width, height = job["screen_px"].tolist()
    return ScreenMapper(CameraCalibration(1, "", scene, scene, scene), ScreenLayout((width, height), tags))


def empty_result(job: dict[str, Any]) -> dict[str, Any]:
    """Places with their expected error as a third number."""
    frames, places, _ = job["places"].shape
    samples = len(job["gaze"])
    shapes = {"places": (frames, places, 3), "live": (samples, 3), "interpolated": (samples, 3)}
    result = {name: np.full(shape, np.nan) for name, shape in shapes.items()}
    return result | {name: np.zeros(frames) for name in ("wall_s", "cpu_s", "has_searched")}


def device_ns(times_s: Any) -> list[int]:
    return [EPOCH_NS + round(each * 1e9) for each in times_s.tolist()]


def arrivals(job: dict[str, Any]) -> Iterator[tuple[str, int]]:
    """Everything in the order in which it came; the gyroscope's samples are as quick as gaze."""
    found = [(at_s + float(job["frame_delay_s"]), "frame", number) for number, at_s in enumerate(job["frame_s"])]
    for kind in ("gyro", "gaze"):
        found += [(at_s + float(job["gaze_delay_s"]), kind, number) for number, at_s in enumerate(job[f"{kind}_s"])]
    for _, kind, number in sorted(found, key=lambda each: each[0]):
        yield kind, number


def take_frame(timeline: PoseTimeline, at_ns: int, luma: Any, places: Any, number: int, result: dict[str, Any]) -> None:
    """Locate the screen, and map the frame's places by its own pose."""
    before = timeline.mapper.searched
    wall, cpu = time.perf_counter(), time.process_time()
    pose = timeline.add_frame(at_ns, luma).poses[0]
    result["wall_s"][number], result["cpu_s"][number] = time.perf_counter() - wall, time.process_time() - cpu
    result["has_searched"][number] = timeline.mapper.searched > before
    if not isinstance(pose, GazeReason):
        result["places"][number] = [pose.place(x, y)[:3] for x, y in places.tolist()]


def is_placed(
    timeline: PoseTimeline, job: dict[str, Any], gaze_ns: list[int], number: int, result: dict[str, Any]
) -> bool:
    """Whether the frame after a gaze sample has come; then it is mapped once more."""
    placed = timeline.later(*job["gaze"][number].tolist(), gaze_ns[number])
    if placed is not None:
        result["interpolated"][number] = told(placed)
    return placed is not None


def told(placed: Placed | GazeReason) -> tuple[float, float, float]:
    return NOWHERE if isinstance(placed, GazeReason) else placed.place[:3]


if __name__ == "__main__":
    main(*sys.argv[1:])
