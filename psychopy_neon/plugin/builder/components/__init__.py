"""The components, one file each; importing them touches no device, video or network library."""

from psychopy_neon.plugin.builder.components.april_tag import NeonAprilTagComponent
from psychopy_neon.plugin.builder.components.april_tag_frame import NeonAprilTagFrameComponent
from psychopy_neon.plugin.builder.components.dwell_button import DwellButtonComponent
from psychopy_neon.plugin.builder.components.fixation_gate import FixationGateComponent
from psychopy_neon.plugin.builder.components.gaze_cursor import GazeCursorComponent
from psychopy_neon.plugin.builder.components.gaze_roi import GazeROIComponent
from psychopy_neon.plugin.builder.components.gaze_window import GazeWindowComponent
from psychopy_neon.plugin.builder.components.neon_event import NeonEventComponent

__all__ = [
    "DwellButtonComponent",
    "FixationGateComponent",
    "GazeCursorComponent",
    "GazeROIComponent",
    "GazeWindowComponent",
    "NeonAprilTagComponent",
    "NeonAprilTagFrameComponent",
    "NeonEventComponent",
]
