"""The window whose flips ``psychopy-neon latency --window`` measures: tags around its border, and a gaze cursor."""

import time

from psychopy import visual

from psychopy_neon.plugin.visual import AprilTagFrame, GazeCursor

FASTEST_HZ = 400
"""No display refreshes faster; even flips that come faster have waited for none."""


class WindowDisplay:
    """A full-screen window; ``layout`` is where its tags are, ``waits`` whether its flips wait for the display."""

    def __init__(self):
        self._win = visual.Window(fullscr=True, units="pix", color="grey")
        self._win.mouseVisible = False
        self._tags = AprilTagFrame(self._win)
        self._cursor = GazeCursor(self._win, self._tags)
        self.layout = self._tags.layout
        rate_hz = self._win.getActualFrameRate()  # None: flips come unevenly
        self.waits = rate_hz is not None and rate_hz < FASTEST_HZ

    def show(self, gaze):
        """Draw the cursor where the gaze is, and the tags last."""
        if gaze is not None:
            self._cursor.gaze = gaze
            self._cursor.draw()
        self._tags.draw()

    def flip(self):
        """Flip; host time just after."""
        self._win.flip()
        return time.perf_counter_ns()

    def close(self):
        self._win.close()
