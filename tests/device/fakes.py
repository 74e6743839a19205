"""Peers made by hand from the text of the RFCs: they share no code with the client nor with the simulator."""

import base64
import contextlib
import hashlib
import json
import re
import socket
import struct
import threading
import time

LIMIT_S = 20.0
"""No wait of a test is longer."""
HTML = b"<!DOCTYPE html><html><body>Router login</body></html>"


def wait_until(condition, limit_s=LIMIT_S):
    """Wait for something that another thread does and tells nobody."""
    end = time.monotonic() + limit_s
    while not (value := condition()):
        assert time.monotonic() < end, "it did not happen in time"
        time.sleep(0.002)  # nobody tells, so it has to be asked again
    return value


def free_port():
    """A TCP port on which nothing listens."""
    with socket.socket() as sock:
        sock.bind(("127.0.0.1", 0))
        return sock.getsockname()[1]


# TCP


class TcpFake:
    """Listens on loopback and runs ``serve(connection, number)`` in a thread for each connection.

    It is an argument, or a method of the subclass.
    """

    def __init__(self, serve=None, port=0):
        self._serve = serve or self.serve
        self._listener = socket.create_server(("127.0.0.1", port))
        self.port = self._listener.getsockname()[1]
        self.count = 0
        self.errors = []
        self.is_closed = threading.Event()
        self._connections = []
        self._lock = threading.Lock()
        self._threads = [threading.Thread(target=self._accept, name="fake-accept", daemon=True)]
        self._threads[0].start()

    @property
    def address(self):
        return f"127.0.0.1:{self.port}"

    def _accept(self):
        while True:
            try:
                connection, _ = self._listener.accept()
            except OSError:
                return
            with self._lock:
                if self.is_closed.is_set():
                    connection.close()
                    return
                self.count += 1
                connection.settimeout(20)
                self._connections.append(connection)
                thread = threading.Thread(target=self._run, args=(connection, self.count), name="fake-serve")
                thread.daemon = True
                self._threads.append(thread)
                thread.start()

    def _run(self, connection, number):
        try:
            with connection:
                self._serve(connection, number)
        except OSError:
            pass  # the client has gone, or the test is over
        except Exception as error:
            self.errors.append(error)

    def drop(self):
        """Cut all connections."""
        with self._lock:
            connections, self._connections = self._connections, []
        for connection in connections:
            with contextlib.suppress(OSError):
                connection.shutdown(socket.SHUT_RDWR)

    def close(self):
        self.is_closed.set()
        with contextlib.suppress(OSError):
            self._listener.shutdown(socket.SHUT_RDWR)
        self._listener.close()
        self.drop()
        for thread in self._threads:
            thread.join(20)
        assert not self.errors, self.errors

    def __enter__(self):
        return self

    def __exit__(self, *_error):
        self.close()


class BlackHole:
    """A port whose connections are never accepted: its queue is full."""

    def __init__(self):
        self._listener = socket.socket()
        self._listener.bind(("127.0.0.1", 0))
        self._listener.listen(0)
        self.port = self._listener.getsockname()[1]
        self._fillers = []
        for _ in range(8):
            sock = socket.socket()
            sock.setblocking(False)
            sock.connect_ex(("127.0.0.1", self.port))
            self._fillers.append(sock)

    def __enter__(self):
        return self

    def __exit__(self, *_error):
        for sock in (self._listener, *self._fillers):
            sock.close()


def read_head(connection, buffer):
    """The bytes up to the empty line; None when the connection ends. What follows stays in ``buffer``."""
    while b"\r\n\r\n" not in buffer:
        data = connection.recv(65536)
        if not data:
            return None
        buffer += data
    head, _, rest = bytes(buffer).partition(b"\r\n\r\n")
    buffer[:] = rest
    return head.decode()


# Time echo


class FakeEcho(TcpFake):
    """Answers eight bytes with sixteen; ``offset_ns`` is added to this computer's ``perf_counter_ns``."""

    def __init__(self, offset_ns=0):
        self.offset_ns = offset_ns
        super().__init__()

    def device_ms(self):
        return (time.perf_counter_ns() + self.offset_ns) // 1_000_000

    def serve(self, connection, number):
        while (request := self.read(connection)) is not None:
            connection.sendall(request + struct.pack("!Q", self.device_ms()))

    @staticmethod
    def read(connection):
        request = b""
        while len(request) < 8:
            data = connection.recv(8 - len(request))
            if not data:
                return None
            request += data
        return request


