import socket
import struct
import time
from collections.abc import Callable
from typing import Any

import pytest
import requests

from psychopy_neon.errors import ConfigurationError, LinkError
from psychopy_neon.simulator import SimulatedNeon, SimulatorSettings
from psychopy_neon.simulator.echo import LATE_NS
from psychopy_neon.simulator.echo_paths import PATHS, EchoPathSpec
from psychopy_neon.simulator.phone_clock import PhoneClock

LIMIT_S = 20.0
MS = 1_000_000


def phone(sim: SimulatedNeon) -> dict[str, Any]:
    status = requests.get(f"http://{sim.address}/api/status", timeout=LIMIT_S).json()["result"]
    (data,) = (entry["data"] for entry in status if entry["model"] == "Phone")
    return dict(data)


def connect(sim: SimulatedNeon) -> socket.socket:
    return socket.create_connection(("127.0.0.1", phone(sim)["time_echo_port"]), LIMIT_S)


def take(connection: socket.socket, count: int) -> bytes:
    data = b""
    while len(data) < count:
        piece = connection.recv(count - len(data))
        assert piece, "the connection has ended"
        data += piece
    return data


def exchange(connection: socket.socket, number: int) -> int:
    connection.sendall(struct.pack("!Q", number))
    echoed, device_ms = struct.unpack("!QQ", take(connection, 16))
    assert echoed == number
    return int(device_ms)


def is_cut(connection: socket.socket) -> bool:
    """Whether the connection ends, orderly or not, without another byte."""
    try:
        return connection.recv(1) == b""
    except ConnectionError:
        return True


def test_the_time_is_cut_to_milliseconds() -> None:
    with SimulatedNeon(SimulatorSettings(offset_ns=123_456_789_000)) as sim, connect(sim) as connection:
        for number in (0, 1, 2**64 - 1):
            before_ns = sim.clock.now_ns()
            device_ms = exchange(connection, number)
            assert before_ns // MS <= device_ms <= sim.clock.now_ns() // MS


