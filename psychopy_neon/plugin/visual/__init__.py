"""Stimuli."""

from psychopy_neon.plugin.visual.april_tag import AprilTag
from psychopy_neon.plugin.visual.april_tag_frame import AprilTagFrame
from psychopy_neon.plugin.visual.dwell_button import DwellButton
from psychopy_neon.plugin.visual.fixation_gate import FixationGate
from psychopy_neon.plugin.visual.gaze_cursor import GazeCursor
from psychopy_neon.plugin.visual.gaze_record import GazeRecord
from psychopy_neon.plugin.visual.gaze_roi import GazeROI
from psychopy_neon.plugin.visual.gaze_window import GazeScotoma, GazeWindow
from psychopy_neon.plugin.visual.look_away_pause import LookAwayPause

__all__ = [
    "AprilTag",
    "AprilTagFrame",
    "DwellButton",
    "FixationGate",
    "GazeCursor",
    "GazeROI",
    "GazeRecord",
    "GazeScotoma",
    "GazeWindow",
    "LookAwayPause",
]
