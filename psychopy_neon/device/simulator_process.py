"""A simulated Neon in a process of its own: for demos, pilot runs and tests without the hardware."""

from __future__ import annotations

import contextlib
import re
import secrets
import subprocess
import sys
import threading
from pathlib import Path

from psychopy_neon.errors import NeonError, NeonTimeoutError

__all__ = ["SimulatorProcess"]

START_LIMIT_S = 30.0
END_LIMIT_S = 5.0


class SimulatorProcess:
    """Starts ``psychopy-neon simulate``: it sees the screen and looks where the mouse points.

    Parameters
    ----------
    truth : Path, optional
        File for what the simulator sends.
    limit_s : float
        How long to wait for its address.

    Attributes
    ----------
    address : str
        What :class:`~psychopy_neon.Neon` takes.

    Raises
    ------
    NeonTimeoutError
        It was not ready in time.
    NeonError
        It ended instead; what it says goes to this process's standard error.

    Notes
    -----
    Thread: any. ``close()`` ends the process, by its id; idempotent.
    """

    def __init__(self, truth: Path | None = None, limit_s: float = START_LIMIT_S) -> None:
        options = ["--port", "0", "--no-mdns", "--scene", "screen", "--gaze", "mouse", "--end-with-input"]
        options += ["--seed", str(secrets.randbits(31))]  # recordings of two runs are two
        options += [] if truth is None else ["--truth", str(truth)]
        line = [sys.executable, "-m", "psychopy_neon", "simulate", *options]
        # Its own group: Ctrl+C ends the owner, and the owner ends the simulator when it has said goodbye.
        pipe = subprocess.PIPE  # its input ends with the owner, however that ends
        self._process = subprocess.Popen(line, stdin=pipe, stdout=pipe, text=True, start_new_session=True)
        try:
            self.address = self._read_address(limit_s)
        except BaseException:  # Ctrl+C while it starts must not leave it behind either
            self.close()
            raise

    @property
    def pid(self) -> int:
        """Of the simulator."""
        return self._process.pid

    def close(self) -> None:
        """End the simulator."""
        self._process.terminate()
        try:
            self._process.wait(END_LIMIT_S)
        except subprocess.TimeoutExpired:
            self._process.kill()
            self._process.wait(END_LIMIT_S)
        for stream in (self._process.stdin, self._process.stdout):
            if stream is not None:
                stream.close()

    def __enter__(self) -> SimulatorProcess:
        return self

    def __exit__(self, *_: object) -> None:
        self.close()

    def _read_address(self, limit_s: float) -> str:
        """The address in the line that the simulator prints when it is ready."""
        lines: list[str] = []

        def read() -> None:
            assert self._process.stdout is not None
            with contextlib.suppress(ValueError):  # closed meanwhile: it was too slow
                lines.append(self._process.stdout.readline())

        reader = threading.Thread(target=read, name="psychopy-neon:simulated", daemon=True)
        reader.start()
        reader.join(limit_s)
        if not lines:
            raise NeonTimeoutError("starting the simulated Neon", limit_s)
        found = re.search(r" at (\S+:\d+)", lines[0])
        if found is None:
            raise NeonError("the simulated Neon did not start; it says why above")
        return found[1]