# HTTP and WebSocket


def component(model, **data):
    return {"model": model, "data": data}


def sensor(name="gaze", port=8086, connected=True, conn_type="DIRECT", ip="192.0.2.77"):
    params = f"camera={name}&audioenable=on"
    return component(
        "Sensor",
        sensor=name,
        conn_type=conn_type,
        connected=connected,
        ip=ip,
        port=port,
        protocol="rtsp",
        params=params,
    )


def phone_components(rtsp_port=None, echo_port=None, name="Fake phone", serial="314159"):
    phone = {"device_name": name, "device_id": "0123456789abcdef", "ip": "192.0.2.77", "battery_level": 50}
    if echo_port is not None:
        phone["time_echo_port"] = echo_port
    found = [component("Phone", **phone), component("Hardware", version="2.0", module_serial=serial)]
    if rtsp_port is not None:
        found += [sensor("gaze", rtsp_port), sensor("world", rtsp_port)]
    return found


class FakeHttp(TcpFake):
    """HTTP/1.1 by hand: ``routes[path]`` is bytes for the whole answer, or a function of the request's body.

    GET /api/status with an Upgrade becomes a WebSocket (RFC 6455): first the components, then what :meth:`push` gives.
    """

    def __init__(self, components=(), port=0, routes=None):
        self.components = list(components)
        self.routes = dict(routes or {})
        self.requests = []
        self.is_answering_pings = True
        self.has_websocket = True
        self.sockets = []
        self.websocket_count = 0
        super().__init__(port=port)

    def serve(self, connection, number):
        buffer = bytearray()
        while (head := read_head(connection, buffer)) is not None:
            method, path, _ = head.split("\r\n")[0].split(" ")
            fields = dict(line.lower().split(": ", 1) for line in head.split("\r\n")[1:])
            length = int(fields.get("content-length", 0))
            while len(buffer) < length:
                buffer += connection.recv(65536)
            body = bytes(buffer[:length])
            del buffer[:length]
            if "upgrade" in fields:
                if self.has_websocket:
                    key = re.search(r"(?i)sec-websocket-key: (\S+)", head)[1]
                    self._websocket(connection, key)
                return
            self.requests.append((method, path, body))
            answer = self.routes.get(path, self._status if path == "/api/status" else answer_json(None, 404, "No"))
            if callable(answer):
                answer = answer(body)
            if answer is None:
                return
            connection.sendall(answer)

    def _status(self, _body):
        return answer_json(self.components)

    def _websocket(self, connection, key):
        digest = hashlib.sha1((key + "258EAFA5-E914-47DA-95CA-C5AB0DC85B11").encode()).digest()
        accept = base64.b64encode(digest).decode()
        connection.sendall(
            "HTTP/1.1 101 Switching Protocols\r\nUpgrade: websocket\r\nConnection: Upgrade\r\n"
            f"Sec-WebSocket-Accept: {accept}\r\n\r\n".encode()
        )
        for each in self.components:
            connection.sendall(frame(json.dumps(each).encode()))
        self.sockets.append(connection)
        self.websocket_count += 1
        # Clients say nothing but pings and closes; they are short and come one by one.
        while data := connection.recv(4096):
            opcode = data[0] & 0x0F
            if opcode == 9 and self.is_answering_pings:
                connection.sendall(frame(b"", opcode=10))
            if opcode == 8:
                return

    def push(self, text):
        """Send a text frame to the newest listener."""
        data = text if isinstance(text, bytes) else json.dumps(text).encode()
        wait_until(lambda: self.sockets)[-1].sendall(frame(data))


def frame(payload, opcode=1):
    """RFC 6455 section 5.2: one whole frame, from a server, so not masked."""
    if len(payload) < 126:
        return bytes((0x80 | opcode, len(payload))) + payload
    return bytes((0x80 | opcode, 126)) + struct.pack("!H", len(payload)) + payload


