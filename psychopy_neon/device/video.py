"""Coded pictures to scene frames: one decoder, one thread, no frame of extra delay."""

from __future__ import annotations

import threading
from collections import OrderedDict
from collections.abc import Callable

import av
import numpy as np
import numpy.typing as npt

from psychopy_neon.device.buffers import Handover
from psychopy_neon.device.media_line import Counts
from psychopy_neon.device.pipeline import TimedUnit
from psychopy_neon.device.stream_worker import StreamWorker
from psychopy_neon.device.worker import Crew, StopSignal
from psychopy_neon.samples import Gap, SceneFrame

__all__ = ["SceneDecoder", "SceneSource"]

QUEUE_LENGTH = 15
"""Half a second of pictures: whoever is later than that goes on with the next key picture."""
MAX_IN_DECODER = 16
IDLE_S = 0.5

Plane = npt.NDArray[np.uint8]


class SceneDecoder:
    """Takes pictures from the network thread and gives frames to the stream.

    A damaged picture and everything that refers to it is left out until the next key picture: shown, it would be a grey
    smear in which tags are found where they are not. What is left out is counted in ``dropped``, what the decoder
    refuses in ``malformed``.

    Parameters
    ----------
    sink : callable
        Takes the frames, in the decoder's thread.
    """

    def __init__(self, sink: Callable[[SceneFrame], None]) -> None:
        self.dropped = 0
        self.malformed = 0
        self._sink = sink
        self._queue: Handover[TimedUnit] = Handover(QUEUE_LENGTH)
        self._queue_overflowed = False
        self._session = 0
        self._needs_key = True
        self._frames = 0
        self._decoder: av.VideoCodecContext | None = None
        self._inside: OrderedDict[int, TimedUnit] = OrderedDict()
        self._number = 0

    def put(self, unit: TimedUnit) -> None:
        """Take a picture; called by the network thread, never waits."""
        if self._queue_overflowed:
            if not unit.unit.is_key:
                self.dropped += 1
                return
            # The decoder is behind by the whole queue: begin again with this key picture.
            self.dropped += self._queue.clear()
            self._queue_overflowed = False
        if not self._queue.put(unit):
            self._queue_overflowed = True
            self.dropped += 1

    def run(self, stop: StopSignal) -> None:
        """Decode until told to stop."""
        stop.call_when_set(self._queue.close)
        while not stop.is_set:
            unit = self._queue.get(IDLE_S)
            if unit is not None and self._is_decodable(unit):
                self._decode(unit)
        self._decoder = None

    def _is_decodable(self, timed: TimedUnit) -> bool:
        if timed.session != self._session:
            self._session = timed.session
            self._needs_key = True
        if timed.unit.is_damaged:
            self._needs_key = True
        if self._needs_key and (timed.unit.is_damaged or not timed.unit.is_key):
            self.dropped += 1
            return False
        return True

    def _decode(self, timed: TimedUnit) -> None:
        if self._needs_key or self._decoder is None:
            self._decoder = _open_decoder()
            self._inside.clear()
            self._needs_key = False
        self._number += 1
        self._inside[self._number] = timed
        packet = av.Packet(timed.unit.data)
        packet.pts = packet.dts = self._number
        try:
            frames = self._decoder.decode(packet)
        except av.error.FFmpegError:
            self.malformed += 1
            self._needs_key = True
            return
        for frame in frames:
            source = self._inside.pop(frame.pts, None) if frame.pts is not None else None
            if source is None or frame.is_corrupt:
                self.malformed += 1
                continue
            self._deliver(frame, source)
        while len(self._inside) > MAX_IN_DECODER:  # pictures that gave no frame
            self._inside.popitem(last=False)
            self.dropped += 1

    def _deliver(self, frame: av.VideoFrame, timed: TimedUnit) -> None:
        luma, u, v = _planes(frame)
        self._frames += 1
        self._sink(
            SceneFrame(timed.device_ns, timed.host_ns, timed.bound_ns, luma, self._frames, timed.received_ns, u, v)
        )


def _open_decoder() -> av.VideoCodecContext:
    decoder = av.CodecContext.create("h264", "r")
    # Frame threads would each hold a frame back; slice threads hold none.
    decoder.thread_type = "SLICE"
    decoder.thread_count = 1
    decoder.flags |= av.codec.context.Flags.low_delay
    assert isinstance(decoder, av.VideoCodecContext)
    return decoder


def _planes(frame: av.VideoFrame) -> tuple[Plane, Plane, Plane]:
    """Luma and chroma as views of the decoder's memory, which lives as long as they do."""
    if frame.format.name not in ("yuv420p", "yuvj420p"):
        frame = frame.reformat(format="yuv420p")
    width, height = frame.width, frame.height
    luma, u, v = frame.planes[:3]
    return (
        _view(luma, width, height),
        _view(u, (width + 1) // 2, (height + 1) // 2),
        _view(v, (width + 1) // 2, (height + 1) // 2),
    )


def _view(plane: av.video.plane.VideoPlane, width: int, height: int) -> Plane:
    rows: Plane = np.frombuffer(memoryview(plane), np.uint8).reshape(-1, plane.line_size)
    return rows[:height, :width]


class SceneSource:
    """The network worker and the decoder of the scene, as one source."""

    def __init__(self, worker: StreamWorker, decoder: SceneDecoder, crew: Crew) -> None:
        self._worker = worker
        self._decoder = decoder
        self._crew = crew
        self._lock = threading.Lock()
        self._is_open = False  # guarded by _lock

    def open(self) -> None:
        """Start both unless they run."""
        self._crew.check()
        with self._lock:
            if not self._is_open:
                self._crew.start("decoder", self._decoder.run, is_heavy=True)
                self._is_open = True
        self._worker.open()

    def pump(self) -> None:
        """Nothing: frames come from the decoder's thread."""

    def pump_one(self, timeout_s: float) -> bool:
        """False: frames come from the decoder's thread."""
        return False

    @property
    def counts(self) -> Counts:
        """Packets, and the pictures that the decoder left out."""
        decoder = self._decoder
        return self._worker.counts + Counts(dropped=decoder.dropped, malformed=decoder.malformed)

    @property
    def gaps(self) -> tuple[Gap, ...]:
        """Of the network worker."""
        return self._worker.gaps
