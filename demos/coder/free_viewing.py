"""Look about in small scenes, and see how long you looked at the house, the tree and the sun.

``psychopy-neon demo free_viewing --simulate`` runs it without hardware. It is the Builder demo of the same name in
plain Python: each scene waits at a cross, then looks at each part are counted, and time on it, beside it and without
data.
"""

import sys

from _common import run
from psychopy import visual

from psychopy_neon.plugin.visual import FixationGate, GazeROI

ROUNDS = 2
SCENE_S = 5.0
GATE_S = 5.0
VISIT_S = 0.7
"""The simulated wearer goes on to the next part."""
PARTS = {"house": "wall", "tree": "crown", "sun": "sun"}
SCENES = {
    "morning": (-0.28, 0.28, 0.1, "lightskyblue", "olivedrab", "gold"),
    "noon": (0.25, -0.3, -0.05, "skyblue", "yellowgreen", "yellow"),
    "evening": (0.3, -0.2, 0.35, "lightsalmon", "darkolivegreen", "orangered"),
    "night": (-0.1, 0.32, -0.32, "midnightblue", "darkgreen", "lemonchiffon"),
}
"""Where house, tree and sun are, and the colours of sky, grass and sun."""


def main():
    return run(__doc__, play)


def play(stage):
    gate = FixationGate(stage.win, stage.tags, limit=GATE_S, record=stage.record)
    scenes = []
    for name in list(SCENES) * ROUNDS:
        if stage.is_over():
            break
        wait_at(stage, gate)
        scenes.append({"scene": name, **view(stage, drawn(stage.win, *SCENES[name]))})
    return {"scenes": scenes}


def wait_at(stage, gate):
    """Each scene begins with the gaze in the middle, or when that was waited for in vain."""
    gate.reset()
    for _ in stage.frames_for(GATE_S + 1):
        stage.lead((0, 0))
        gate.update(stage.gaze())
        stage.frame(gate)
        if gate.isOpen or gate.gate.state.name == "TIMED_OUT":
            return


def view(stage, shapes):
    """One scene; what was looked at."""
    rois = {part: GazeROI(shapes[target], stage.tags, name=part, record=stage.record) for part, target in PARTS.items()}
    for passed_s in stage.frames_for(SCENE_S):
        stage.lead(tuple(shapes[list(PARTS.values())[int(passed_s / VISIT_S) % len(PARTS)]].pos))
        gaze = stage.gaze()
        for roi in rois.values():
            roi.update(gaze)
        stage.frame(*shapes.values())
    found = {part: roi.results() for part, roi in rois.items()}
    return {part: {what: each[what] for what in ("looks", "on_s", "no_data_s")} for part, each in found.items()}


def drawn(win, house_x, tree_x, sun_x, sky, grass, sun):
    """Shapes of a scene in the order of drawing; places and sizes are shares of the window's height."""
    plan = {
        "sky": ("rectangle", sky, (1.06, 0.74), (0, 0)),
        "grass": ("rectangle", grass, (1.06, 0.26), (0, -0.24)),
        "sun": ("circle", sun, (0.12, 0.12), (sun_x, 0.25)),
        "wall": ("rectangle", "bisque", (0.24, 0.2), (house_x, -0.1)),
        "roof": ("triangle", "firebrick", (0.3, 0.14), (house_x, 0.07)),
        "door": ("rectangle", "saddlebrown", (0.06, 0.11), (house_x, -0.145)),
        "trunk": ("rectangle", "sienna", (0.04, 0.16), (tree_x, -0.14)),
        "crown": ("circle", "seagreen", (0.2, 0.2), (tree_x, 0.0)),
    }
    height = win.size[1]
    return {
        name: visual.ShapeStim(
            win,
            vertices=shape,
            fillColor=color,
            lineColor=None,
            size=(width * height, tall * height),
            pos=(x * height, y * height),
        )
        for name, (shape, color, (width, tall), (x, y)) in plan.items()
    }


if __name__ == "__main__":
    sys.exit(main())
