"""Scene frames with the gaze of their own time."""

from __future__ import annotations

from collections import deque
from collections.abc import Iterator

from psychopy_neon.device.stream import Reader
from psychopy_neon.errors import NeonTimeoutError
from psychopy_neon.samples import GazeSample, SceneFrame

__all__ = ["matched"]

KEPT_SAMPLES = 400
"""Two seconds at 200 Hz: a frame is far less late than that."""


def matched(
    frames: Reader[SceneFrame], gaze: Reader[GazeSample], timeout_s: float, wait_s: float = 0.1
) -> Iterator[tuple[SceneFrame, GazeSample]]:
    """Each frame with the sample nearest to it on the device's clock.

    A frame waits at most ``wait_s`` for gaze newer than itself; without any sample it is left out.

    Raises
    ------
    NeonTimeoutError
        No frame, or no gaze at all, came for ``timeout_s``.
    """
    samples: deque[GazeSample] = deque(maxlen=KEPT_SAMPLES)
    while True:
        frame = frames.wait(timeout_s)
        samples.extend(gaze.take())
        if not samples:
            samples.append(gaze.wait(timeout_s))
        while samples[-1].device_ns < frame.device_ns:
            try:
                samples.append(gaze.wait(wait_s))
            except NeonTimeoutError:
                break  # the gaze stream is late or gone: the nearest that there is
        yield frame, min(samples, key=lambda sample: abs(sample.device_ns - frame.device_ns))
