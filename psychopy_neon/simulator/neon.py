"""The simulated Neon as a whole."""

from __future__ import annotations

import asyncio
import contextlib
import socket
import threading
import time
from collections.abc import Callable
from dataclasses import asdict
from types import TracebackType
from typing import Any

from psychopy_neon.errors import ConfigurationError, LinkError, NeonError, NeonTimeoutError
from psychopy_neon.samples import CameraCalibration
from psychopy_neon.simulator.echo import EchoServer
from psychopy_neon.simulator.eye_events import LOOKS_HZ, EyeEventMaker
from psychopy_neon.simulator.eyes import Eyes
from psychopy_neon.simulator.factory import factory_calibration
from psychopy_neon.simulator.gaze import GazeMaker
from psychopy_neon.simulator.head import Head
from psychopy_neon.simulator.head_motion import HeadMotionSpec
from psychopy_neon.simulator.http import HttpServer
from psychopy_neon.simulator.http_faults import HttpFaults
from psychopy_neon.simulator.imu import ImuMaker
from psychopy_neon.simulator.lens import Lens, SceneCamera
from psychopy_neon.simulator.mdns import Announcement
from psychopy_neon.simulator.media import Pacer, Receivers
from psychopy_neon.simulator.phone_clock import ClockPiece, PhoneClock
from psychopy_neon.simulator.phone_state import PhoneState
from psychopy_neon.simulator.rtsp import OfferedStream, RtspServer, data_media, scene_media
from psychopy_neon.simulator.scene import SceneMaker
from psychopy_neon.simulator.screens import Screen, open_screen
from psychopy_neon.simulator.settings import HeadPose, SimulatorSettings
from psychopy_neon.simulator.template import Template
from psychopy_neon.simulator.truth import TruthLog
from psychopy_neon.wire.calibration import encode_calibration

__all__ = ["SimulatedNeon"]

_START_S = 20.0
_CLOSE_S = 20.0
_DATA_MAX_LATE_S = 1.0


