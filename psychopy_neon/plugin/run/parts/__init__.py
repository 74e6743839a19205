"""What the components of the Builder make at run time; scripts of the Builder import it as ``neonParts``."""

from psychopy_neon.plugin.run.parts.button import ButtonPart
from psychopy_neon.plugin.run.parts.event import EventPart
from psychopy_neon.plugin.run.parts.gate import GatePart
from psychopy_neon.plugin.run.parts.roi import RoiPart
from psychopy_neon.plugin.run.parts.shown import CursorPart, WindowPart
from psychopy_neon.plugin.run.parts.tags import TagFramePart, TagPart

__all__ = ["ButtonPart", "CursorPart", "EventPart", "GatePart", "RoiPart", "TagFramePart", "TagPart", "WindowPart"]
