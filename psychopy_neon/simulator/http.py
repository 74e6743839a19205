"""HTTP of the phone: status (also as WebSocket), recording, events, template, calibration, camera control."""

from __future__ import annotations

import asyncio
import json
import time
from collections.abc import Awaitable, Callable
from typing import Any

from aiohttp import WSMsgType, web

from psychopy_neon.simulator.camera_control import CameraControl
from psychopy_neon.simulator.http_faults import HttpFaults
from psychopy_neon.simulator.listener import Listener
from psychopy_neon.simulator.phone_state import PhoneState, Refusal
from psychopy_neon.simulator.template import Template

__all__ = ["HttpServer"]

_CLOSE_S = 2.0
_SEND_S = 10.0
_MAX_BODY_BYTES = 1024 * 1024
_Handler = Callable[[web.Request], Awaitable[web.StreamResponse]]


class HttpServer:
    """The phone's web server.

    Parameters
    ----------
    state
        What the phone knows.
    faults
        What goes wrong now.
    calibration
        The bytes of ``calibration.bin``; None: this model has none.
    template
        The questionnaire.
    is_scene_active
        Whether the scene camera runs; its controls exist only then.
    """

    def __init__(
        self,
        state: PhoneState,
        faults: HttpFaults,
        calibration: bytes | None,
        template: Template,
        is_scene_active: Callable[[], bool],
    ) -> None:
        self._state = state
        self._faults = faults
        self._calibration = calibration
        self._is_scene_active = is_scene_active
        self._template = template
        self._camera = CameraControl()
        app = web.Application(middlewares=[self._with_faults, _in_envelope], client_max_size=_MAX_BODY_BYTES)
        app.add_routes(
            [
                web.get("/api/status", self._get_status, allow_head=False),
                web.post("/api/recording:start", self._start),
                web.post("/api/recording:stop_and_save", self._stop),
                web.post("/api/recording:cancel", self._cancel),
                web.post("/api/event", self._event),
                web.get("/api/camera_control", self._get_camera),
                web.post("/api/camera_control", self._set_camera),
                web.get("/calibration.bin", self._get_calibration),
            ]
        )
        if template.is_offered:
            app.add_routes(
                [
                    web.get("/api/template_def", self._get_template),
                    web.get("/api/template_data", self._get_answers),
                    web.post("/api/template_data", self._set_answers),
                ]
            )
        self._runner = web.AppRunner(app, access_log=None, shutdown_timeout=_CLOSE_S)
        self._listener = Listener(self._new_connection)

    async def open(self, host: str, port: int) -> int:
        """Begin to serve and give the port; raises OSError when it is taken."""
        await self._runner.setup()
        return await self._listener.open(host, port)

    async def close(self) -> None:
        """End all connections."""
        await self._listener.close()
        self._state.end_feeds()
        await self._runner.cleanup()

    def cut(self) -> None:
        """Cut all connections in the middle of whatever they carry, and refuse new ones."""
        self._listener.shut()
        for connection in self._server.connections:
            if connection.transport is not None:
                connection.transport.abort()

    def mend(self) -> None:
        """Let clients connect again."""
        self._listener.reopen()

    @property
    def _server(self) -> web.Server:
        server = self._runner.server
        assert server is not None  # since open()
        return server

    def _new_connection(self) -> asyncio.BaseProtocol:
        return self._server()

    @web.middleware
    async def _with_faults(self, request: web.Request, handler: _Handler) -> web.StreamResponse:
        status = self._faults.failing_status(request.path)
        if status is not None:
            return _error(status, "Service is not available now")
        return await handler(request)

    def _loses_answer(self, request: web.Request) -> bool:
        """Whether the answer to a request, which is carried out now, is lost: its connection is gone."""
        is_lost = self._faults.take_loss(request.path)
        if is_lost and request.transport is not None:
            request.transport.abort()
        return is_lost

    # Status

    async def _get_status(self, request: web.Request) -> web.StreamResponse:
        if request.headers.get("Upgrade", "").lower() == "websocket":
            return await self._push_status(request)
        return _reply(self._state.components())

    async def _push_status(self, request: web.Request) -> web.StreamResponse:
        socket = web.WebSocketResponse(timeout=_CLOSE_S, compress=False)
        await socket.prepare(request)
        feed = self._state.open_feed()
        pushing = asyncio.create_task(_push(socket, feed))
        try:
            # Clients say nothing; reading answers their pings and notices when they go.
            async for message in socket:
                if message.type == WSMsgType.ERROR:
                    break
        finally:
            self._state.close_feed(feed)
            pushing.cancel()
            await asyncio.gather(pushing, return_exceptions=True)
        return socket

    # Recording and events

    async def _start(self, request: web.Request) -> web.Response:
        self._loses_answer(request)
        self._template.check_required("start")
        return _reply({"id": self._state.start_recording()})

    async def _stop(self, request: web.Request) -> web.Response:
        self._loses_answer(request)
        self._template.check_required("stop")
        self._state.end_recording("SAVE")
        return _reply(None)

    async def _cancel(self, request: web.Request) -> web.Response:
        self._loses_answer(request)
        self._state.end_recording("DISCARD")
        return _reply(None)

    async def _event(self, request: web.Request) -> web.Response:
        arrived_ns = time.perf_counter_ns()
        event = await _json_object(request)
        name, timestamp = event.get("name"), event.get("timestamp")
        if not isinstance(name, str):
            raise Refusal("name is missing")
        if isinstance(timestamp, float) and timestamp.is_integer():  # the maker's own plugin sends such
            timestamp = int(timestamp)
        if timestamp is not None and (not isinstance(timestamp, int) or isinstance(timestamp, bool)):
            raise Refusal("timestamp is no integer")
        is_published = not self._loses_answer(request) or self._faults.is_published
        return _reply(self._state.add_event(name, timestamp, arrived_ns, is_published))

    # Template

    async def _get_template(self, request: web.Request) -> web.Response:
        return _reply(self._template.definition)

    async def _get_answers(self, request: web.Request) -> web.Response:
        return _reply(self._template.answers)

    async def _set_answers(self, request: web.Request) -> web.Response:
        answers = await _json_object(request)
        self._loses_answer(request)
        unknown = self._template.set_answers(answers)
        if unknown is not None:
            return _error(404, f"No such question: {unknown}")
        return _reply(self._template.answers)

    # Camera

    async def _get_calibration(self, request: web.Request) -> web.Response:
        if self._calibration is None:
            return _error(404, "Not found")
        return web.Response(body=self._calibration, content_type="application/octet-stream")

    async def _get_camera(self, request: web.Request) -> web.Response:
        if not self._is_scene_active():
            return _error(404, "Camera is not active")
        for name in request.query:
            if name != "camera":
                return _reply(self._camera.get(name))
        raise Refusal("No control is named")

    async def _set_camera(self, request: web.Request) -> web.Response:
        if not self._is_scene_active():
            return _error(404, "Camera is not active")
        self._camera.set({name: value for name, value in request.query.items() if name != "camera"})
        return _reply(None)


