"""ioHub's remote calls with a limit: PsychoPy's own client waits for an answer for ever, also from a dead process."""

import select
import socket
import time

from psychopy.iohub.net import UDPClientConnection

from psychopy_neon.errors import LinkError

__all__ = ["LimitedClient"]

LIMIT_S = 5.0
SLOW_LIMIT_S = 0.5
"""After a call without an answer, until one has one again: a frame loop makes several calls."""
LONG_LIMIT_S = 25.0
"""For what waits for the phone or for devices that start."""
LONG = frozenset({"setRecordingState", "finishRecording", "fillTemplate"})
ENDLESS = frozenset({"runSetupProcedure"})
"""A person takes part: only the end of the process ends the wait."""
SLICE_S = 0.1
PART_S = 1.0
"""Between the datagrams of one long answer."""
ROOM_BYTES = 4 << 20
"""Asked of the system, which may give less. A long answer is a row of datagrams, and PsychoPy makes room for two."""
GRACE_S = 8.0
"""So long a script may ask a dead ioHub without an error: time to end in its own way."""
STATUS_CALL = ("GET_IOHUB_STATUS",)
NO_KEYS = {"events": {}, "pressed_keys": {}, "reporting_events": False}


class LimitedClient:
    """Takes the place of ``udp_client`` of an ``ioHubConnection``.

    A call that is not answered in time gives None, as PsychoPy has it for calls that fail, and later answers to it are
    not taken for those to other calls. The keyboard, which takes None for an error, hears that no key was pressed: a
    script is to come to its next flip and to end there in its own way. When the process has ended that is so at once,
    but a script that still asks ``GRACE_S`` later gets an error.

    Parameters
    ----------
    client : psychopy.iohub.net.UDPClientConnection
    process : subprocess.Popen
        Of ioHub.

    Attributes
    ----------
    timeouts : int
        Calls without an answer, of a process that runs.

    Notes
    -----
    Thread: the one that calls ioHub; ``timeouts`` any.
    """

    def __init__(self, client, process):
        self.timeouts = 0
        self._client = client
        self._process = process
        self._call = ()
        self._isSlow = False
        self._died_s = None
        self._prepare()

    @property
    def sock(self):
        """The socket that is used now."""
        return self._client.sock

    def sendTo(self, data, address=None):
        """Send a call."""
        self._call = tuple(data)
        return self._client.sendTo(data, address)

    def receive(self):
        """The answer and the address that it came from, or None.

        Raises
        ------
        LinkError
            ioHub's process ended a while ago.
        """
        limit_s = _limit_s(self._call, self._isSlow)
        end_s = None if limit_s is None else time.monotonic() + limit_s
        while not select.select([self.sock], [], [], SLICE_S)[0]:
            if self._process.poll() is not None:
                self._refuse_after_grace()
                return self._no_answer()
            if end_s is not None and time.monotonic() > end_s:
                return self._give_up()
        answer = self._client.receive()
        if answer is None:
            return self._give_up()
        self._isSlow = False
        return answer

    def isAnswering(self):
        """Whether ioHub answers at all."""
        self.sendTo(STATUS_CALL)
        return self.receive() is not None

    def close(self):
        """Close the socket."""
        self._client.close()

    def _give_up(self):
        """Go on with a new socket: what still comes to the old one answers a question that nobody asks any more."""
        self.timeouts += 1
        self._isSlow = True
        self._client.close()
        self._client = UDPClientConnection(remote_port=self._client._remote_port)
        self._prepare()
        return self._no_answer()

    def _prepare(self):
        self.sock.settimeout(PART_S)
        self.sock.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, ROOM_BYTES)

    def _refuse_after_grace(self):
        now_s = time.monotonic()
        if self._died_s is None:
            self._died_s = now_s
        if now_s - self._died_s > GRACE_S:
            raise LinkError("ioHub", f"its process has ended (exit code {self._process.poll()}); nothing answers")

    def _no_answer(self):
        if self._call[2:4] == ("Keyboard", "getCurrentDeviceState"):
            return ["DEV_RPC_RESULT", NO_KEYS], None
        return None


def _limit_s(call, isSlow):
    """Limit of a call as ioHub's client sends it: ("EXP_DEVICE", "DEV_RPC", device, method, ...) or a word of ioHub."""
    isOfDevice = call[1:2] == ("DEV_RPC",)
    method = call[3] if isOfDevice else None
    if method in ENDLESS:
        return None
    if call == STATUS_CALL or (isOfDevice and method not in LONG):
        return SLOW_LIMIT_S if isSlow and isOfDevice else LIMIT_S
    return LIMIT_S if isSlow else LONG_LIMIT_S
