"""Fixations, saccades and blinks in terms of the screen, whoever found them; here: the device's own, mapped."""

from __future__ import annotations

import math
from collections.abc import Callable
from typing import NamedTuple

from psychopy_neon.errors import ConfigurationError
from psychopy_neon.samples import EyeEvent, EyeEventKind, GazeMotion, GazeReason, ScreenGaze

__all__ = [
    "DeviceEvents",
    "OnScreen",
    "ScreenBlink",
    "ScreenEvent",
    "ScreenFixation",
    "ScreenSaccade",
    "Span",
    "checked_px_per_deg",
]

OnScreen = Callable[[float, float, int], ScreenGaze]
"""Scene px x, y and device time, ns, to the place on the screen at that time."""


class Span(NamedTuple):
    """When an event was; the end is None while it lasts."""

    start_ns: int
    """Device clock, as ``end_ns``."""
    end_ns: int | None
    start_host_ns: int
    end_host_ns: int | None
    bound_ns: int | None
    """Error of the host times; None: nothing is proven."""

    @property
    def is_onset(self) -> bool:
        """Whether it has only begun."""
        return self.end_ns is None

    @property
    def duration_s(self) -> float | None:
        """None while it lasts."""
        return None if self.end_ns is None else (self.end_ns - self.start_ns) / 1e9


class ScreenFixation(NamedTuple):
    """Gaze that stayed at a place."""

    span: Span
    pos: tuple[float, float] | None
    """Mean place, screen px; of an onset the place so far. None: not known."""
    reason: GazeReason | None = None
    """Why there is no place."""
    is_cut: bool = False
    """Gaze was lost before it ended."""


class ScreenSaccade(NamedTuple):
    """A jump of gaze."""

    span: Span
    start: tuple[float, float] | None
    """Screen px, as ``end``. None: not known."""
    end: tuple[float, float] | None
    reason: GazeReason | None = None
    """Why a place is missing."""
    amplitude_px: float | None = None
    amplitude_deg: float | None = None
    """None where the px per degree are not known."""
    peak_deg_s: float | None = None
    """Highest speed on the screen; None where the finder does not tell."""
    is_cut: bool = False
    """Gaze was lost before it ended: there is no end place."""


class ScreenBlink(NamedTuple):
    """Closed eyes."""

    span: Span


ScreenEvent = ScreenFixation | ScreenSaccade | ScreenBlink


def checked_px_per_deg(value: float) -> float:
    """Screen px per degree of visual angle.

    Raises
    ------
    ConfigurationError
        Not above 0.
    """
    if not (math.isfinite(value) and value > 0):
        raise ConfigurationError("px_per_deg", value, "a number above 0")
    return value


class DeviceEvents:
    """Puts the events that the device finds onto the screen.

    The start of a saccade is mapped with the pose of the screen at its start, its end with that at its end, the mean
    place of a fixation with that of its middle. The device names no place in an onset, so an onset has none (its
    ``reason`` is None, too). Nor can its peak speed, in scene px, be told in degrees of the screen.

    Parameters
    ----------
    on_screen : callable
        ``on_screen(x, y, device_ns)`` gives the :class:`~psychopy_neon.ScreenGaze` of a scene place at a device time,
        as the tracker's method of that name does.
    px_per_deg : float, optional
        Screen px per degree of visual angle, for amplitudes in degrees.

    Raises
    ------
    ConfigurationError
        Px per degree that are not above 0.

    Notes
    -----
    Thread: any.
    """

    def __init__(self, on_screen: OnScreen, px_per_deg: float | None = None) -> None:
        self._on_screen = on_screen
        self._px_per_deg = None if px_per_deg is None else checked_px_per_deg(px_per_deg)

    def mapped(self, event: EyeEvent) -> ScreenEvent:
        """An event of the device in terms of the screen; an onset has no end."""
        span = Span(event.start_ns, event.end_ns, event.start_host_ns, event.end_host_ns, event.bound_ns)
        if event.kind is EyeEventKind.BLINK:
            return ScreenBlink(span)
        is_fixation = event.kind in (EyeEventKind.FIXATION, EyeEventKind.FIXATION_ONSET)
        if event.motion is None or event.end_ns is None:
            return ScreenFixation(span, None) if is_fixation else ScreenSaccade(span, None, None)
        if is_fixation:
            middle = self._on_screen(*event.motion.mean, (event.start_ns + event.end_ns) // 2)
            return ScreenFixation(span, middle.pos, middle.reason)
        return self._saccade(span, event.motion, event.end_ns)

    def _saccade(self, span: Span, motion: GazeMotion, end_ns: int) -> ScreenSaccade:
        start = self._on_screen(*motion.start, span.start_ns)
        end = self._on_screen(*motion.end, end_ns)
        if start.pos is None or end.pos is None:
            return ScreenSaccade(span, start.pos, end.pos, start.reason or end.reason)
        amplitude_px = math.dist(start.pos, end.pos)
        amplitude_deg = None if self._px_per_deg is None else amplitude_px / self._px_per_deg
        return ScreenSaccade(span, start.pos, end.pos, None, amplitude_px, amplitude_deg)
