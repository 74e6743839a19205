"""``psychopy-neon events``: what it lists, what it sends again, and when it refuses to."""

import json
import time

import pytest
from click.testing import CliRunner

from psychopy_neon.cli import main
from psychopy_neon.device.journal import append_records, journal_folder
from psychopy_neon.device.journal_reader import read_journal
from psychopy_neon.device.neon import Neon
from psychopy_neon.simulator import SimulatedNeon, SimulatorSettings

DEVICE_NS = 1_700_000_000_123_456_789


def run(*arguments):
    return CliRunner().invoke(main, ["events", *map(str, arguments)])


def run_record(**changes):
    now = {"host_ns": time.perf_counter_ns(), "wall_ns": time.time_ns()}
    return {"kind": "run", "format": 1, "run": "r", "address": "a", "serial": "123456", **now, **changes}


def event(number, name, host_ns=5, recording_id="rec"):
    return {"kind": "event", "id": f"r-{number}", "name": name, "host_ns": host_ns, "recording_id": recording_id}


def attempt(number, device_ns=DEVICE_NS):
    return {"kind": "attempt", "id": f"r-{number}", "device_ns": device_ns, "bound_ns": 1000}


def confirmed(number):
    return {"kind": "outcome", "id": f"r-{number}", "state": "confirmed", "device_ns": DEVICE_NS, "recording_id": "rec"}


@pytest.fixture
def path(tmp_path):
    return tmp_path / "run.jsonl"


@pytest.fixture
def sim():
    with SimulatedNeon(SimulatorSettings(offset_ns=500_000_000)) as sim:
        yield sim


@pytest.fixture
def recording_id(sim):
    with Neon(sim.address, journal=False) as neon:
        return neon.start_recording()


# Lists


def test_all_confirmed(path):
    append_records(path, [run_record(), event(1, "[cue]"), attempt(1), confirmed(1)])
    result = run(path)
    assert result.exit_code == 0
    assert "[cue]" in result.output
    assert "confirmed" in result.output


def test_states_for_scripts(path):
    head = run_record(host_ns=100, wall_ns=1_700_000_000_000_000_000)
    refused = {"kind": "outcome", "id": "r-4", "state": "refused", "reason": "No"}
    rows = [event(1, "a", 150), event(2, "b", 250), event(3, "c", None), event(4, "d")]
    append_records(path, [head, *rows, attempt(1), confirmed(1), attempt(2), attempt(4), refused])
    result = run(path, "--json")
    assert result.exit_code == 1
    listed = json.loads(result.output)
    assert [each["state"] for each in listed["events"]] == ["confirmed", "unsure", "waiting", "refused"]
    assert listed["events"][1] == {
        "id": "r-2",
        "name": "b",
        "state": "unsure",
        "host_ns": 250,
        "wall_ns": 1_700_000_000_000_000_150,
        "device_ns": DEVICE_NS,
        "bound_ns": 1000,
        "recording_id": "rec",
        "reason": None,
    }
    assert listed["events"][2]["wall_ns"] is None
    assert listed["events"][3]["reason"] == "No"


def test_damaged_lines_are_said(path):
    append_records(path, [run_record(), event(1, "a"), attempt(1), confirmed(1)])
    with path.open("ab") as file:
        file.write(b'{"kind": "outc')
    result = run(path)
    assert result.exit_code == 1
    assert "1 line(s) of the journal cannot be read" in result.stderr


def test_missing_file_and_missing_path(path):
    missing = run(path)
    assert missing.exit_code == 1
    assert "Traceback" not in missing.output
    assert run("--redeliver", "127.0.0.1:1").exit_code == 2


def test_journals_that_were_left():
    assert run().exit_code == 0
    assert "No journals are left" in run().output
    left = journal_folder() / "20260101-120000-r.jsonl"
    left.parent.mkdir(parents=True)
    append_records(left, [run_record(), event(1, "a"), event(2, "b"), attempt(1), confirmed(1)])
    result = run("--json")
    assert result.exit_code == 1
    (row,) = json.loads(result.output)
    assert (row["journal"], row["events"], row["undelivered"]) == (str(left), 2, 1)
    assert f"{left}: 2 event(s), 1 not delivered" in run().output


# Sends again


def test_frozen_time_is_sent_again_and_another_one_computed(path, sim, recording_id):
    host_ns = time.perf_counter_ns() - 250_000_000
    rows = [event(1, "unsure", host_ns, recording_id), event(2, "wäiting", host_ns, recording_id)]
    append_records(path, [run_record(), *rows, attempt(1)])
    result = run(path, "--redeliver", sim.address, "--json")
    assert result.exit_code == 0, result.output
    first, second = sim.truth.records("event")
    assert (first["name"], first["device_ns"]) == ("unsure", DEVICE_NS)
    assert second["name"] == "wäiting"
    (_, listed) = json.loads(result.output)["events"]
    assert listed["device_ns"] == second["device_ns"]
    assert abs(second["device_ns"] - sim.clock.device_ns(host_ns)) <= listed["bound_ns"]
    assert read_journal(path).is_all_confirmed
    assert not list(journal_folder().glob("*")), "no journal of a journal"


@pytest.mark.parametrize(
    ("rows", "reason"),
    [
        ([event(1, "a", recording_id="another"), attempt(1)], "recording another has ended"),
        ([event(1, "a", recording_id=None), attempt(1)], "no recording was known to run"),
        ([event(1, "a", None, "RUNNING"), attempt(1, None) | {"bound_ns": None}], "stamp its arrival"),
    ],
    ids=["ended", "unknown", "arrival"],
)
def test_what_is_not_sent_again(path, sim, recording_id, rows, reason):
    running = [{**row, "recording_id": recording_id} if row.get("recording_id") == "RUNNING" else row for row in rows]
    append_records(path, [run_record(), *running])
    result = run(path, "--redeliver", sim.address, "--json")
    assert result.exit_code == 1
    assert reason in json.loads(result.output)["events"][0]["reason"]
    assert sim.truth.count("event") == 0


@pytest.mark.parametrize(
    "changes",
    [
        {"wall_ns": time.time_ns() - 3600 * 10**9},
        {"host_ns": time.perf_counter_ns() + 10**15, "wall_ns": time.time_ns() + 10**15},
    ],
    ids=["started anew", "later than now"],
)
def test_time_of_another_boot_is_not_computed(path, sim, recording_id, changes):
    append_records(
        path, [run_record(**changes), event(1, "a", 5, recording_id), event(2, "b", 5, recording_id), attempt(2)]
    )
    result = run(path, "--redeliver", sim.address, "--json")
    assert result.exit_code == 1
    first, second = json.loads(result.output)["events"]
    assert "started anew" in first["reason"]
    assert second["state"] == "confirmed", "its time was frozen"
    assert [each["name"] for each in sim.truth.records("event")] == ["b"]


def test_other_device(path, sim, recording_id):
    append_records(path, [run_record(serial="654321"), event(1, "a", 5, recording_id), attempt(1)])
    result = run(path, "--redeliver", sim.address)
    assert result.exit_code == 1
    assert "serial 654321" in result.stderr
    assert sim.truth.count("event") == 0


def test_nothing_to_send_asks_nobody(path):
    append_records(path, [run_record(), event(1, "a"), attempt(1), confirmed(1)])
    assert run(path, "--redeliver", "127.0.0.1:1").exit_code == 0
