"""The device's HTTP interface: requests in, JSON out, every error translated once.

Source: Neon Realtime API 2.1.0; every answer is ``{"message": text, "result": ...}``.
"""

from __future__ import annotations

import http.client
import json
import math
import socket
import threading
import time
from typing import Any

import requests
import urllib3

from psychopy_neon.device.transport import Peer
from psychopy_neon.errors import LinkError, NeonTimeoutError, RemoteProtocolError, RequestRefusedError

__all__ = ["NOT_CARRIED_OUT", "RestClient"]

NOT_CARRIED_OUT = frozenset({429, 503})
"""Too many requests, service unavailable: nobody has looked at the request, and a moment later somebody may."""
_CONNECT_LIMIT_S = 2.0
_MAX_BYTES = 4 << 20
_CHUNK = 65536
_IS_IT_A_NEON = "is this a Neon? Give the address that the Companion app shows under Stream"
_REMEDY = "is the Companion app in the foreground and on the same network?"


class RestClient:
    """One kept-alive connection to the device.

    Parameters
    ----------
    peer : Peer
        Resolved.
    limit_s : float
        For each request as a whole.

    Notes
    -----
    Thread: any, one request at a time.
    """

    def __init__(self, peer: Peer, limit_s: float) -> None:
        self.peer = peer
        self.limit_s = limit_s
        self.was_sent = False
        """Whether the last request may have been carried out although it failed."""
        host = f"[{peer.ip}]" if ":" in peer.ip else peer.ip
        self._base = f"http://{host}:{peer.port}"
        self._lock = threading.Lock()
        self._deadline = _Deadline()
        # Without a session around it, which for each request looks at proxies (a device on the local network is never
        # behind one), cookies and redirects: half a request's time, and the experiment waits for the interpreter.
        self._adapter = _Adapter(self._deadline)
        self._prepared: dict[tuple[str, str], requests.PreparedRequest] = {}

    def get(self, path: str) -> Any:
        """``result`` of a GET."""
        return self._json("GET", path, None)

    def post(self, path: str, body: dict[str, Any] | None = None) -> Any:
        """``result`` of a POST.

        Raises
        ------
        LinkError, NeonTimeoutError, RequestRefusedError, RemoteProtocolError
        """
        return self._json("POST", path, body)

    def get_bytes(self, path: str) -> bytes:
        """Body of a GET that answers with bytes."""
        status, content_type, body = self._request("GET", path, None)
        if status == 200 and not content_type.startswith(("text/", "application/json")):
            return body
        if status == 200:
            raise RemoteProtocolError(f"GET {path}", f"{content_type} instead of bytes; {_IS_IT_A_NEON}", body)
        raise self._refusal("GET", path, status, body)

    def close(self) -> None:
        self._adapter.close()

    def _json(self, method: str, path: str, body: dict[str, Any] | None) -> Any:
        status, _, data = self._request(method, path, body)
        self.was_sent = status not in NOT_CARRIED_OUT
        if status != 200:
            raise self._refusal(method, path, status, data)
        envelope = _parse_envelope(f"{method} {path}", status, data)
        return envelope.get("result")

    def _refusal(self, method: str, path: str, status: int, data: bytes) -> RequestRefusedError:
        envelope = _parse_envelope(f"{method} {path}", status, data)
        reason = envelope.get("message")
        text = reason[:1000] if isinstance(reason, str) else "no reason given"
        return RequestRefusedError(method, f"http://{self.peer}{path}", status, text)

    def _request(self, method: str, path: str, body: dict[str, Any] | None) -> tuple[int, str, bytes]:
        operation = f"{method} http://{self.peer}{path}"
        with self._lock:
            self.was_sent = False
            try:
                return self._exchange(method, path, body)
            except requests.ConnectTimeout as error:
                raise NeonTimeoutError(operation, _CONNECT_LIMIT_S, f"no answer at all; {_REMEDY}") from error
            except requests.Timeout as error:
                self.was_sent = True
                raise NeonTimeoutError(operation, self.limit_s, _REMEDY) from error
            except requests.ConnectionError as error:
                if isinstance(_reason(error), urllib3.exceptions.ReadTimeoutError):  # in the middle of the body
                    self.was_sent = True
                    raise NeonTimeoutError(operation, self.limit_s, _REMEDY) from error
                if _is_no_http(error):
                    self.was_sent = True
                    raise RemoteProtocolError(
                        operation, f"{_root(error)!r} instead of HTTP; {_IS_IT_A_NEON}"
                    ) from error
                refused = isinstance(_root(error), ConnectionRefusedError)
                self.was_sent = not isinstance(_reason(error), urllib3.exceptions.NewConnectionError)
                raise LinkError(str(self.peer), f"{_connection_text(refused, error)}; {_REMEDY}") from error
            except requests.RequestException as error:
                self.was_sent = True
                rule = f"not HTTP as it should be ({type(error).__name__}); {_IS_IT_A_NEON}"
                raise RemoteProtocolError(operation, rule) from error

    def _exchange(self, method: str, path: str, body: dict[str, Any] | None) -> tuple[int, str, bytes]:
        self._deadline.at_s = time.monotonic() + self.limit_s
        limits = (min(_CONNECT_LIMIT_S, self.limit_s), self.limit_s)
        with self._adapter.send(self._prepare(method, path, body), stream=True, timeout=limits) as response:
            data = bytearray()
            for chunk in response.iter_content(_CHUNK):
                data += chunk
                if len(data) > _MAX_BYTES:
                    raise RemoteProtocolError(f"{method} {path}", f"answer over {_MAX_BYTES} bytes", bytes(data[:16]))
            return response.status_code, response.headers.get("Content-Type", ""), bytes(data)

    def _prepare(self, method: str, path: str, body: dict[str, Any] | None) -> requests.PreparedRequest:
        known = self._prepared.get((method, path))
        if known is None:
            headers = {} if body is None else {"Content-Type": "application/json"}
            known = requests.Request(method, self._base + path, headers).prepare()
            self._prepared[method, path] = known
        if body is None:
            return known
        prepared = known.copy()
        # The same body gives the same bytes, and names in them stay what they are instead of escapes.
        prepared.prepare_body(json.dumps(body, ensure_ascii=False).encode(), None)
        return prepared


