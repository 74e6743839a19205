"""Pupil Labs Neon for PsychoPy.

Importing the package is cheap: each public name loads its module at first use.
"""

from __future__ import annotations

import importlib
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from psychopy_neon.device.discovery import FoundDevice, find_devices
    from psychopy_neon.device.neon import Neon
    from psychopy_neon.device.screen_gaze import ScreenGazeTracker
    from psychopy_neon.errors import (
        ClockNotReadyError,
        ConfigurationError,
        DeviceNotFoundError,
        LinkError,
        NeonError,
        NeonTimeoutError,
        RecordingRefusedError,
        RequestRefusedError,
        TemplateError,
    )
    from psychopy_neon.samples import (
        Event,
        EyeEvent,
        EyeEventKind,
        GazeReason,
        GazeSample,
        ImuSample,
        SceneFrame,
        ScreenGaze,
    )
    from psychopy_neon.screen.layout import ScreenLayout
    from psychopy_neon.screen.mapper import ScreenMapper

    __version__: str

__all__ = [
    "ClockNotReadyError",
    "ConfigurationError",
    "DeviceNotFoundError",
    "Event",
    "EyeEvent",
    "EyeEventKind",
    "FoundDevice",
    "GazeReason",
    "GazeSample",
    "ImuSample",
    "LinkError",
    "Neon",
    "NeonError",
    "NeonTimeoutError",
    "RecordingRefusedError",
    "RequestRefusedError",
    "SceneFrame",
    "ScreenGaze",
    "ScreenGazeTracker",
    "ScreenLayout",
    "ScreenMapper",
    "TemplateError",
    "__version__",
    "find_devices",
]

_NAMES_OF = {
    "device.discovery": ("FoundDevice", "find_devices"),
    "device.neon": ("Neon",),
    "device.screen_gaze": ("ScreenGazeTracker",),
    "errors": tuple(name for name in __all__ if name.endswith("Error")),
    "samples": (
        "Event",
        "EyeEvent",
        "EyeEventKind",
        "GazeReason",
        "GazeSample",
        "ImuSample",
        "SceneFrame",
        "ScreenGaze",
    ),
    "screen.layout": ("ScreenLayout",),
    "screen.mapper": ("ScreenMapper",),
}
_MODULE_OF = {name: module for module, names in _NAMES_OF.items() for name in names}


def __getattr__(name: str) -> object:
    value: object
    if name == "__version__":
        from importlib.metadata import version

        value = version("psychopy-neon")
    elif name in _MODULE_OF:
        value = getattr(importlib.import_module(f"psychopy_neon.{_MODULE_OF[name]}"), name)
    else:
        raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
    globals()[name] = value
    return value


def __dir__() -> list[str]:
    return sorted({*globals(), *__all__})
