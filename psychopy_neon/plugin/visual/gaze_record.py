"""What was used at each flip: the gaze, its age when the frame was shown, and what was drawn where."""

import csv
import math
import time
from collections import Counter, deque

from psychopy_neon.errors import ConfigurationError
from psychopy_neon.plugin.clock import host_ns_of_flip

__all__ = ["GazeRecord"]

COLUMNS = (
    "flip_host_ns",
    "tool",
    "x_px",
    "y_px",
    "is_on_screen",
    "screen",
    "reason",
    "age_at_flip_s",
    "pose_age_s",
    "pose_timing",
    "tag_count",
    "reprojection_px",
    "error_px",
    "error_deg",
    "is_coarse",
    "sample_device_ns",
    "sample_host_ns",
    "drawn_x_px",
    "drawn_y_px",
    "is_drawn",
    "is_held",
)
LIMIT = 500_000
"""Rows: more than two hours of one tool at 60 Hz."""


class GazeRecord:
    """Keeps a row for each tool that was drawn, with the time of the flip that showed it.

    Hand it to the tools (``record=``); each reports what it draws. A script that draws by itself calls :meth:`drew`.

    Parameters
    ----------
    win : psychopy.visual.Window
    limit : int
        Rows that are kept; the oldest are dropped then, and counted.

    Attributes
    ----------
    dropped : int
        Rows that were dropped.
    restamped : int
        Flips in which PsychoPy's clock was set; they have the time just after.

    Raises
    ------
    ConfigurationError
        A limit below 1.

    Notes
    -----
    Thread: that of the window. All places are screen px: framebuffer px of the window, from its top left corner.
    """

    def __init__(self, win, limit=LIMIT):
        if limit < 1:
            raise ConfigurationError("limit", limit, "at least 1")
        self.win = win
        self.dropped = 0
        self.restamped = 0
        self._rows = deque(maxlen=limit)
        self._pending = []

    def drew(self, tool, gaze, pos, isDrawn, isHeld=False):
        """Note what the frame that is being drawn shows; the next flip gives it its time.

        Parameters
        ----------
        tool : str
            Who draws.
        gaze : ScreenGaze
            What was gone by.
        pos : tuple of float or None
            Where it is drawn, screen px.
        isDrawn : bool
        isHeld : bool
            Whether ``pos`` is an old place, held for lack of gaze.
        """
        if not self._pending:
            self.win.callOnFlip(self._flipped)
        self._pending.append((tool, gaze, pos, isDrawn, isHeld))

    def rows(self):
        """A dict for each row, oldest first; keys and units as in the file, None where there is nothing."""
        for row in self._rows:
            yield dict(zip(COLUMNS, _values(*row), strict=True))

    def save(self, path):
        """Write all rows to a csv file with a line of names that carry the units.

        Raises
        ------
        ConfigurationError
            The file cannot be written.
        """
        try:
            with open(path, "w", newline="", encoding="utf-8") as file:
                writer = csv.writer(file)
                writer.writerow(COLUMNS)
                writer.writerows(_values(*row) for row in self._rows)
        except OSError as error:
            raise ConfigurationError("path", str(path), f"a file that can be written ({error.strerror})") from error

    def summary(self):
        """Numbers of the whole record.

        Returns
        -------
        dict
            ``frames``, ``rows``, ``dropped``, ``share_with_gaze`` (of the rows), ``share_drawn``, ``share_held``,
            ``age_at_flip_s_median``, ``age_at_flip_s_95_percent`` (of rows with gaze), ``reasons`` (rows by reason);
            None where there is nothing to tell.
        """
        rows = list(self.rows())
        with_gaze = [row for row in rows if row["x_px"] is not None]
        ages_s = sorted(row["age_at_flip_s"] for row in with_gaze if row["age_at_flip_s"] is not None)
        return {
            "frames": len({row["flip_host_ns"] for row in rows}),
            "rows": len(rows),
            "dropped": self.dropped,
            "share_with_gaze": _share(len(with_gaze), len(rows)),
            "share_drawn": _share(sum(row["is_drawn"] for row in rows), len(rows)),
            "share_held": _share(sum(row["is_held"] for row in rows), len(rows)),
            "age_at_flip_s_median": _quantile(ages_s, 0.5),
            "age_at_flip_s_95_percent": _quantile(ages_s, 0.95),
            "reasons": dict(Counter(row["reason"] for row in rows if row["reason"]).most_common()),
        }

    def __len__(self):
        return len(self._rows)

    def _flipped(self):
        called_ns = time.perf_counter_ns()
        try:
            flip_ns = host_ns_of_flip(self.win)
        except ConfigurationError:
            # PsychoPy calls all functions of a flip again at the next one if one of them raises.
            flip_ns = called_ns
            self.restamped += 1
        self.dropped += max(len(self._rows) + len(self._pending) - self._rows.maxlen, 0)
        for tool, gaze, pos, isDrawn, isHeld in self._pending:
            sample = gaze.sample
            # The sample itself is let go: with both eyes' state it is the larger part.
            times = None if sample is None else (sample.device_ns, sample.host_ns)
            facts = (gaze.pos, gaze.is_on_screen, gaze.screen, gaze.reason, gaze.quality)
            self._rows.append((flip_ns, tool, facts, times, pos, isDrawn, isHeld))
        self._pending.clear()


def _values(flip_ns, tool, facts, times, drawn, isDrawn, isHeld):
    """The columns of one row."""
    pos, is_on_screen, screen, reason, quality = facts
    x, y = pos or (None, None)
    device_ns, host_ns = times or (None, None)
    age_s = None if host_ns is None else (flip_ns - host_ns) / 1e9
    drawn_x, drawn_y = drawn or (None, None)
    where = (x, y, int(is_on_screen), screen, reason.name if reason else None, age_s)
    ends = (device_ns, host_ns, drawn_x, drawn_y, int(isDrawn), int(isHeld))
    return (flip_ns, tool, *where, *_of_quality(quality), *ends)


def _of_quality(quality):
    if quality is None:
        return (None,) * 7
    numbers = (quality.tag_count, quality.reprojection_px, quality.error_px, quality.error_deg)
    return (quality.pose_age_s, quality.timing.value, *numbers, int(quality.is_coarse))


def _share(part, whole):
    return part / whole if whole else None


def _quantile(ordered, share):
    """The smallest value that so large a share is not above."""
    return ordered[max(math.ceil(share * len(ordered)) - 1, 0)] if ordered else None