async def _push(socket: web.WebSocketResponse, feed: asyncio.Queue[dict[str, Any] | None]) -> None:
    """Send a feed's components, one a message, until it or the connection ends."""
    try:
        # No limit on waiting for a change: there may be none. Ends with the connection or the feed.
        while (component := await feed.get()) is not None:
            await asyncio.wait_for(socket.send_str(_dump(component)), _SEND_S)
    except (ConnectionError, asyncio.TimeoutError):
        pass  # the client has gone: closing below ends the handler, which is all there is to do
    await socket.close()


@web.middleware
async def _in_envelope(request: web.Request, handler: _Handler) -> web.StreamResponse:
    """Errors as JSON, which clients read before they look at the status."""
    try:
        return await handler(request)
    except Refusal as refusal:
        return _error(500, str(refusal))
    except web.HTTPException as error:
        return _error(error.status, error.reason)


def _dump(value: Any) -> str:
    # The app's JSON library escapes for HTML and leaves out blanks.
    text = json.dumps(value, separators=(",", ":"), sort_keys=True)
    return text.replace("=", "\\u003d").replace("&", "\\u0026")


def _reply(result: Any) -> web.Response:
    return web.json_response({"message": "Success", "result": result}, dumps=_dump)


def _error(status: int, message: str) -> web.Response:
    return web.json_response({"message": message, "result": None}, status=status, dumps=_dump)


async def _json_object(request: web.Request) -> dict[str, Any]:
    try:
        value = json.loads(await request.text())
    except ValueError as error:
        raise Refusal(f"Body is no JSON: {error}") from error
    if not isinstance(value, dict):
        raise Refusal("Body is no JSON object")
    return value
