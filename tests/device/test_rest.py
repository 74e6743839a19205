"""HTTP against servers that behave and servers that do not."""

import time

import pytest
from fakes import HTML, BlackHole, FakeHttp, TcpFake, answer, answer_json, free_port, read_head

from psychopy_neon.device.rest import RestClient
from psychopy_neon.device.transport import Peer
from psychopy_neon.errors import LinkError, NeonTimeoutError, RemoteProtocolError, RequestRefusedError


@pytest.fixture
def http():
    with FakeHttp() as fake:
        yield fake


@pytest.fixture
def client(http):
    client = RestClient(Peer("phone", http.port, "127.0.0.1"), 2.0)
    yield client
    client.close()


def client_of(port, limit_s=2.0):
    return RestClient(Peer("phone", port, "127.0.0.1"), limit_s)


def raw_server(data, then=None):
    def serve(connection, _number):
        if read_head(connection, bytearray()) is not None:
            connection.sendall(data)
            if then is not None:
                then(connection)

    return TcpFake(serve)


def test_result_of_a_get_and_a_post(http, client):
    http.routes["/api/x"] = answer_json({"a": [1]})
    assert client.get("/api/x") == {"a": [1]}
    assert client.post("/api/x", {"name": "ä"}) == {"a": [1]}
    assert client.post("/api/x") == {"a": [1]}
    method, path, body = http.requests[1]
    assert (method, path, body) == ("POST", "/api/x", '{"name": "ä"}'.encode())
    assert http.requests[2][2] == b""
    assert http.count == 1, "one connection is kept"


def test_connection_that_the_device_closed_meanwhile_is_replaced(http, client):
    http.routes["/api/x"] = answer_json(1)
    client.get("/api/x")
    http.drop()
    assert client.get("/api/x") == 1


@pytest.mark.parametrize("status", [400, 404, 500])
def test_refusal_has_the_devices_reason(http, client, status):
    http.routes["/api/x"] = answer_json(None, status, "The storage is full")
    with pytest.raises(RequestRefusedError) as caught:
        client.post("/api/x")
    error = caught.value
    assert (error.method, error.status, error.reason) == ("POST", status, "The storage is full")
    assert error.url == f"http://phone:{http.port}/api/x"


@pytest.mark.parametrize(
    ("status", "body", "was_sent"),
    [(503, b"{}", False), (503, b"busy", False), (429, b"{}", False), (502, b"busy", True), (500, b"{}", True)],
)
def test_whether_it_may_have_been_carried_out(http, client, status, body, was_sent):
    http.routes["/api/x"] = answer(body, status)
    with pytest.raises((RequestRefusedError, RemoteProtocolError)):
        client.post("/api/x")
    assert client.was_sent is was_sent


def test_refusal_without_a_reason(http, client):
    http.routes["/api/x"] = answer(b'{"message": 5}', 500)
    with pytest.raises(RequestRefusedError, match="no reason given"):
        client.get("/api/x")


@pytest.mark.parametrize("status", [200, 404, 502])
def test_html_instead_of_json(http, client, status):
    http.routes["/api/x"] = answer(HTML, status, "text/html")
    with pytest.raises(RemoteProtocolError, match=rf"HTML instead of JSON \(HTTP {status}\); is this a Neon"):
        client.get("/api/x")


@pytest.mark.parametrize("body", [b"", b"[1]", b"null", b"\xff\xfe", b"[" * 100_000])
def test_what_is_no_envelope(http, client, body):
    http.routes["/api/x"] = answer(body)
    with pytest.raises(RemoteProtocolError, match="is this a Neon"):
        client.get("/api/x")


def test_bytes(http, client):
    http.routes["/calibration.bin"] = answer(b"\0\1\2", content_type="application/octet-stream")
    assert client.get_bytes("/calibration.bin") == b"\0\1\2"


