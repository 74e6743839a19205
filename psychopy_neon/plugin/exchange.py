"""Gaze and layouts as lists that ioHub's remote calls can carry, and back.

ioHub packs arguments and answers with msgpack: whole and floating numbers, text, None, lists, and dicts with text as
keys. Short answers fit one datagram, so nothing is lost on the way.
"""

import numpy as np

from psychopy_neon.samples import GazeReason, GazeSample, PoseTiming, ScreenGaze, ScreenQuality
from psychopy_neon.screen.layout import ScreenLayout

__all__ = ["packed_gaze", "packed_layout", "unpacked_gaze", "unpacked_layout"]


def packed_gaze(gaze):
    """A :class:`~psychopy_neon.ScreenGaze` as a list of less than 400 bytes; of its sample all but the eyes' state."""
    pos, reason, is_on_screen, quality, age_s, sample, screen = gaze
    return [
        None if pos is None else [float(pos[0]), float(pos[1])],
        None if reason is None else reason.name,
        bool(is_on_screen),
        None if quality is None else [*quality[:-1], quality.timing.name],
        age_s,
        None if sample is None else [*sample[:6], *sample[8:]],
        screen,
    ]


def unpacked_gaze(values):
    """The inverse of :func:`packed_gaze`; ``left`` and ``right`` of the sample are None."""
    pos, reason, is_on_screen, quality, age_s, sample, screen = values
    return ScreenGaze(
        None if pos is None else (pos[0], pos[1]),
        None if reason is None else GazeReason[reason],
        is_on_screen,
        None if quality is None else ScreenQuality(*quality[:-1], PoseTiming[quality[-1]]),
        age_s,
        None if sample is None else GazeSample(*sample[:6], None, None, *sample[6:]),
        screen,
    )


def packed_layout(layout):
    """A :class:`~psychopy_neon.ScreenLayout` as a list: size, then id, corners and outline of each tag."""
    tags = [
        [tag_id, corners.ravel().tolist(), layout.outlines[tag_id].ravel().tolist()]
        for tag_id, corners in layout.tags.items()
    ]
    return [list(layout.size_px), tags]


def unpacked_layout(values):
    """The inverse of :func:`packed_layout`.

    Raises
    ------
    ConfigurationError
        As :class:`~psychopy_neon.ScreenLayout` does.
    """
    size_px, tags = values
    return ScreenLayout(
        (int(size_px[0]), int(size_px[1])),
        {int(tag_id): np.reshape(corners, (4, 2)) for tag_id, corners, _ in tags},
        {int(tag_id): np.reshape(outline, (4, 2)) for tag_id, _, outline in tags},
    )
