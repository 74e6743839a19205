import socket
import struct
import time

import requests

from psychopy_neon.simulator import SimulatedNeon, SimulatorSettings


def connect(sim: SimulatedNeon) -> socket.socket:
    status = requests.get(f"http://{sim.address}/api/status", timeout=5).json()["result"]
    (port,) = (entry["data"]["time_echo_port"] for entry in status if entry["model"] == "Phone")
    return socket.create_connection(("127.0.0.1", port), 5)


def exchange(connection: socket.socket, number: int) -> int:
    connection.sendall(struct.pack("!Q", number))
    data = b""
    while len(data) < 16:
        data += connection.recv(16)
    echoed, device_ms = struct.unpack("!QQ", data)
    assert echoed == number
    return int(device_ms)


def test_the_time_is_cut_to_milliseconds() -> None:
    with SimulatedNeon(SimulatorSettings(offset_ns=123_456_789_000)) as sim, connect(sim) as connection:
        for number in (0, 1, 2**64 - 1):
            before_ns = sim.clock.now_ns()
            device_ms = exchange(connection, number)
            assert before_ns // 1_000_000 <= device_ms <= sim.clock.now_ns() // 1_000_000


def test_requests_in_pieces_and_together(sim: SimulatedNeon) -> None:
    with connect(sim) as connection:
        data = struct.pack("!QQ", 7, 8)
        for byte in data:
            connection.sendall(bytes((byte,)))
        received = b""
        while len(received) < 32:
            received += connection.recv(64)
        assert [received[:8], received[16:24]] == [data[:8], data[8:]]


def test_jitter_delays() -> None:
    with SimulatedNeon(SimulatorSettings(echo_jitter_ms=20)) as sim, connect(sim) as connection:
        begin = time.monotonic()
        for number in range(5):
            exchange(connection, number)
        assert time.monotonic() - begin > 0.03, "ten seeded delays of 0 to 20 ms"


def test_a_step_of_the_clock_shows_at_once(sim: SimulatedNeon) -> None:
    with connect(sim) as connection:
        before = exchange(connection, 1)
        sim.step_clock(-60_000_000_000)
        after = exchange(connection, 1)
    assert -60_000 <= after - before <= -55_000
    assert [record["cause"] for record in sim.truth.records("clock")] == ["start", "step"]
