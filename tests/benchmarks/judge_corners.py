"""pupil-apriltags on scene frames: ``judge_corners.py JOB RESULT``; see mapping_job.py for the files.

Its corners count from pixel corners; here half a pixel is taken off, so that pixel centres are at integers.
"""

import sys
import time

import numpy as np
from pupil_apriltags import Detector

IN_OUR_ORDER = [1, 0, 3, 2]
"""It counts counter-clockwise and has the family the other way up than OpenCV, whose way the tags are drawn."""


def main(job_path: str, result_path: str) -> None:
    job = np.load(job_path)
    frames = np.load(str(job["frames"]), mmap_mode="r")
    ids = job["tag_ids"].tolist()
    detector = Detector(families="tag36h11")
    corners = np.full((len(frames), len(ids), 4, 2), np.nan)
    wall_s, cpu_s = np.zeros(len(frames)), np.zeros(len(frames))
    for number, luma in enumerate(frames):
        picture = np.array(luma)
        wall, cpu = time.perf_counter(), time.process_time()
        found = detector.detect(picture)
        wall_s[number], cpu_s[number] = time.perf_counter() - wall, time.process_time() - cpu
        for tag in found:
            if tag.tag_id in ids:
                corners[number, ids.index(tag.tag_id)] = tag.corners[IN_OUR_ORDER] - 0.5
    np.savez(result_path, corners=corners, wall_s=wall_s, cpu_s=cpu_s)


if __name__ == "__main__":
    main(*sys.argv[1:])