class _Deadline:
    """When the running request must be over, on ``time.monotonic()``."""

    at_s = math.inf


class _LimitedSocket(socket.socket):
    """A connected socket whose reads end at the deadline, however the bytes are spread in time."""

    def __init__(self, connected: socket.socket, deadline: _Deadline) -> None:
        super().__init__(connected.family, connected.type, connected.proto, fileno=connected.detach())
        self._deadline = deadline

    def recv_into(self, *args: Any) -> int:
        left_s = self._deadline.at_s - time.monotonic()
        if left_s <= 0:
            raise TimeoutError("the limit of the request is over")
        self.settimeout(left_s)
        return super().recv_into(*args)


class _Adapter(requests.adapters.HTTPAdapter):
    """Puts a limit on requests as a whole; the one of requests itself begins again with every byte."""

    def __init__(self, deadline: _Deadline) -> None:
        self._deadline = deadline
        super().__init__()

    def init_poolmanager(self, *args: Any, **kwargs: Any) -> None:
        super().init_poolmanager(*args, **kwargs)
        deadline = self._deadline

        class Connection(urllib3.connection.HTTPConnection):
            def connect(self) -> None:
                super().connect()
                self.sock = _LimitedSocket(self.sock, deadline)

        class Pool(urllib3.HTTPConnectionPool):
            ConnectionCls = Connection

        self.poolmanager.pool_classes_by_scheme = {"http": Pool}


def _parse_envelope(where: str, status: int, data: bytes) -> dict[str, Any]:
    try:
        envelope = json.loads(data)
    except (ValueError, RecursionError) as error:
        kind = "HTML" if data.lstrip()[:1] == b"<" else "something else"
        rule = f"{kind} instead of JSON (HTTP {status}); {_IS_IT_A_NEON}"
        raise RemoteProtocolError(where, rule, data) from error
    if not isinstance(envelope, dict):
        raise RemoteProtocolError(where, f"JSON without message and result (HTTP {status}); {_IS_IT_A_NEON}", data)
    return envelope


def _reason(error: requests.ConnectionError) -> object:
    inner = error.args[0] if error.args else error
    return getattr(inner, "reason", inner)


def _is_no_http(error: requests.ConnectionError) -> bool:
    """Whether there was an answer that cannot be read; a connection closed without one is something else."""
    root = _root(error)
    return isinstance(root, http.client.HTTPException) and not isinstance(
        root, (http.client.RemoteDisconnected, http.client.IncompleteRead)
    )


def _root(error: BaseException) -> BaseException:
    """The innermost cause: requests and urllib3 each wrap what the system said."""
    seen = 0
    while seen < 10 and (inner := error.__cause__ or error.__context__) is not None:
        error, seen = inner, seen + 1
    return error


def _connection_text(refused: bool, error: Exception) -> str:
    if refused:
        return "connection refused: it answers, but nothing listens on this port"
    return f"the connection failed ({type(_root(error)).__name__}: {_root(error)})"