class SimulatedNeon:
    """A Neon to connect to, on this computer.

    Use it as a context manager (it then runs in a thread of its own), or await :meth:`run`. Every method may be called
    from any thread while it runs.

    Parameters
    ----------
    settings
        What it is like.
    screen
        What the scene camera looks at, in place of what the settings name; stays the caller's to close.
    """

    def __init__(self, settings: SimulatorSettings | None = None, screen: Screen | None = None) -> None:
        self.settings = settings if settings is not None else SimulatorSettings()
        self.clock = PhoneClock(self.settings.offset_ns, self.settings.drift_ppm)
        """The phone's clock, to compare with what a client makes of it."""
        self.truth = TruthLog(self.settings.truth, keep=self.settings.keep_truth)
        """What really happened."""
        self.calibration: CameraCalibration = factory_calibration(self.settings.serial)
        """The true calibration of the cameras."""
        self.address = ""
        """Host and HTTP port that clients are given; known once started."""
        self._given_screen = screen
        self._lens = Lens(self.calibration.scene)
        self._receivers = {name: Receivers() for name in self.settings.streams}
        self._state = PhoneState(self.settings, self.clock, self.truth)
        self._loop: asyncio.AbstractEventLoop | None = None
        self._loop_thread = 0
        self._stopping: asyncio.Event | None = None
        self._failure: Exception | None = None
        self._thread: threading.Thread | None = None
        self._rtsp: RtspServer
        self._echo: EchoServer
        self._http: HttpServer
        self._http_faults = HttpFaults(self.truth)
        self._eyes: Eyes
        self._head: Head

    @property
    def camera(self) -> SceneCamera:
        """The scene camera where it is now; once started."""
        return self._head.camera_at(self.clock.uptime_ns(time.perf_counter_ns()))

    # Life

    def start(self) -> SimulatedNeon:
        """Run in a thread.

        Raises
        ------
        NeonError
            A port is taken, there is no screen, or the network does not let it be announced.
        """
        if self._thread is not None:
            raise ConfigurationError("start", "again", "once for each SimulatedNeon")
        is_ready = threading.Event()

        def live() -> None:
            try:
                asyncio.run(self.run(is_ready.set))
            except Exception as error:  # told to whoever starts or closes
                self._failure = error
            finally:
                is_ready.set()

        self._thread = threading.Thread(target=live, name="psychopy-neon-sim", daemon=True)
        self._thread.start()
        if not is_ready.wait(_START_S):
            self.stop()
            raise NeonTimeoutError("starting the simulated Neon", _START_S)
        if self._failure is not None:
            self.close()
        return self

    def close(self) -> None:
        """End it; twice is fine.

        Raises
        ------
        NeonError
            What it has died of, if it has; once.
        """
        self.stop()
        if self._thread is not None and self._thread is not threading.current_thread():
            self._thread.join(_CLOSE_S)
            if self._thread.is_alive():
                raise NeonTimeoutError("ending the simulated Neon", _CLOSE_S)
        failure, self._failure = self._failure, None
        if failure is not None:
            raise failure

    def stop(self) -> None:
        """Ask it to end, without waiting."""
        loop, stopping = self._loop, self._stopping
        if loop is not None and stopping is not None:
            with contextlib.suppress(RuntimeError):  # the loop has ended already
                loop.call_soon_threadsafe(stopping.set)

    def __enter__(self) -> SimulatedNeon:
        return self.start()

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.close()

    async def run(self, ready: Callable[[], object] | None = None) -> None:
        """Open everything, call ``ready``, and serve until :meth:`stop`.

        Raises
        ------
        NeonError
            It could not start, or lost its screen.
        """
        self._loop, self._stopping = asyncio.get_running_loop(), asyncio.Event()
        self._loop_thread = threading.get_ident()
        async with contextlib.AsyncExitStack() as stack:
            stack.callback(self.truth.close)
            await self._open(stack)
            if ready is not None:
                ready()
            # Serves as long as it is wanted: there is no limit to wait for.
            await self._stopping.wait()
        failure, self._failure = self._failure, None
        if failure is not None:
            raise failure

    async def _open(self, stack: contextlib.AsyncExitStack) -> None:
        settings = self.settings
        screen = self._given_screen
        if screen is None:
            screen = open_screen(settings.scene, settings.scene_fps)
            stack.callback(screen.close)
        self._head = Head(self._lens, screen.size_px, settings.head, settings.head_motion, settings.seed)
        self._tell_head()
        self._eyes = Eyes(settings, screen.size_px)
        scene = SceneMaker(screen, self._head, self.clock, self.truth, settings)
        self._tell_clock("start", self.clock.pieces)
        context = (self._head, self.clock, self.truth)
        makers = {
            # Else the encoder, where it shares a core with gaze, delays it by its time slice of 4 ms.
            "world": (settings.scene_fps, scene.produce, 0.5 / settings.scene_fps, 5),
            "gaze": (settings.gaze_hz, GazeMaker(self._eyes, *context, settings).produce, _DATA_MAX_LATE_S, 0),
            "imu": (settings.imu_hz, ImuMaker(*context, settings).produce, _DATA_MAX_LATE_S, 0),
            "eye_events": (LOOKS_HZ, EyeEventMaker(self._eyes, *context).produce, _DATA_MAX_LATE_S, 0),
        }
        for name, receivers in self._receivers.items():
            rate_hz, produce, max_late_s, niceness = makers[name]
            pacer = Pacer(f"neon-sim-{name}", rate_hz, self.clock, receivers, produce, self._fail, max_late_s, niceness)
            stack.callback(pacer.close)
        await self._open_servers(stack, scene)

    async def _open_servers(self, stack: contextlib.AsyncExitStack, scene: SceneMaker) -> None:
        settings = self.settings
        streams = {
            name: OfferedStream(
                name, scene_media(*scene.parameter_sets) if name == "world" else data_media(name), receivers
            )
            for name, receivers in self._receivers.items()
        }
        calibration = encode_calibration(self.calibration) if settings.model == "neon" else None
        self._rtsp = RtspServer(streams, self._state.is_connected, self.clock, self.truth, settings)
        self._echo = EchoServer(self.clock, self.truth, settings)
        template, world = Template(settings, self.truth), self._receivers["world"]
        self._http = HttpServer(self._state, self._http_faults, calibration, template, lambda: world.is_active)
        rtsp_port = await self._open_server(stack, self._rtsp, settings.rtsp_port)
        echo_port = await self._open_server(stack, self._echo, settings.echo_port) if settings.has_echo else None
        http_port = await self._open_server(stack, self._http, settings.port)
        ip = settings.reported_ip or _own_ip(settings.host)
        self._state.begin(ip, rtsp_port, echo_port)
        self.address = f"{_own_ip(settings.host)}:{http_port}"
        if settings.mdns:
            announcement = Announcement(settings, _own_ip(settings.host), http_port)
            stack.push_async_callback(announcement.close)
            await announcement.open()

    async def _open_server(
        self, stack: contextlib.AsyncExitStack, server: RtspServer | EchoServer | HttpServer, port: int
    ) -> int:
        host = self.settings.host
        stack.push_async_callback(server.close)
        try:
            return await server.open(host, port)
        except OSError as error:
            raise LinkError(f"{host}:{port}", f"cannot be used ({error.strerror or error})") from error

    # What tests and fault scripts do to it

    def set_head(self, head: HeadPose) -> None:
        """Move the head, at once; a motion goes on about the new pose."""
        self._head.set_pose(head)
        self._tell_head()

    def set_head_motion(self, motion: HeadMotionSpec) -> None:
        """Let the head move in another way, from what the motion says for this time on."""
        self._head.set_motion(motion)
        self._tell_head()

    def look_at(self, x: float, y: float) -> None:
        """Look at a place, screen px, until told otherwise."""
        self._eyes.look_at((x, y))

    def look_freely(self) -> None:
        """Look again at what the settings say."""
        self._eyes.look_at(None)

    def set_worn(self, is_worn: bool) -> None:
        """Put the glasses on or off."""
        self._eyes.set_worn(is_worn)

    def blink(self, seconds: float = 0.2) -> None:
        """Close the eyes for so long."""
        self._eyes.blink(self.clock.uptime_ns(time.perf_counter_ns()), seconds)

    def drop_streams(self) -> None:
        """Cut all RTSP connections."""
        self._call(self._rtsp.drop)

    def mute(self, stream: str, is_muted: bool = True) -> None:
        """Let a stream fall silent with its connections open, or speak again."""
        if stream not in self._receivers:
            raise ConfigurationError("stream", stream, f"one of {tuple(self._receivers)}")
        self._receivers[stream].mute(is_muted)

    def set_sensor(self, sensor: str, connected: bool | None = None, stream_error: bool | None = None) -> None:
        """Unplug a sensor (its connections end), plug it in again, or let it report an error."""
        if sensor not in self._receivers:
            raise ConfigurationError("sensor", sensor, f"one of {tuple(self._receivers)}")
        fields = {"connected": connected, "stream_error": stream_error}
        changes = {name: value for name, value in fields.items() if value is not None}

        def change() -> None:
            self._state.set_sensor(sensor, **changes)
            if connected is False:
                self._rtsp.drop(sensor)

        self._call(change)

    def set_battery(self, level: int, state: str = "OK") -> None:
        """Charge in percent, and OK, LOW or CRITICAL."""
        self._call(lambda: self._state.set_phone(battery_level=level, battery_state=state))

    def refuse_start(self, reason: str | None) -> None:
        """Refuse to start recordings for this reason; None: do not refuse any more."""
        self._call(lambda: setattr(self._state, "refuse_start", reason))

    def fail_recording(self, message: str = "Recording Watchdog failure") -> None:
        """Break the running recording."""
        self._call(lambda: self._state.fail_recording(message))

    def step_clock(self, step_ns: int) -> None:
        """Set the phone's wall clock forward, or back; ends a slew."""
        self._call(lambda: self._tell_clock("step", self.clock.step(step_ns)))

    def slew_clock(self, amount_ns: int, rate_ppm: float = 500.0) -> None:
        """Let the phone's wall clock run faster (or slower) by a rate until it has made up an amount."""
        self._call(lambda: self._tell_clock("slew", self.clock.slew(amount_ns, rate_ppm)))

    def set_drift(self, drift_ppm: float) -> None:
        """Let the phone's crystal, hence all its clocks and media, run faster by this than the computer's."""
        self._call(lambda: self._tell_clock("drift", self.clock.set_drift(drift_ppm)))

    def set_echo(self, mode: str) -> None:
        """Let the time echo misbehave, or be ``normal`` again; the modes are :data:`.echo.ECHO_MODES`."""
        if not self.settings.has_echo:
            raise ConfigurationError("mode", mode, "nothing: this phone has no time echo")
        self._call(lambda: self._echo.set_mode(mode))

    def fail_http(self, seconds: float, status: int = 503) -> None:
        """Answer every HTTP request with this status for so long, without looking at it; 0 seconds: no more."""
        if not 400 <= status <= 599:
            raise ConfigurationError("status", status, "400 to 599")
        self._call(lambda: self._http_faults.fail(seconds, status))

    def lose_answers(self, count: int = 1, is_published: bool = True) -> None:
        """Carry out the next POSTs but cut their connections instead of answering; ``is_published``: tell the feeds."""
        self._call(lambda: self._http_faults.lose(count, is_published))

    def cut_network(self, is_cut: bool = True) -> None:
        """Cut all connections and refuse new ones, or let clients connect again."""

        def change() -> None:
            for server in (self._http, self._rtsp, *((self._echo,) if self.settings.has_echo else ())):
                server.cut() if is_cut else server.mend()
            self.truth.add("network", {"is_cut": is_cut, "host_ns": time.perf_counter_ns()})

        self._call(change)

    # Inside

    def _call(self, act: Callable[[], Any]) -> None:
        """Do something in the loop's thread and wait until it is done; from that thread itself, just do it."""
        loop = self._loop
        if loop is None or not loop.is_running():
            raise LinkError("simulated Neon", "does not run")
        if threading.get_ident() == self._loop_thread:
            act()
            return

        async def acted() -> None:
            act()

        asyncio.run_coroutine_threadsafe(acted(), loop).result(_CLOSE_S)

    def _fail(self, error: Exception) -> None:
        """A stream's thread has died: so does the whole."""
        if self._failure is None:
            self._failure = error if isinstance(error, NeonError) else LinkError("simulated Neon", repr(error))
            self._failure.__cause__ = None if isinstance(error, NeonError) else error
        self.stop()

    def _tell_head(self) -> None:
        host_ns = time.perf_counter_ns()
        camera = self._head.camera_at(self.clock.uptime_ns(host_ns))
        width, height = camera.screen_px
        fields = {
            "host_ns": host_ns,
            "device_ns": self.clock.device_ns(host_ns),
            "pose": asdict(camera.head),
            "motion": asdict(self._head.motion),
            "screen_px": [width, height],
            "scene_from_screen": (self.calibration.scene.matrix @ camera.ray_from_screen).tolist(),
        }
        self.truth.add("head", fields)

    def _tell_clock(self, cause: str, pieces: tuple[ClockPiece, ...]) -> None:
        wall_from_host_ns = time.time_ns() - time.perf_counter_ns()
        for piece in pieces:
            # A second piece is the end of a slew, which is still to come.
            reason = cause if piece is pieces[0] else "slewed"
            fields = {**piece.truth_fields(), "wall_ns": piece.host_ns + wall_from_host_ns, "cause": reason}
            self.truth.add("clock", fields)


def _own_ip(host: str) -> str:
    """The address to tell clients: that of the way out where all addresses are listened on."""
    if host != "0.0.0.0":
        return host
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as probe:
        try:
            probe.connect(("192.0.2.1", 9))  # sends nothing: only asks which way packets would go
        except OSError:
            return "127.0.0.1"
        return str(probe.getsockname()[0])
