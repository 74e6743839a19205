"""A simulated Neon, and a client of its RTSP that knows nothing of the package's own one."""

from __future__ import annotations

import re
import socket
from collections.abc import Iterator

import pytest

from psychopy_neon.simulator import SimulatedNeon, SimulatorSettings

LIMIT_S = 20.0
"""No wait is longer; the first scene frame of a computer with other work to do takes several seconds."""


class RawRtsp:
    """Hand-written requests over a plain socket."""

    def __init__(self, sim: SimulatedNeon, camera: str) -> None:
        host, port = "127.0.0.1", rtsp_port(sim)
        self.url = f"rtsp://{host}:{port}/?camera={camera}&audioenable=on"
        self.base = f"rtsp://{host}:{port}/"
        self.socket = socket.create_connection((host, port), LIMIT_S)
        self.unread = b""
        self._sequence = 0

    def ask(self, method: str, url: str | None = None, **headers: str) -> tuple[int, dict[str, str], str]:
        """Send a request; status, headers in lower case and body of the answer. Frames before it are dropped."""
        self._sequence += 1
        lines = [f"{method} {url or self.url} RTSP/1.0", f"CSeq: {self._sequence}"]
        lines += [f"{name.replace('_', '-')}: {value}" for name, value in headers.items()]
        self.socket.sendall("\r\n".join([*lines, "", ""]).encode())
        while self._read(1) == b"$":
            self.skip_frame()
        head = b""
        while not head.endswith(b"\r\n\r\n"):
            head += self.take(1)
        status_line, *fields = head.decode().strip().split("\r\n")
        answer = {name.lower(): value.strip() for name, _, value in (line.partition(":") for line in fields)}
        body = self.take(int(answer.get("content-length", "0"))).decode()
        return int(status_line.split()[1]), answer, body

    def frame(self) -> tuple[int, bytes]:
        """The next interleaved frame: channel and payload."""
        head = self.take(4)
        assert head[:1] == b"$", head
        return head[1], self.take(int.from_bytes(head[2:], "big"))

    def skip_frame(self) -> None:
        self.frame()

    def take(self, count: int) -> bytes:
        data = self._read(count)
        self.unread = self.unread[count:]
        return data

    def _read(self, count: int) -> bytes:
        while len(self.unread) < count:
            piece = self.socket.recv(65536)
            assert piece, "the connection has ended"
            self.unread += piece
        return self.unread[:count]

    def close(self) -> None:
        self.socket.close()


class UdpPair:
    """Two neighbouring sockets; ``unread`` is what arrived on the first."""

    def __init__(self) -> None:
        while True:
            self.rtp, self.rtcp = (socket.socket(socket.AF_INET, socket.SOCK_DGRAM) for _ in range(2))
            self.rtp.bind(("127.0.0.1", 0))
            self.port = self.rtp.getsockname()[1]
            try:
                self.rtcp.bind(("127.0.0.1", self.port + 1))
                break
            except OSError:
                self.close()
        for each in (self.rtp, self.rtcp):
            each.settimeout(LIMIT_S)

    @property
    def transport(self) -> str:
        return f"RTP/AVP;unicast;client_port={self.port}-{self.port + 1}"

    def close(self) -> None:
        self.rtp.close()
        self.rtcp.close()


def rtsp_port(sim: SimulatedNeon) -> int:
    import requests

    status = requests.get(f"http://{sim.address}/api/status", timeout=LIMIT_S).json()["result"]
    ports = {entry["data"]["port"] for entry in status if entry["data"].get("conn_type") == "DIRECT"}
    assert len(ports) == 1
    return int(ports.pop())


def server_ports(transport: str) -> tuple[int, int]:
    found = re.search(r"server_port=(\d+)-(\d+)", transport)
    assert found is not None
    return int(found[1]), int(found[2])


@pytest.fixture
def sim() -> Iterator[SimulatedNeon]:
    with SimulatedNeon(SimulatorSettings()) as neon:
        yield neon
