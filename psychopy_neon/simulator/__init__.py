"""A Neon on loopback: speaks the whole protocol, sees a screen through a lens, and knows the truth."""

import av  # noqa: F401 - before OpenCV: both bring an X11 library, and grabbing the screen with OpenCV's kills the process

from psychopy_neon.simulator.lens import SceneCamera
from psychopy_neon.simulator.neon import SimulatedNeon
from psychopy_neon.simulator.screens import synthetic_screen
from psychopy_neon.simulator.settings import HeadPose, SimulatorSettings

__all__ = ["HeadPose", "SceneCamera", "SimulatedNeon", "SimulatorSettings", "synthetic_screen"]
