"""The pupil's answer to steps of luminance."""

from psychopy.experiment.components.code import CodeComponent
from psychopy.experiment.components.polygon import PolygonComponent
from psychopy.experiment.components.text import TextComponent

from .kit import Demo

ABOUT = """
# Pupil response: the screen becomes darker or brighter for three seconds.
#
# The tags have "Match luminance": their mean is that of the window's background, so that they bring no light of their
# own. The routine "step" changes that background (its settings, tab Window), and the tags follow. A window shows a new
# background one frame late; the code components clear it, so that it comes with the flip that step_dot.started tells.
#
# Pupil diameters are in the HDF5 file, table BinocularEyeSampleEvent, columns left_pupil_measure1 and
# right_pupil_measure1 (mm). plot_pupil.py in this folder cuts them at the steps. Simulated eyes do not answer to light.
"""
INSTRUCTIONS = (
    "Look at the dot in the middle and try not to blink.\n\nThe screen will become brighter or darker by itself."
)
LEVEL = "$[level, level, level]"


def make():
    demo = Demo("pupil_response", ABOUT, INSTRUCTIONS, neonConditions="step")
    demo.begin_loop()
    show(demo, demo.routine("baseline", "Medium grey: the pupil comes to rest."), 2.0)
    background = {"useWindowParams": True, "color": LEVEL, "colorSpace": "rgb"}
    show(demo, demo.routine("step", "Darker or brighter, by the conditions.", **background), 3.0)
    pause = demo.routine("pause", "Medium grey again, and time to blink.")
    show(demo, pause, 2.0)
    demo.add(pause, TextComponent, "pause_text", text="Blink now", letterHeight=0.04, pos=(0, -0.1), stopVal=2.0)
    demo.end_loop(nReps=2)
    demo.thank()
    return demo


def show(demo, routine, seconds):
    """The background, a dot to look at, and tags that are as bright in the mean."""
    demo.add(routine, CodeComponent, f"{routine.name}_background", **{"Begin Routine": "win.clearBuffer()"})
    dot = {"shape": "circle", "size": (0.02, 0.02), "fillColor": "black", "lineColor": "None"}
    demo.add(routine, PolygonComponent, f"{routine.name}_dot", stopVal=seconds, **dot)
    demo.add_tags(routine, matchLuminance=True)
