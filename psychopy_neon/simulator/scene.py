"""The scene video: screen, lens, encoder, packets."""

from __future__ import annotations

import time
from dataclasses import asdict
from fractions import Fraction

import av
import numpy as np
import numpy.typing as npt
from av.video.frame import PictureType
from av.video.plane import VideoPlane

from psychopy_neon.errors import LinkError
from psychopy_neon.simulator.factory import INVISIBLE_CROP
from psychopy_neon.simulator.frame_code import draw_frame_code
from psychopy_neon.simulator.head import Head
from psychopy_neon.simulator.lens import SCENE_SIZE_PX, SceneCamera
from psychopy_neon.simulator.media import Audience
from psychopy_neon.simulator.phone_clock import PhoneClock, ticks_of_uptime, uptime_of_ticks
from psychopy_neon.simulator.render import SceneRenderer
from psychopy_neon.simulator.screens import Screen
from psychopy_neon.simulator.settings import SimulatorSettings
from psychopy_neon.simulator.truth import TruthLog
from psychopy_neon.wire.h264 import packetize, split_annex_b

__all__ = ["SceneEncoder", "SceneMaker"]

_KEY_INTERVAL_S = 2.0
_QUALITY = 24
"""Constant rate factor of x264: tags stay sharp, and a still screen costs next to nothing."""
_SPS, _PPS, _SEI = 7, 8, 6