def answer(body, status=200, content_type="application/json", extra=""):
    head = f"HTTP/1.1 {status} Because\r\nContent-Type: {content_type}\r\nContent-Length: {len(body)}\r\n{extra}\r\n"
    return head.encode() + body


def late(answer_to, seconds):
    """A route of a phone that takes its time."""

    def route(body):
        time.sleep(seconds)  # what is tested is how long others wait for this
        return answer_to(body)

    return route


def answer_json(result, status=200, message="Success"):
    return answer(json.dumps({"message": message, "result": result}).encode(), status)


# RTSP


GAZE_SDP = (
    "v=0\r\no=- 0 0 IN IP4 192.0.2.77\r\ns=Unnamed\r\nt=0 0\r\n"
    "m=application 5006 RTP/AVP 99\r\na=rtpmap:99 com.pupillabs.gaze1/90000\r\na=control:trackID=1\r\n"
)


class FakeSession:
    """What a SETUP opened: where the client listens, and a pair of sockets to send from."""

    def __init__(self, connection, ports):
        self.connection = connection
        self.ports = ports
        self.is_playing = threading.Event()
        self.sender, self.reporter = (socket.socket(socket.AF_INET, socket.SOCK_DGRAM) for _ in range(2))
        for sock in (self.sender, self.reporter):
            sock.bind(("127.0.0.1", 0))
            sock.settimeout(LIMIT_S)

    def send_rtp(self, *packets):
        for packet in packets:
            self.sender.sendto(packet, ("127.0.0.1", self.ports[0]))

    def send_rtcp(self, packet):
        self.reporter.sendto(packet, ("127.0.0.1", self.ports[1]))

    def cut(self):
        with contextlib.suppress(OSError):
            self.connection.shutdown(socket.SHUT_RDWR)

    def close(self):
        self.sender.close()
        self.reporter.close()


class FakeRtsp(TcpFake):
    """A server in the habits of the phone's library: errors without CSeq, a Content-Base that names itself wrongly.

    ``answers[method]`` replaces the whole answer to a method; None: no answer.
    """

    def __init__(self, sdp=GAZE_SDP, port=0):
        self.sdp = sdp
        self.answers = {}
        self.greeting = b""
        self.requests = []
        self.replies = []
        self.sessions = []
        super().__init__(port=port)

    def serve(self, connection, number):
        if self.greeting:
            connection.sendall(self.greeting)
        buffer, session = bytearray(), None
        while (head := read_head(connection, buffer)) is not None:
            if head.startswith("RTSP/"):
                self.replies.append(head)
                continue
            method, url, _ = head.split("\r\n")[0].split(" ")
            cseq = re.search(r"(?im)^cseq: *(\d+)", head)
            ports = re.search(r"client_port=(\d+)-(\d+)", head)
            self.requests.append((method, url, head))
            if method in self.answers:
                if self.answers[method] is None:
                    continue
                connection.sendall(self.answers[method])
                continue
            fields, body = self._answer(method)
            if method == "SETUP":
                session = FakeSession(connection, (int(ports[1]), int(ports[2])))
                own = session.sender.getsockname()[1], session.reporter.getsockname()[1]
                fields = f"Transport: RTP/AVP/UDP;unicast;server_port={own[0]}-{own[1]}\r\nSession: abc;timeout=60\r\n"
            lines = f"RTSP/1.0 200 OK\r\nServer: Fake\r\nCseq: {cseq[1]}\r\n{fields}Content-Length: {len(body)}\r\n\r\n"
            connection.sendall(lines.encode() + body)
            if method == "SETUP":
                self.sessions.append(session)
            if method == "PLAY" and session is not None:
                session.is_playing.set()

    def _answer(self, method):
        if method == "OPTIONS":
            return "Public: DESCRIBE,SETUP,TEARDOWN,PLAY,PAUSE\r\n", b""
        if method == "DESCRIBE":
            fields = "Content-Base: 192.0.2.77:8086/\r\nContent-Type: application/sdp\r\n"
            return fields, self.sdp.encode()
        return "", b""

    def session(self, number):
        """The session of that number, counted from 0, once it plays."""
        session = wait_until(lambda: self.sessions[number] if len(self.sessions) > number else None, 10)
        assert session.is_playing.wait(LIMIT_S)
        return session

    def close(self):
        super().close()
        for session in self.sessions:
            session.close()
