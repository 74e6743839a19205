"""The pointer of the real screen, asked by what the operating system has for it."""

from __future__ import annotations

import ctypes
import sys
import time
from typing import Protocol

from psychopy_neon.errors import ConfigurationError, LinkError
from psychopy_neon.simulator.x11 import X11Display

__all__ = ["Pointer", "open_pointer"]

_ASK_EVERY_S = 0.01


class Pointer(Protocol):
    """A pointer that may be asked by one thread, whichever it is."""

    def at(self, time_s: float) -> tuple[float, float]:
        """Where the pointer is now, in px of the screen that the scene camera sees; the time does not matter."""


class _Scaled:
    """Brings the pointer's units (points, on a display with scaling) to px of the grabbed screen."""

    def __init__(self, screen_px: tuple[int, int], desktop: tuple[float, float]) -> None:
        width, height = desktop
        self._scale = (screen_px[0] / width if width else 1.0, screen_px[1] / height if height else 1.0)

    def scaled(self, x: float, y: float) -> tuple[float, float]:
        # The middle of the pixel that the pointer is on.
        return (x + 0.5) * self._scale[0], (y + 0.5) * self._scale[1]


class _X11Pointer(_Scaled):
    def __init__(self, screen_px: tuple[int, int]) -> None:
        try:
            self._display = X11Display()
        except LinkError as error:
            raise ConfigurationError("gaze", "mouse", f"a computer with a display ({error})") from error
        super().__init__(screen_px, self._display.size_px)
        self._next_ask_s = 0.0
        self._newest = (0.0, 0.0)

    def at(self, time_s: float) -> tuple[float, float]:
        # The X server answers when it has drawn what came before, which may take many samples' time.
        if time.monotonic() >= self._next_ask_s:
            self._newest = self.scaled(*self._display.pointer())
            self._next_ask_s = time.monotonic() + _ASK_EVERY_S
        return self._newest


class _WindowsPoint(ctypes.Structure):
    _fields_ = (("x", ctypes.c_long), ("y", ctypes.c_long))


class _WindowsPointer(_Scaled):
    def __init__(self, screen_px: tuple[int, int]) -> None:
        self._user32 = ctypes.CDLL("user32")
        super().__init__(screen_px, (self._user32.GetSystemMetrics(78), self._user32.GetSystemMetrics(79)))
        # The grabbed picture begins at the corner of all screens together, which may be left of the first one.
        self._corner = (self._user32.GetSystemMetrics(76), self._user32.GetSystemMetrics(77))

    def at(self, time_s: float) -> tuple[float, float]:
        point = _WindowsPoint()
        self._user32.GetCursorPos(ctypes.byref(point))
        return self.scaled(point.x - self._corner[0], point.y - self._corner[1])


class _MacPoint(ctypes.Structure):
    _fields_ = (("x", ctypes.c_double), ("y", ctypes.c_double))


class _MacPointer(_Scaled):
    def __init__(self, screen_px: tuple[int, int]) -> None:
        self._graphics = ctypes.CDLL("/System/Library/Frameworks/ApplicationServices.framework/ApplicationServices")
        self._foundation = ctypes.CDLL("/System/Library/Frameworks/CoreFoundation.framework/CoreFoundation")
        self._graphics.CGEventCreate.argtypes = [ctypes.c_void_p]
        self._graphics.CGEventCreate.restype = ctypes.c_void_p
        self._graphics.CGEventGetLocation.argtypes = [ctypes.c_void_p]
        self._graphics.CGEventGetLocation.restype = _MacPoint
        self._foundation.CFRelease.argtypes = [ctypes.c_void_p]
        self._graphics.CGMainDisplayID.restype = ctypes.c_uint32
        for size in (self._graphics.CGDisplayPixelsWide, self._graphics.CGDisplayPixelsHigh):
            size.argtypes, size.restype = [ctypes.c_uint32], ctypes.c_size_t
        main = self._graphics.CGMainDisplayID()
        desktop = (self._graphics.CGDisplayPixelsWide(main), self._graphics.CGDisplayPixelsHigh(main))
        super().__init__(screen_px, desktop)

    def at(self, time_s: float) -> tuple[float, float]:
        event = self._graphics.CGEventCreate(None)
        if not event:
            return self.scaled(0, 0)
        point = self._graphics.CGEventGetLocation(event)
        self._foundation.CFRelease(event)
        return self.scaled(point.x, point.y)


def open_pointer(screen_px: tuple[int, int]) -> Pointer:
    """Open the pointer of the real screen.

    Raises
    ------
    ConfigurationError
        There is no screen that has one.
    """
    if sys.platform == "win32":
        return _WindowsPointer(screen_px)
    if sys.platform == "darwin":
        return _MacPointer(screen_px)
    return _X11Pointer(screen_px)
