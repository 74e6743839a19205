"""The Neon as ioHub's eye tracker; imported by PsychoPy in both processes, so it loads nothing heavy."""

from psychopy.iohub.devices.eyetracker.eye_events import (
    BinocularEyeSampleEvent,
    BlinkEndEvent,
    BlinkStartEvent,
    FixationEndEvent,
    FixationStartEvent,
    MonocularEyeSampleEvent,
    SaccadeEndEvent,
    SaccadeStartEvent,
)

from psychopy_neon.plugin.iohub.events import NeonClockEvent, NeonGapEvent, NeonGazeEvent, NeonImuEvent
from psychopy_neon.plugin.iohub.eyetracker import EyeTracker

__all__ = [
    "BinocularEyeSampleEvent",
    "BlinkEndEvent",
    "BlinkStartEvent",
    "EyeTracker",
    "FixationEndEvent",
    "FixationStartEvent",
    "MonocularEyeSampleEvent",
    "NeonClockEvent",
    "NeonGapEvent",
    "NeonGazeEvent",
    "NeonImuEvent",
    "SaccadeEndEvent",
    "SaccadeStartEvent",
]