class SceneEncoder:
    """x264 without delay: one picture in, its NAL units out."""

    def __init__(self, size_px: tuple[int, int], fps: float, slices: int) -> None:
        # No thread of its own, no look-ahead, no B frames: what goes in comes out at once.
        parameters = f"slices={slices}:keyint={max(round(fps * _KEY_INTERVAL_S), 1)}:scenecut=0:sliced-threads=0"
        options = {
            "preset": "ultrafast",
            "tune": "zerolatency",
            "profile": "baseline",
            "crf": str(_QUALITY),
            "forced-idr": "1",
            "x264-params": parameters,
        }
        context = av.CodecContext.create("libx264", "w")
        context.width, context.height = size_px
        context.pix_fmt = "yuv420p"
        context.framerate = Fraction(fps).limit_denominator(1001)
        context.time_base = 1 / context.framerate
        context.thread_count = 1
        context.options = options
        context.flags |= av.codec.context.Flags.global_header
        context.open()
        self._context = context
        # One frame is filled again and again: the encoder has copied it when encode() returns, and a fresh one would
        # cost 2 ms in which the gaze thread waits for the interpreter.
        self._frame = av.VideoFrame(*size_px, "yuv420p")
        self._planes = tuple(_pixels(plane) for plane in self._frame.planes)
        self._pts = 0
        nals = split_annex_b(bytes(context.extradata or b""))
        self.sps, self.pps = (next(nal for nal in nals if nal[0] & 0x1F == kind) for kind in (_SPS, _PPS))

    def encode(self, picture: npt.NDArray[np.uint8], is_key: bool) -> list[bytes]:
        """NAL units of a picture (I420, shape (height * 3 / 2, width)); parameter sets and SEI are left out."""
        height, width = self._planes[0].shape
        chroma = picture[height:].reshape(2, height // 2, width // 2)
        for plane, source in zip(self._planes, (picture[:height], *chroma), strict=True):
            np.copyto(plane, source)
        frame = self._frame
        frame.pts, self._pts = self._pts, self._pts + 1
        frame.pict_type = PictureType.I if is_key else PictureType.NONE
        nals = [nal for packet in self._context.encode(frame) for nal in split_annex_b(bytes(packet))]
        return [nal for nal in nals if nal[0] & 0x1F not in (_SPS, _PPS, _SEI)]


class SceneMaker:
    """Makes scene frames for the pacer's thread."""

    def __init__(
        self,
        screen: Screen,
        head: Head,
        clock: PhoneClock,
        truth: TruthLog,
        settings: SimulatorSettings,
    ) -> None:
        self._screen = screen
        self._head = head
        self._clock = clock
        self._truth = truth
        self._settings = settings
        self._crop = (0, 0, *SCENE_SIZE_PX) if settings.model == "neon" else INVISIBLE_CROP
        size = (self._crop[2] - self._crop[0], self._crop[3] - self._crop[1])
        self._encoder = SceneEncoder(size, settings.scene_fps, settings.scene_slices)
        self.parameter_sets = (self._encoder.sps, self._encoder.pps)
        """SPS and PPS, for the session description."""
        self._renderer = SceneRenderer()
        self._number = 0
        self._arrivals = 0

    def produce(self, uptime_ns: int, audience: Audience) -> None:
        """Look at the screen, send the picture and tell the truth about it.

        The picture's time is when the screen is read, which may be a little later than the time it was meant for.
        """
        number, self._number = self._number, self._number + 1
        begin_ns = self._clock.uptime_ns(time.perf_counter_ns())
        uptime_ns = uptime_of_ticks(ticks_of_uptime(max(begin_ns, uptime_ns)))
        camera = self._head.camera_at(uptime_ns)
        picture = self._picture(number, camera)
        nals = self._encoder.encode(picture, is_key=audience.arrivals != self._arrivals)
        self._arrivals = audience.arrivals
        is_key = any(nal[0] & 0x1F == 5 for nal in nals)
        parts = self._packets(nals, is_key)
        sent_ns = audience.send(parts, uptime_ns, number)
        fields = {
            "number": number,
            "device_ns": self._clock.device_ns_of_uptime(uptime_ns),
            "host_ns": self._clock.host_ns_of_uptime(uptime_ns),
            "sent_ns": sent_ns,
            "key": is_key,
            "bytes": sum(map(len, nals)),
            "receivers": len(audience.senders),
            "head": asdict(camera.head),
        }
        self._truth.add("frame", fields)

    def _picture(self, number: int, camera: SceneCamera) -> npt.NDArray[np.uint8]:
        """The scene as I420, shape (height * 3 / 2, width)."""
        try:
            screen = self._screen.read()
        except (av.error.FFmpegError, StopIteration, ValueError) as error:
            raise LinkError("the screen", f"it cannot be grabbed any more ({error})") from error
        self._renderer.draw(screen, camera)
        if self._settings.frame_code:
            draw_frame_code(self._renderer.luma, number)
        if self._settings.model == "neon":
            return self._renderer.frame
        return _cropped(self._renderer.frame, self._crop)

    def _packets(self, nals: list[bytes], is_key: bool) -> list[tuple[bytes, bool]]:
        """Payloads and markers of a picture's packets, by the habit that the settings name."""
        parts = packetize([*(self.parameter_sets if is_key else ()), *nals])
        if self._settings.marker == "every_nal":
            return parts
        return [(payload, index == len(parts) - 1) for index, (payload, _) in enumerate(parts)]


def _pixels(plane: VideoPlane) -> npt.NDArray[np.uint8]:
    """A plane's own memory, shape (height, width), without the filling at the end of its rows."""
    rows: npt.NDArray[np.uint8] = np.frombuffer(memoryview(plane), np.uint8)[: plane.height * plane.line_size]
    return rows.reshape(plane.height, plane.line_size)[:, : plane.width]


def _cropped(frame: npt.NDArray[np.uint8], crop: tuple[int, int, int, int]) -> npt.NDArray[np.uint8]:
    """A part, left, top, right, bottom all even, of an I420 picture."""
    left, top, right, bottom = crop
    width, height = SCENE_SIZE_PX
    chroma = frame[height:].reshape(2, height // 2, width // 2)[:, top // 2 : bottom // 2, left // 2 : right // 2]
    rows = chroma.reshape(-1, right - left)
    return np.concatenate([frame[:height][top:bottom, left:right], rows])
