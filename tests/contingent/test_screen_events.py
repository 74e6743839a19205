from __future__ import annotations

import math

import pytest

from psychopy_neon.contingent.screen_events import DeviceEvents, ScreenBlink, ScreenFixation, ScreenSaccade, Span
from psychopy_neon.errors import ConfigurationError
from psychopy_neon.samples import EyeEvent, EyeEventKind, GazeMotion, GazeReason, ScreenGaze

MS = 1_000_000
MOTION = GazeMotion((100.0, 200.0), (400.0, 600.0), (250.0, 300.0), 500.0, 30.0, 900.0, 2000.0)
SPAN = Span(1000 * MS, 1040 * MS, 5000 * MS, 5040 * MS, MS)


def on_screen(x: float, y: float, device_ns: int) -> ScreenGaze:
    """A screen that moves 10 px a millisecond through the scene and is twice as fine."""
    return ScreenGaze((2 * x + 10 * (device_ns // MS - 1000), 2 * y), None, True)


def event(kind: EyeEventKind, motion: GazeMotion | None = MOTION, end_ns: int | None = 1040 * MS) -> EyeEvent:
    end_host_ns = None if end_ns is None else end_ns + 4000 * MS
    return EyeEvent(kind, 1000 * MS, end_ns, 5000 * MS, end_host_ns, MS, motion, 7, 5100 * MS)


def test_a_saccade_is_mapped_at_its_start_and_at_its_end() -> None:
    saccade = DeviceEvents(on_screen, px_per_deg=40).mapped(event(EyeEventKind.SACCADE))
    assert isinstance(saccade, ScreenSaccade)
    assert (saccade.span, saccade.start, saccade.end) == (SPAN, (200.0, 400.0), (1200.0, 1200.0))
    assert saccade.amplitude_px == pytest.approx(math.hypot(1000, 800))
    assert saccade.amplitude_deg == pytest.approx(math.hypot(1000, 800) / 40)
    assert SPAN.duration_s == pytest.approx(0.04)


def test_a_fixation_is_mapped_at_its_middle() -> None:
    fixation = DeviceEvents(on_screen).mapped(event(EyeEventKind.FIXATION))
    assert fixation == ScreenFixation(SPAN, (700.0, 600.0))


def test_without_px_per_degree_there_are_no_degrees() -> None:
    assert DeviceEvents(on_screen).mapped(event(EyeEventKind.SACCADE)).amplitude_deg is None


@pytest.mark.parametrize(
    ("kind", "expected"),
    [(EyeEventKind.SACCADE_ONSET, ScreenSaccade), (EyeEventKind.FIXATION_ONSET, ScreenFixation)],
)
def test_an_onset_has_a_time_and_no_place(kind: EyeEventKind, expected: type) -> None:
    onset = DeviceEvents(on_screen).mapped(event(kind, None, None))
    assert isinstance(onset, expected)
    assert onset.span.is_onset
    assert (onset.span.start_ns, onset.span.duration_s, onset.reason) == (1000 * MS, None, None)
    assert (onset.pos if isinstance(onset, ScreenFixation) else onset.start) is None


def test_a_blink() -> None:
    assert DeviceEvents(on_screen).mapped(event(EyeEventKind.BLINK, None)) == ScreenBlink(SPAN)


def test_where_the_screen_is_not_known_the_reason_is() -> None:
    def lost_later(x: float, y: float, device_ns: int) -> ScreenGaze:
        is_lost = device_ns > 1010 * MS
        return ScreenGaze(None, GazeReason.TAGS_LOST) if is_lost else on_screen(x, y, device_ns)

    events = DeviceEvents(lost_later, px_per_deg=40)
    saccade = events.mapped(event(EyeEventKind.SACCADE))
    assert (saccade.start, saccade.end, saccade.reason) == ((200.0, 400.0), None, GazeReason.TAGS_LOST)
    assert saccade.amplitude_px is saccade.amplitude_deg is None
    assert events.mapped(event(EyeEventKind.FIXATION)) == ScreenFixation(SPAN, None, GazeReason.TAGS_LOST)


@pytest.mark.parametrize("px_per_deg", [0.0, -1.0, math.nan])
def test_what_cannot_be_used_is_refused(px_per_deg: float) -> None:
    with pytest.raises(ConfigurationError):
        DeviceEvents(on_screen, px_per_deg)
