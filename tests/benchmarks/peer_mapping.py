"""real-time-screen-gaze on scene frames: ``peer_mapping.py JOB RESULT``; see mapping_job.py for the files."""

import sys
import time

import cv2
import numpy as np
from pupil_labs.real_time_screen_gaze.gaze_mapper import GazeMapper


def main(job_path: str, result_path: str) -> None:
    job = np.load(job_path)
    frames = np.load(str(job["frames"]), mmap_mode="r")
    size = job["screen_px"]
    mapper = GazeMapper({"scene_camera_matrix": job["matrix"], "scene_distortion_coefficients": job["distortion"]})
    # It has the family the other way up than OpenCV, whose way the tags are drawn; its own stimulus turns them.
    turned = np.roll(job["tag_corners"], 2, axis=1)
    tags = zip(job["tag_ids"].tolist(), turned.tolist(), strict=True)
    screen = mapper.add_surface({tag_id: [tuple(corner) for corner in corners] for tag_id, corners in tags}, size)

    def mapped(points: np.ndarray) -> np.ndarray:
        """Scene px to screen px (y down) by the newest frame, shapes (n, 2); NaN where it gives nothing."""
        found = np.full(points.shape, np.nan)
        for number, point in enumerate(points):
            gaze = mapper.process_gaze((float(point[0]), float(point[1]))).mapped_gaze[screen.uid]
            if gaze:
                found[number] = gaze[0].x * size[0], (1 - gaze[0].y) * size[1]
        return found

    places = np.full(job["places"].shape, np.nan)
    live = np.full(job["gaze"].shape, np.nan)
    wall_s, cpu_s = np.zeros(len(frames)), np.zeros(len(frames))
    for number, luma in enumerate(frames):
        picture = cv2.cvtColor(np.array(luma), cv2.COLOR_GRAY2BGR)  # as its decoder hands it over
        wall, cpu = time.perf_counter(), time.process_time()
        mapper.process_frame(picture, (800.0, 600.0))
        wall_s[number], cpu_s[number] = time.perf_counter() - wall, time.process_time() - cpu
        places[number] = mapped(job["places"][number])
        is_newest = job["gaze_frame"] == number
        live[is_newest] = mapped(job["gaze"][is_newest])
    np.savez(result_path, places=places, live=live, wall_s=wall_s, cpu_s=cpu_s)


if __name__ == "__main__":
    main(*sys.argv[1:])
