"""The screen becomes darker and brighter, and the pupils answer.

``psychopy-neon demo pupil_response --simulate`` runs it without hardware, but simulated pupils do not answer to light.
The tags have the mean luminance of the background, so they bring no light of their own. ``pupil.csv`` has every sample.
"""

import statistics
import sys

from _common import run, save_table
from psychopy import visual

from psychopy_neon.plugin.visual import GazeROI

BASELINE_S = 2.0
STEP_S = 3.0
PAUSE_S = 2.0
COMPARED_S = 0.5
"""So long before the step, and at its end."""
LEVELS = {"darker": -0.6, "brighter": 0.5}
STEPS = ("darker", "brighter") * 4
NAMES = ("step", "trial", "seconds", "left_mm", "right_mm", "bound_s")


def main():
    return run(__doc__, play, tag_look={"matchLuminance": True})


def play(stage):
    dot = visual.Circle(stage.win, radius=stage.win.size[1] / 100, fillColor="black", lineColor=None)
    dot_roi = GazeROI(dot, stage.tags, margin=2.0, record=stage.record, name="dot")  # gaze elsewhere changes the pupil
    reader = stage.neon.gaze.reader()
    rows = []
    for trial, step in enumerate(STEPS):
        if stage.is_over():
            break
        stage.text.text, stage.text.pos = "Blink now", (0, -0.1 * stage.win.size[1])
        show(stage, 0, PAUSE_S, reader, dot_roi, dot, stage.text)
        baseline, _ = show(stage, 0, BASELINE_S, reader, dot_roi, dot)
        samples, step_ns = show(stage, LEVELS[step], STEP_S, reader, dot_roi, dot)
        rows += [row_of(sample, step, trial, step_ns) for sample in baseline + samples]
    stage.win.color = (0, 0, 0)
    save_table(stage.args.out / "pupil.csv", NAMES, rows)
    looked_s = round(dot_roi.results()["on_s"], 2)
    return {
        "dot_looked_at_s": looked_s,
        "pupil_samples": len(rows),
        "change_mm": {step: change_mm(rows, step) for step in LEVELS},
    }


def show(stage, level, seconds, reader, roi, *stimuli):
    """One luminance for some seconds; the samples, and the host time of its first flip."""
    stage.win.color = (level,) * 3
    stage.win.clearBuffer()  # else the window shows it one frame later than the tags, which follow at once
    samples, before = [], len(stage.flips_ns)
    for _ in stage.frames_for(seconds):
        stage.lead((0, 0))
        roi.update(stage.gaze())
        stage.frame(*stimuli)
        samples += reader.take()
    return samples, stage.flips_ns[before] if len(stage.flips_ns) > before else None


def row_of(sample, step, trial, step_ns):
    """A sample with its time from the flip of the step."""
    seconds = None if step_ns is None else round((sample.host_ns - step_ns) / 1e9, 4)
    left, right = (None if eye is None else eye.pupil_mm for eye in (sample.left, sample.right))
    bound_s = None if sample.bound_ns is None else sample.bound_ns / 1e9
    return dict(zip(NAMES, (step, trial, seconds, left, right, bound_s), strict=True))


def change_mm(rows, step):
    """Mean of both eyes at the end of the step, less that before it; None without pupils."""
    means = []
    for begin_s, end_s in ((-COMPARED_S, 0.0), (STEP_S - COMPARED_S, STEP_S)):
        found = [
            row[eye]
            for row in rows
            for eye in ("left_mm", "right_mm")
            if row["step"] == step and row["seconds"] is not None and begin_s <= row["seconds"] < end_s and row[eye]
        ]
        if not found:
            return None
        means.append(statistics.fmean(found))
    return round(means[1] - means[0], 3)


if __name__ == "__main__":
    sys.exit(main())
