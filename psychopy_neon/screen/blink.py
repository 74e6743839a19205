"""Whether the eyes are closed, from the lids: gaze at such a moment is wild, and so it is just after."""

from __future__ import annotations

from psychopy_neon.samples import EyeState, GazeSample

__all__ = ["BlinkWatch"]


class BlinkWatch:
    """Watches the lids of gaze samples in their order.

    Samples without lids (the device's eye state is switched off, or a Pupil Invisible) are never said to be a blink.

    Parameters
    ----------
    aperture_mm : float
        Lids of both eyes that are less open than this are closed.
    margin_s : float
        For so long after they opened again gaze is still not to be trusted.
    """

    def __init__(self, aperture_mm: float, margin_s: float) -> None:
        self.aperture_mm = aperture_mm
        self.margin_s = margin_s
        self._closed_ns: int | None = None

    def is_blink(self, sample: GazeSample) -> bool:
        """Whether the eyes are closed, or were until a moment ago."""
        if self._is_closed(sample.left) and self._is_closed(sample.right):
            self._closed_ns = sample.device_ns
            return True
        if self._closed_ns is None:
            return False
        return 0 <= sample.device_ns - self._closed_ns < self.margin_s * 1e9

    def _is_closed(self, eye: EyeState | None) -> bool:
        return eye is not None and eye.aperture_mm is not None and eye.aperture_mm < self.aperture_mm
