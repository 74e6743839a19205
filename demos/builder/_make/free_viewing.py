"""Looking about in a drawn scene, with times on its parts."""

from psychopy.experiment.components.code import CodeComponent
from psychopy.experiment.components.polygon import PolygonComponent

from psychopy_neon.plugin.builder.components import FixationGateComponent, GazeROIComponent

from .kit import Demo

ABOUT = """
# Free viewing: how long are the parts of a scene looked at?
#
# A Gaze ROI watches each part: it counts looks, and time on it, beside it and without data, kept apart. The columns are
# house_roi.looks, house_roi.on_s and so on. A margin forgives the error of the eye tracker.
"""
INSTRUCTIONS = "You will see four small scenes, five seconds each.\nLook at whatever you like."
SCENE_S = 5.0
COUNT = """\
for part, roi in (("house", house_roi), ("tree", tree_roi), ("sun", sun_roi)):
    looked_s[part] += roi.results()["on_s"]
"""
THANKS = "$'Thank you!\\n\\n' + '\\n'.join(f'You looked at the {part} for {s:.1f} s.' for part, s in looked_s.items())"


def make():
    demo = Demo("free_viewing", ABOUT, INSTRUCTIONS, neonConditions="scene")
    demo.begin_loop()
    fixate = demo.routine("fixate", "Each scene begins with the gaze in the middle.")
    demo.add(fixate, FixationGateComponent, "fixate_gate", limit=5)
    demo.add_tags(fixate)
    scene = demo.routine("scene", "Drawn from below: sky, grass, and what stands before them.")
    draw(demo, scene)
    for part, target in (("house", "wall"), ("tree", "crown"), ("sun", "sun")):
        demo.add(scene, GazeROIComponent, f"{part}_roi", target=target)
    demo.add(
        scene,
        CodeComponent,
        "sums",
        **{"Begin Experiment": 'looked_s = {"house": 0.0, "tree": 0.0, "sun": 0.0}', "End Routine": COUNT},
    )
    demo.add_tags(scene)
    demo.end_loop()
    demo.thank(THANKS)
    return demo


def draw(demo, scene):
    """The stimuli of a scene, in the order of drawing."""

    def shape(name, kind, color, size, pos):
        look = {"shape": kind, "fillColor": color, "lineColor": "None", "size": size, "pos": pos}
        demo.add(scene, PolygonComponent, name, stopVal=SCENE_S, **look)

    shape("sky", "rectangle", "$skyColor", (1.06, 0.74), (0, 0))
    shape("grass", "rectangle", "$grassColor", (1.06, 0.26), (0, -0.24))
    shape("sun", "circle", "$sunColor", (0.12, 0.12), "$(sunX, 0.25)")
    shape("wall", "rectangle", "bisque", (0.24, 0.2), "$(houseX, -0.1)")
    shape("roof", "triangle", "firebrick", (0.3, 0.14), "$(houseX, 0.07)")
    shape("door", "rectangle", "saddlebrown", (0.06, 0.11), "$(houseX, -0.145)")
    shape("trunk", "rectangle", "sienna", (0.04, 0.16), "$(treeX, -0.14)")
    shape("crown", "circle", "seagreen", (0.2, 0.2), "$(treeX, 0.0)")