@pytest.mark.parametrize(("rounding", "added_ns"), [("floor", 0), ("nearest", MS // 2)])
def test_the_truth_tells_when_the_clock_was_read_and_what_it_showed(rounding: Any, added_ns: int) -> None:
    settings = SimulatorSettings(offset_ns=-77_654_321, drift_ppm=80, echo_rounding=rounding)
    with SimulatedNeon(settings) as sim, connect(sim) as connection:
        seen = []
        for number in range(30):
            sent_ns = time.perf_counter_ns()
            device_ms = exchange(connection, number)
            seen.append((number, device_ms, sent_ns, time.perf_counter_ns()))
        sim.truth.wait("echo", 30, LIMIT_S)
        records = sim.truth.records("echo")
    for record, (number, device_ms, sent_ns, received_ns) in zip(records, seen, strict=True):
        assert (record["mode"], record["number"], record["device_ms"]) == ("normal", number, device_ms)
        assert sent_ns <= record["received_ns"] <= record["host_ns"] <= record["sent_ns"] <= received_ns
        assert (sim.clock.device_ns(record["host_ns"]) + added_ns) // MS == device_ms


def test_requests_in_pieces_and_together(sim: SimulatedNeon) -> None:
    with connect(sim) as connection:
        data = struct.pack("!QQ", 7, 8)
        for byte in data:
            connection.sendall(bytes((byte,)))
        received = take(connection, 32)
        assert [received[:8], received[16:24]] == [data[:8], data[8:]]


def test_jitter_delays() -> None:
    with SimulatedNeon(SimulatorSettings(echo_jitter_ms=20)) as sim, connect(sim) as connection:
        begin = time.monotonic()
        for number in range(5):
            exchange(connection, number)
        assert time.monotonic() - begin > 0.03, "ten seeded delays of 0 to 20 ms"


@pytest.mark.parametrize(("out_ms", "back_ms"), [(12, 3), (3, 12)])
def test_both_ways_of_a_path_take_their_own_time(out_ms: int, back_ms: int) -> None:
    path = EchoPathSpec(out_ms=out_ms, back_ms=back_ms)
    with SimulatedNeon(SimulatorSettings(echo_path=path)) as sim, connect(sim) as connection:
        for number in range(5):
            exchange(connection, number)
        sim.truth.wait("echo", 5, LIMIT_S)
        for record in sim.truth.records("echo"):
            assert record["host_ns"] - record["received_ns"] >= out_ms * MS
            assert record["sent_ns"] - record["host_ns"] >= back_ms * MS


def test_a_step_of_the_clock_shows_at_once(sim: SimulatedNeon) -> None:
    with connect(sim) as connection:
        before = exchange(connection, 1)
        sim.step_clock(-60_000_000_000)
        after = exchange(connection, 1)
    assert -60_000 <= after - before <= -55_000
    assert [record["cause"] for record in sim.truth.records("clock")] == ["start", "step"]


def test_the_truth_rebuilds_a_clock_that_everything_happens_to() -> None:
    with SimulatedNeon(SimulatorSettings(drift_ppm=40, echo_path=PATHS["uneven"])) as sim, connect(sim) as connection:
        acts = (
            lambda: sim.slew_clock(3 * MS),
            lambda: sim.set_drift(-40),
            lambda: sim.step_clock(1_700 * MS),
            lambda: sim.slew_clock(-5000, 100),
        )
        for act in acts:
            exchange(connection, 1)
            act()
        exchange(connection, 1)
        sim.truth.wait("echo", 5, LIMIT_S)
        clock = PhoneClock.from_truth(sim.truth.records())
        causes = [record["cause"] for record in sim.truth.records("clock")]
        echoes = sim.truth.records("echo")
    assert causes == ["start", "slew", "slewed", "drift", "slewed", "step", "slew", "slewed"]
    assert [clock.device_ns(each["host_ns"]) // MS for each in echoes] == [each["device_ms"] for each in echoes]
    assert clock.pieces == sim.clock.pieces


def test_before_1970_the_number_is_signed(sim: SimulatedNeon) -> None:
    with connect(sim) as connection:
        sim.step_clock(-(2**61))
        device_ms = exchange(connection, 1)
        assert device_ms - 2**64 == pytest.approx(sim.clock.now_ns() // MS, abs=LIMIT_S * 1000)


def test_a_silent_phone_takes_requests_and_speaks_again(sim: SimulatedNeon) -> None:
    with connect(sim) as connection:
        sim.set_echo("silent")
        connection.sendall(struct.pack("!Q", 1))
        sim.truth.wait("echo", 1, LIMIT_S)
        sim.set_echo("normal")
        exchange(connection, 2)
        sim.truth.wait("echo", 2, LIMIT_S)
    silent, normal = sim.truth.records("echo")
    assert (silent["mode"], silent["number"], silent["sent_ns"]) == ("silent", 1, None)
    assert (normal["mode"], normal["number"]) == ("normal", 2)


@pytest.mark.parametrize(("mode", "sent"), [("foreign", 16), ("short", 12), ("dribble", 16), ("late", 16)])
def test_bad_replies(sim: SimulatedNeon, mode: str, sent: int) -> None:
    with connect(sim) as connection:
        sim.set_echo(mode)
        connection.sendall(struct.pack("!Q", 6))
        data = take(connection, sent)
        sim.truth.wait("echo", 1, LIMIT_S)
        sim.set_echo("normal")
        exchange(connection, 8)  # nothing of the bad reply is left
    record = sim.truth.records("echo")[0]
    (number,) = struct.unpack("!Q", data[:8])
    assert (number == 6) is (mode != "foreign")
    assert data[8:] == struct.pack("!Q", record["device_ms"])[: sent - 8]
    assert mode != "late" or record["sent_ns"] - record["host_ns"] >= LATE_NS


def test_a_dribble_comes_in_many_segments(sim: SimulatedNeon) -> None:
    with connect(sim) as connection:
        sim.set_echo("dribble")
        connection.sendall(struct.pack("!Q", 6))
        pieces = []
        while len(b"".join(pieces)) < 16:
            pieces.append(connection.recv(16))
    assert len(pieces) > 1


def test_a_closed_port_refuses_and_opens_again(sim: SimulatedNeon) -> None:
    port = phone(sim)["time_echo_port"]
    with connect(sim) as connection:
        exchange(connection, 1)
        sim.set_echo("closed")
        assert is_cut(connection)
    for _ in range(2):  # closing twice is fine
        with pytest.raises(ConnectionRefusedError):
            socket.create_connection(("127.0.0.1", port), LIMIT_S)
        sim.set_echo("closed")
    sim.set_echo("normal")
    with connect(sim) as connection:
        exchange(connection, 2)


def test_a_port_that_another_took_meanwhile_is_told(sim: SimulatedNeon) -> None:
    port = phone(sim)["time_echo_port"]
    sim.set_echo("closed")
    with socket.create_server(("127.0.0.1", port)), pytest.raises(LinkError, match=str(port)):
        sim.set_echo("normal")
    sim.set_echo("normal")
    with connect(sim) as connection:
        exchange(connection, 1)


@pytest.mark.parametrize("end", [SimulatedNeon.close, lambda sim: sim.set_echo("closed")], ids=["end", "closed port"])
def test_the_end_cuts_a_reply_on_its_way(sim: SimulatedNeon, end: Callable[[SimulatedNeon], None]) -> None:
    with connect(sim) as connection:
        exchange(connection, 0)
        sim.set_echo("late")
        connection.sendall(struct.pack("!QQ", 1, 2))
        end(sim)
        assert is_cut(connection)
    assert all(record["sent_ns"] is None for record in sim.truth.records("echo")[1:])


def test_an_old_app_has_no_echo() -> None:
    with SimulatedNeon(SimulatorSettings(has_echo=False)) as sim:
        assert "time_echo_port" not in phone(sim)
        with pytest.raises(ConfigurationError, match="no time echo"):
            sim.set_echo("silent")


def test_a_mode_that_there_is_not(sim: SimulatedNeon) -> None:
    with pytest.raises(ConfigurationError, match="dribble"):
        sim.set_echo("shout")
