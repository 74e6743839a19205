"""What has come from the Neon since the last time, as rows for ioHub."""

from psychopy_neon.contingent.screen_events import DeviceEvents
from psychopy_neon.plugin.iohub.rows import Rows

__all__ = ["Intake"]

CLOCK_EVERY_NS = 5_000_000_000
HEALTH_EVERY_NS = 500_000_000


class Intake:
    """Reads the streams of a host; each sample and event comes once.

    Parameters
    ----------
    host : NeonHost

    Notes
    -----
    Thread: one.
    """

    def __init__(self, host):
        self._host = host
        self._neon = None
        self._told = {}
        self._clock = (None, 0)
        self._next_health_ns = 0

    def restart(self):
        """From now on rows are stored: the clock is told again, since what was told before is in no file."""
        self._clock = (None, 0)

    def rows(self, zero_s, *, is_final=False):
        """Everything new, and how many gaze samples are among it.

        Parameters
        ----------
        zero_s : float
            What ioHub's clock showed when host time was 0.
        is_final : bool
            Keep no sample back for the scene frame after it.

        Returns
        -------
        list of list, int
        """
        host, rows = self._host, Rows(zero_s, self._host.facts, self._host.on_screen)
        gazes = host.take(is_final=is_final)
        made = [row for gaze in gazes for row in rows.gaze(gaze)]
        neon = host.neon
        if neon is None:
            return made, len(gazes)
        if neon is not self._neon:
            self._begin(neon)
        made += [rows.imu(sample) for sample in self._imu.take()]
        for event in self._events.take():
            made += rows.eye_event(self._mapped(event), event.received_ns)
        now_ns = neon.host_clock.now_ns()
        if is_final or now_ns >= self._next_health_ns:
            self._next_health_ns = now_ns + HEALTH_EVERY_NS
            for stream, health in (("gaze", neon.gaze.health), ("imu", neon.imu.health)):
                made += self._gaps(rows, stream, health, now_ns)
        made += self._new_offset(rows, neon.clock.newest, now_ns)
        return made, len(gazes)

    def _begin(self, neon):
        self._neon = neon
        self._imu, self._events = neon.imu.reader(), neon.eye_events.reader()
        self._mapped = DeviceEvents(self._host.on_screen).mapped
        now_ns = neon.host_clock.now_ns()
        self._told = {stream: (0, 0, now_ns) for stream in ("gaze", "imu")}
        self._clock = (None, 0)

    def _gaps(self, rows, stream, health, now_ns):
        """Holes that have ended, and packets lost between others, since they were last told."""
        holes, lost_before, at_ns = self._told[stream]
        ended = [gap for gap in health.gaps if gap.end_ns is not None]
        lost = health.lost + health.malformed + health.dropped
        made = [rows.gap(stream, gap.start_ns, gap.end_ns, 0, gap.cause) for gap in ended[holes:]]
        if lost > lost_before:
            made.append(rows.gap(stream, at_ns, now_ns, lost - lost_before, "packets lost or not to be used"))
        self._told[stream] = (len(ended), lost, now_ns)
        return made

    def _new_offset(self, rows, offset, now_ns):
        segment, told_ns = self._clock
        if offset is None or (offset.segment == segment and now_ns - told_ns < CLOCK_EVERY_NS):
            return []
        self._clock = (offset.segment, now_ns)
        return [rows.clock(offset, now_ns)]
