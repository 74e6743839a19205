"""Plots the pupils of a run of this demo around each step: ``plot_pupil.py FILE``, one of data/ without its ending.

The times of the steps come from the csv file, the pupils from the HDF5 file. Both are on the clock that PsychoPy starts
with the experiment, so they fit as they are.
"""

import csv
import sys
from pathlib import Path

import numpy as np
import tables

BEFORE_S = 0.5
AFTER_S = 3.0
EYES = ("left_pupil_measure1", "right_pupil_measure1")


def steps(csv_file):
    """Time (s) and kind of each step: the flip that showed it."""
    with csv_file.open(encoding="utf-8-sig", newline="") as file:
        rows = [row for row in csv.DictReader(file) if row.get("step_dot.started")]
    return [(float(row["step_dot.started"]), row["step"]) for row in rows]


def pupils(hdf5_file):
    """Time (s) and diameter (mm, mean of both eyes; NaN while an eye is closed) of every sample."""
    with tables.open_file(str(hdf5_file)) as file:
        samples = file.get_node("/data_collection/events/eyetracker/BinocularEyeSampleEvent")[:]
    return samples["time"], np.mean([samples[eye] for eye in EYES], axis=0)


def responses(step_times, times_s, pupils_mm):
    """For each step the time from it (s) and the diameter less its mean before it (mm)."""
    found = []
    for begin_s, kind in step_times:
        is_near = (times_s >= begin_s - BEFORE_S) & (times_s < begin_s + AFTER_S)
        from_step_s, near_mm = times_s[is_near] - begin_s, pupils_mm[is_near]
        is_before = (from_step_s < 0) & np.isfinite(near_mm)
        if is_before.any():
            found.append((kind, from_step_s, near_mm - near_mm[is_before].mean()))
    return found


def main(name):
    from matplotlib import pyplot

    path = Path(name)
    found = responses(steps(path.with_name(path.name + ".csv")), *pupils(path.with_name(path.name + ".hdf5")))
    figure, axes = pyplot.subplots(figsize=(7, 4), layout="constrained")
    colors = {"darker": "midnightblue", "brighter": "darkorange"}
    for kind, from_step_s, change_mm in found:
        axes.plot(from_step_s, change_mm, color=colors[kind], linewidth=1, label=kind)
    handles = dict(zip(*reversed(axes.get_legend_handles_labels()), strict=True))
    axes.legend(handles.values(), handles.keys(), frameon=False)
    axes.axvline(0, color="grey", linewidth=0.8)
    axes.set(xlabel="time from the step (s)", ylabel="pupil diameter, change (mm)")
    figure.savefig(path.with_name(path.name + "_pupil.png"), dpi=150)
    print(path.with_name(path.name + "_pupil.png"))


if __name__ == "__main__":
    main(sys.argv[1].removesuffix(".csv").removesuffix(".hdf5"))
