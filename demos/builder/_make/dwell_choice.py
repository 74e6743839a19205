"""Answers by looking, with reaction time and correctness."""

from psychopy.experiment.components.code import CodeComponent
from psychopy.experiment.components.text import TextComponent

from psychopy_neon.plugin.builder.components import DwellButtonComponent, FixationGateComponent

from .kit import Demo

ABOUT = """
# Dwell choice: an answer is given by looking at it until its ring is full.
#
# Each Dwell Button has its columns: left.selected, left.rt (s from the first flip of the button), left.look_s (when the
# winning look began), left.corr. The code component "scoring" joins both buttons in the columns choice, rt and correct.
"""
INSTRUCTIONS = "Answer by looking: the ring around an answer fills while you look at it."
SCORING = """\
choice = "left" if left.isSelected else "right" if right.isSelected else None
found = {"left": left, "right": right}[choice].results() if choice else {"rt": None}
correct = choice == correctSide
thisExp.addData("choice", choice)
thisExp.addData("rt", found["rt"])
thisExp.addData("correct", int(correct))
feedback_words = "Yes!" if correct else "No." if choice else "Too slow."
"""


def make():
    demo = Demo("dwell_choice", ABOUT, INSTRUCTIONS, neonConditions="question, correctSide")
    demo.begin_loop()
    fixate = demo.routine("fixate", "So that no trial begins with the gaze on an answer.")
    demo.add(fixate, FixationGateComponent, "fixate_gate", limit=5)
    demo.add_tags(fixate)
    choose = demo.routine("choose", "Ends with an answer, or after eight seconds.", stopVal=8.0)
    demo.add(choose, TextComponent, "question_text", text="$question", letterHeight=0.1, pos=(0, 0.24), stopVal="")
    for side, x in (("left", -0.33), ("right", 0.33)):
        demo.add(
            choose,
            DwellButtonComponent,
            side,
            text=f"${side}Answer",
            pos=(x, -0.08),
            size=0.24,
            storeCorrect=True,
            correctAns=f"correctSide == '{side}'",
        )
    demo.add(choose, CodeComponent, "scoring", **{"End Routine": SCORING})
    demo.add_tags(choose)
    feedback = demo.routine("feedback", "Half a second.")
    demo.add(feedback, TextComponent, "feedback_text", text="$feedback_words", stopVal=0.5)
    demo.end_loop()
    demo.thank()
    return demo
