"""Stimuli."""

from psychopy_neon.plugin.visual.april_tag_frame import AprilTagFrame
from psychopy_neon.plugin.visual.gaze_cursor import GazeCursor

__all__ = ["AprilTagFrame", "GazeCursor"]
