"""The ground truth: what really happened, one record per fact.

===========  ==============================================================================================
kind         fields besides ``kind``
===========  ==============================================================================================
clock        ``host_ns uptime_ns device_ns wall_ns drift_ppm slew_ppm cause`` (``start``, ``step``, ``drift``, ``slew``
             or ``slewed``): what the phone's clocks show from ``host_ns`` on, and their rates; see below
echo         ``mode number device_ms received_ns host_ns sent_ns``: the phone's clock was read at ``host_ns``
head         ``host_ns device_ns screen_px pose motion scene_from_screen`` (3 x 3, screen px to ideal scene px, row by
             row, at that time): the head was moved, or began to move in another way
gaze         ``number device_ns host_ns sent_ns screen_x screen_y scene_x scene_y x y worn closed receivers``
frame        ``number device_ns host_ns sent_ns key bytes receivers head`` (the pose it was seen from)
imu          ``number device_ns host_ns sent_ns gyro_dps accel_g quaternion turning_dps receivers``
eye_event    ``number event start_ns end_ns start_host_ns end_host_ns sent_ns motion receivers``
event        ``name device_ns host_ns recording_id`` (``host_ns``: arrival of the request)
recording    ``action id device_ns host_ns``
template     ``answers refusal host_ns``: answers as a client sent them; ``refusal`` is null when they were stored
request      ``fate path host_ns``: an HTTP request that was ``refused`` unseen, or whose ``answer_lost``
network      ``is_cut host_ns``: all connections were cut, or clients can connect again
packet       ``fate stream session sequence number host_ns``: an RTP packet that was ``lost`` or ``reordered``
session      ``action stream session transport host_ns`` (``open`` or ``close``)
===========  ==============================================================================================

``host_ns`` and ``sent_ns`` are ``perf_counter_ns`` of this computer, ``device_ns`` is Unix time on the phone's clock.
``x`` and ``y`` are the float32 values that were sent, ``scene_x`` and ``scene_y`` the place looked at before it was
rounded to float32 or replaced by a number. ``sent_ns`` is taken just before the datum's last packet is handed to the
network; ``receivers`` counts the streams that it was sent to. Poses have the fields of
:class:`~psychopy_neon.simulator.HeadPose`. ``turning_dps`` is how the head turned at ``host_ns``, in the scene camera's
axes (x right, y down, z ahead); ``device_ns`` of an ``imu`` record is its stamp, with the delay of the settings.
``start_ns`` and ``end_ns`` are on the phone's clock.

A ``slewed`` record is written ahead, when its slew begins; whatever changes the clock before it comes to pass replaces
it. :meth:`.phone_clock.PhoneClock.from_truth` reads the records of kind ``clock`` and tells what the phone showed at
any host time. ``received_ns`` and ``sent_ns`` of an echo are when the simulator got the request and handed over the
reply (its last piece; null: there was none): when it happened, not when it was planned.
"""

from __future__ import annotations

import json
import threading
import time
from collections.abc import Mapping
from pathlib import Path
from types import TracebackType
from typing import Any, TextIO

from psychopy_neon.errors import ConfigurationError, NeonTimeoutError

__all__ = ["TruthLog"]


class TruthLog:
    """Keeps facts in memory and in a file; any thread may add and read.

    Parameters
    ----------
    path
        File of JSON lines to write, replaced when it exists.
    keep
        Whether facts are kept in memory.

    Raises
    ------
    ConfigurationError
        The file cannot be written.
    """

    def __init__(self, path: Path | None = None, *, keep: bool = True) -> None:
        self._file = _opened(path) if path is not None else None
        self._keep = keep
        self._records: list[dict[str, Any]] = []
        self._counts: dict[str, int] = {}
        self._changed = threading.Condition()

    def add(self, kind: str, fields: Mapping[str, Any]) -> None:
        """Add one fact."""
        record = {"kind": kind, **fields}
        with self._changed:
            if self._file is not None:
                self._file.write(json.dumps(record, separators=(",", ":")) + "\n")
            if self._keep:
                self._records.append(record)
            self._counts[kind] = self._counts.get(kind, 0) + 1
            self._changed.notify_all()

    def count(self, kind: str) -> int:
        """How many facts of a kind there are."""
        with self._changed:
            return self._counts.get(kind, 0)

    def records(self, kind: str | None = None) -> list[dict[str, Any]]:
        """The facts of a kind (or all) that are kept in memory, oldest first."""
        with self._changed:
            return [record for record in self._records if kind is None or record["kind"] == kind]

    def wait(self, kind: str, count: int = 1, timeout_s: float = 5.0) -> None:
        """Wait until there are at least ``count`` facts of a kind.

        Raises
        ------
        NeonTimeoutError
            When they are not there in time.
        """
        deadline = time.monotonic() + timeout_s
        with self._changed:
            while self._counts.get(kind, 0) < count:
                rest_s = deadline - time.monotonic()
                if rest_s <= 0 or not self._changed.wait(rest_s):
                    if self._counts.get(kind, 0) >= count:
                        return
                    raise NeonTimeoutError(f"simulator: {count} x {kind}", timeout_s)

    def close(self) -> None:
        """Close the file; what is in memory stays. Facts added later reach memory only."""
        with self._changed:
            file, self._file = self._file, None
        if file is not None:
            file.close()

    def __enter__(self) -> TruthLog:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.close()


def _opened(path: Path) -> TextIO:
    try:
        # Buffered by line: whoever reads along, or after a kill, finds whole lines.
        return path.open("w", encoding="utf-8", buffering=1)
    except OSError as error:
        raise ConfigurationError("truth", str(path), f"a file that can be written ({error.strerror})") from error
