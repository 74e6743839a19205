"""Follows ioHub's process and what the Neon in it reports, beside the frame loop."""

import json
import select
import socket
import time
from collections import deque

from psychopy.iohub.client import ioHubConnection

from psychopy_neon.device.worker import Crew
from psychopy_neon.plugin.run.rpc import LimitedClient
from psychopy_neon.plugin.run.troubles import HubFacts, Judge

__all__ = ["Watcher"]

LOOK_EVERY_S = 0.1
REPORT_BYTES = 65536
NEEDED = {
    "state": str,
    "problem": (str, type(None)),
    "recording_ended": (str, type(None)),
    "events_refused": int,
    "pid": int,
    "sent_ns": int,
}
"""Without these, a datagram is no report."""
CLOSE_LIMIT_S = 2.0


class Watcher:
    """One thread that listens for reports on a loopback port and puts limits on ioHub's calls once there is an ioHub.

    Attributes
    ----------
    port : int
        Where the host is to report to (UDP, 127.0.0.1).
    report : dict or None
        The newest one.
    troubles : collections.deque of Trouble
        What was found, oldest first; whoever tells it takes it out.
    foreign : int
        Datagrams that were no report of our ioHub.

    Notes
    -----
    Thread: any. ``close()`` is idempotent and bounded.
    """

    def __init__(self):
        self.report = None
        self.troubles = deque()
        self.foreign = 0
        self._hub = None
        self._process = None
        self._client = None
        self._judge = Judge()
        self._socket = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
        self._socket.setblocking(False)
        self._socket.bind(("127.0.0.1", 0))
        self.port = self._socket.getsockname()[1]
        self._crew = Crew()
        self._crew.start("run watcher", self._run)

    @property
    def isDown(self):
        """Whether there is no gaze now, and it was told."""
        return self._judge.isDown

    @property
    def hasHub(self):
        """Whether ioHub runs and was not told to end."""
        return self._process is not None and self._process.poll() is None and not self._isEnding()

    def endStuckHub(self):
        """Kill ioHub's process if it does not answer: PsychoPy would wait for its end for ever.

        Thread: the one that calls ioHub.
        """
        if self.hasHub and not self._client.isAnswering():
            self._process.kill()

    def close(self):
        """End the thread."""
        self._crew.close(CLOSE_LIMIT_S)
        self._socket.close()

    def _run(self, stop):
        while not stop.is_set:
            ready, _, _ = select.select([self._socket, stop.socket], [], [], LOOK_EVERY_S)
            if self._socket in ready:
                self._take()
            self._followHub()
            if self._process is not None and not self._isEnding():
                facts = HubFacts(self._process.poll(), self._client.timeouts)
                self.troubles.extend(self._judge.look(time.perf_counter_ns(), self.report, facts))

    def _take(self):
        try:
            data = self._socket.recv(REPORT_BYTES)
        except OSError:  # Windows tells here that an earlier datagram of ours was not wanted
            return
        report = _parsed(data)
        # An ioHub that was left over from another run must not speak for ours.
        if report is None or self._process is None or report["pid"] != self._process.pid:
            self.foreign += 1
        else:
            self.report = report

    def _followHub(self):
        connection = ioHubConnection.ACTIVE_CONNECTION
        if self._process is not None or connection is None:
            return
        try:
            process, client = connection._server_process, connection.udp_client
            if process is None or client is None:
                return
            self._client = connection.udp_client = LimitedClient(client, process)
            self._hub, self._process = connection, process
        except ReferenceError:  # it failed to start and is gone already
            return

    def _isEnding(self):
        try:
            return self._hub._shutdown_attempted
        except ReferenceError:
            return True


def _parsed(data):
    """A report, or None: anybody on this computer can send to the port."""
    try:
        report = json.loads(data)
    except ValueError:
        return None
    if not isinstance(report, dict):
        return None
    return report if all(isinstance(report.get(name), kind) for name, kind in NEEDED.items()) else None
