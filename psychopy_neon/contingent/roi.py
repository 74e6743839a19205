"""A region of interest for a tracker that is one or two degrees off: margin, hysteresis, minimum time."""

from __future__ import annotations

from psychopy_neon.contingent.evidence import REPEAT_LIMIT_S, Look, ns
from psychopy_neon.contingent.shapes import Shape
from psychopy_neon.contingent.target import LookTimes, Reading, Target
from psychopy_neon.samples import GazeReason, ScreenGaze

__all__ = ["Roi"]


class Roi:
    """Tells whether a shape is looked at, and how often and how long it was.

    What gaze shows has to last for ``min_time_s`` before :attr:`look` follows; its time then counts from its beginning.
    No data is told at once: it is nothing that gaze does. After it the ROI is what gaze shows first, without delay if
    that is what it was before, so that a blink is no new entry.

    Parameters
    ----------
    min_time_s : float
        Shorter looks, and shorter looks away, are overlooked.
    margin_px, hysteresis_px, repeat_limit_s
        As in :class:`~psychopy_neon.contingent.target.Target`.
    bridge_s : float
        A look that goes on after no longer a loss than this is the same look.

    Attributes
    ----------
    look : Look
    reason : GazeReason or None
        Why there is no data.
    times : LookTimes
        How long it was on, off and without data; without the last moments while it is in doubt whose they are.
    entries : int
        How many looks there were.
    first_entered_ns, entered_ns : int or None
        Host clock: when the first sample of the first and of the newest look was measured.

    Raises
    ------
    ConfigurationError
        A setting below 0.

    Notes
    -----
    Thread: one at a time.
    """

    def __init__(
        self,
        min_time_s: float = 0.1,
        *,
        margin_px: float = 0.0,
        hysteresis_px: float = 0.0,
        bridge_s: float = 0.3,
        repeat_limit_s: float = REPEAT_LIMIT_S,
    ) -> None:
        self._min_ns, self._bridge_ns = ns("min_time_s", min_time_s), ns("bridge_s", bridge_s)
        self._target = Target(margin_px, hysteresis_px, repeat_limit_s)
        self._last: Reading | None = None
        self._known_ns = 0
        """Of the last update that had gaze."""
        self._settled = Look.OFF
        """What gaze has shown for long enough."""
        self._doubt: Reading | None = None
        """The update with which gaze began to show the opposite."""
        self._doubt_steps_ns: list[int] = []
        """Times since then; whose they are is not known yet."""
        self.times = LookTimes(repeat_limit_s)
        self.look = Look.NO_DATA
        self.reason: GazeReason | None = None
        self.entries = 0
        self.first_entered_ns: int | None = None
        self.entered_ns: int | None = None

    def update(self, at_ns: int, gaze: ScreenGaze, shape: Shape) -> Look:
        """Take in the gaze of one frame.

        Parameters
        ----------
        at_ns : int
            Host clock.
        gaze : ScreenGaze
        shape : Shape
            Where the region is now.

        Raises
        ------
        ConfigurationError
            A time before the last one.
        """
        reading = self._target.update(at_ns, gaze, shape)
        self._count_time(at_ns)
        self._last, self.reason = reading, reading.seen.reason
        if reading.look is Look.NO_DATA:
            self._end_doubt()
            self.look = Look.NO_DATA
            return self.look
        if at_ns - self._known_ns > self._bridge_ns:
            self._end_doubt()
            self._settled = Look.OFF  # what is seen now is a new look, if it is one
        self._known_ns = at_ns
        if reading.look is self._settled:
            self._end_doubt()
        else:
            self._doubt = self._doubt or reading
            if reading.seen.is_new and at_ns - self._doubt.seen.at_ns >= self._min_ns:
                self._turn(self._doubt)
        self.look = self._settled
        return self.look

    def _count_time(self, at_ns: int) -> None:
        """The time since the last update belongs to what that one said."""
        if self._last is None:
            return
        step_ns = at_ns - self._last.seen.at_ns
        if self._doubt is not None:
            self._doubt_steps_ns.append(step_ns)
        else:
            self.times.add(self.look, self._last.seen.reason, step_ns)

    def _turn(self, since: Reading) -> None:
        self._settled = since.look
        if since.look is Look.ON:
            self.entries += 1
            self.entered_ns = since.seen.measured_ns
            if self.first_entered_ns is None:
                self.first_entered_ns = self.entered_ns
        self._end_doubt()

    def _end_doubt(self) -> None:
        for step_ns in self._doubt_steps_ns:
            self.times.add(self._settled, None, step_ns)
        self._doubt = None
        self._doubt_steps_ns.clear()