def test_html_instead_of_bytes(http, client):
    http.routes["/calibration.bin"] = answer(HTML, content_type="text/html; charset=utf-8")
    with pytest.raises(RemoteProtocolError, match=r"text/html.* instead of bytes"):
        client.get_bytes("/calibration.bin")


def test_bytes_that_are_not_there(client):
    with pytest.raises(RequestRefusedError):
        client.get_bytes("/calibration.bin")


@pytest.mark.parametrize("data", [b"SSH-2.0-OpenSSH_9.9\r\n", b"\0\1\2\3\r\n\r\n", b"RTSP/1.0 400 Bad Request\r\n\r\n"])
def test_garbage_instead_of_http(data):
    with raw_server(data) as server, pytest.raises(RemoteProtocolError, match="is this a Neon"):
        client_of(server.port).get("/")


def test_connection_closed_without_an_answer():
    with raw_server(b"") as server:
        client = client_of(server.port)
        with pytest.raises(LinkError, match="the connection failed"):
            client.get("/")
        assert client.was_sent


def test_body_that_ends_too_early():
    data = b'HTTP/1.1 200 OK\r\nContent-Length: 100\r\n\r\n{"message"'
    with raw_server(data) as server, pytest.raises((LinkError, RemoteProtocolError)):
        client_of(server.port).get("/")


def test_endless_body_is_cut_at_the_limit():
    def flood(connection):
        while True:
            connection.sendall(b"x" * 65536)

    with raw_server(b"HTTP/1.1 200 OK\r\n\r\n", flood) as server, pytest.raises(RemoteProtocolError, match="over"):
        client_of(server.port, 10.0).get("/")


def drip(connection):
    while True:
        connection.sendall(b"1\r\na\r\n")
        time.sleep(0.02)


@pytest.mark.parametrize(
    "head",
    [
        b"HTTP/1.1 200 OK\r\nContent-Length: 100000\r\n\r\n",
        b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n",
        b"HTTP/1.1 200 OK\r\n\r\n",
        b"HTTP/1.1 200 OK\r\nX-Slow: ",
        b"",
    ],
    ids=["length", "chunks", "until-closed", "head", "nothing"],
)
def test_limit_holds_for_the_request_as_a_whole(head):
    then = (lambda connection: connection.recv(1)) if not head else drip
    with raw_server(head, then) as server:
        client = client_of(server.port, 0.3)
        begin = time.monotonic()
        with pytest.raises(NeonTimeoutError) as caught:
            client.get("/")
        assert time.monotonic() - begin < 2.0
        assert caught.value.limit_s == 0.3
        assert client.was_sent


def test_limit_is_new_for_every_request(http, client):
    http.routes["/api/x"] = lambda _body: time.sleep(0.2) or answer_json(1)
    client.limit_s = 0.5
    for _ in range(4):
        assert client.get("/api/x") == 1


def test_closed_port():
    client = client_of(free_port())
    with pytest.raises(LinkError, match="refused"):
        client.post("/api/event", {})
    assert not client.was_sent


def test_black_hole():
    with BlackHole() as hole:
        client = client_of(hole.port, 0.2)
        with pytest.raises(NeonTimeoutError, match="no answer at all"):
            client.post("/api/event", {})
        assert not client.was_sent


def test_redirects_are_not_followed(http, client):
    with FakeHttp() as other:
        other.routes["/"] = answer_json("wrong")
        http.routes["/api/x"] = answer(HTML, 302, "text/html", f"Location: http://127.0.0.1:{other.port}/\r\n")
        with pytest.raises(RemoteProtocolError):
            client.get("/api/x")
        assert other.requests == []


def test_proxy_of_the_environment_is_ignored(http, monkeypatch):
    for name in ("http_proxy", "HTTP_PROXY", "all_proxy", "ALL_PROXY"):
        monkeypatch.setenv(name, f"http://127.0.0.1:{free_port()}")
    monkeypatch.delenv("no_proxy", raising=False)
    http.routes["/api/x"] = answer_json(7)
    client = client_of(http.port)
    assert client.get("/api/x") == 7
    client.close()
