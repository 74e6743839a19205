"""A stream that is received and never read: it keeps the simulator busy and costs its receiver nothing."""

from __future__ import annotations

import contextlib
from collections.abc import Iterator

from psychopy_neon.device.transport import connect_tcp, open_udp_pair
from psychopy_neon.wire.rtsp import RtspParser, RtspRequest, RtspResponse
from psychopy_neon.wire.rtsp_session import ClientDialogue, MediaKind
from psychopy_neon.wire.status import Sensor

_LIMIT_S = 5.0


@contextlib.contextmanager
def unread(sensor: Sensor, kind: MediaKind) -> Iterator[None]:
    """Have a sensor streamed to sockets that nobody reads."""
    assert sensor.ip is not None
    assert sensor.port is not None
    with contextlib.ExitStack() as stack:
        tcp = stack.enter_context(connect_tcp(sensor.ip, sensor.port, _LIMIT_S))
        tcp.settimeout(_LIMIT_S)
        rtp, rtcp = (stack.enter_context(each) for each in open_udp_pair(sensor.ip))
        ports = (rtp.getsockname()[1], rtcp.getsockname()[1])
        url = f"rtsp://{sensor.ip}:{sensor.port}/?{sensor.params}"
        dialogue, parser = ClientDialogue(url, ports, kind, "benchmark"), RtspParser()
        request: RtspRequest | None = dialogue.start()
        while request is not None:
            tcp.sendall(bytes(request))
            (response,) = parser.feed(tcp.recv(65536))
            assert isinstance(response, RtspResponse)
            request = dialogue.receive(response)
        yield
