"""The journal: what is on disk and when, and that trouble with the disk is nobody else's."""

import itertools
import json
import os
import sys
import threading
import time
from pathlib import Path

import pytest
from fakes import FakeHttp, answer_json, free_port, wait_until
from outboxes import BOUND_NS, LIMIT_S, OFFSET_NS, hurry, start_outbox

from psychopy_neon.device import journal as journal_module
from psychopy_neon.device.journal import Journal, append_records, journal_folder
from psychopy_neon.device.journal_reader import read_journal
from psychopy_neon.device.pending import EventState
from psychopy_neon.errors import ConfigurationError, NeonError
from psychopy_neon.timing.host_clock import HostClock

DEVICE = {"address": "phone:8080", "serial": "123456", "name": "Fake"}


class Clock(HostClock):
    """Stands still unless told otherwise."""

    at_ns = 0

    def now_ns(self):
        return self.at_ns


@pytest.fixture
def http():
    with FakeHttp() as fake:
        fake.routes["/api/event"] = lambda body: answer_json(
            {"timestamp": json.loads(body)["timestamp"], "recording_id": "r0"}
        )
        fake.routes["/api/recording:start"] = answer_json({"id": "r9"})
        yield fake


@pytest.fixture
def make_outbox(crew, monkeypatch):
    hurry(monkeypatch)
    return lambda port, journal, **fields: start_outbox(crew, port, journal=journal, **fields)


def lines(path):
    return [json.loads(line) for line in path.read_text("utf-8").splitlines() if line]


def test_lines_of_an_event_and_a_command(crew, make_outbox, http, tmp_path):
    path = tmp_path / "new folder" / "run.jsonl"
    outbox = make_outbox(http.port, Journal(path, DEVICE, HostClock()))
    assert not path.exists(), "nothing to write yet"
    assert outbox.send_event("gö", 5).wait(LIMIT_S)
    assert outbox.command("start").result(LIMIT_S) == "r9"
    crew.close()
    run, *rest = lines(path)
    first, second = f"{run['run']}-1", f"{run['run']}-2"
    assert (run["kind"], run["format"], run["address"], run["serial"]) == ("run", 1, "phone:8080", "123456")
    assert rest == [
        {"kind": "event", "id": first, "name": "gö", "host_ns": 5, "recording_id": "r0"},
        {"kind": "attempt", "id": first, "device_ns": 5 + OFFSET_NS, "bound_ns": BOUND_NS},
        {
            "kind": "outcome",
            "id": first,
            "state": "confirmed",
            "device_ns": 5 + OFFSET_NS,
            "recording_id": "r0",
            "by": "answer",
        },
        {"kind": "command", "id": second, "action": "start"},
        {"kind": "outcome", "id": second, "state": "confirmed", "recording_id": "r9", "by": "answer"},
    ]
    assert "gö".encode() in path.read_bytes()


def test_event_is_on_disk_before_it_is_sent_and_settled_after_its_outcome(make_outbox, http, tmp_path, monkeypatch):
    path, seen, synced = tmp_path / "run.jsonl", [], []
    fsync = os.fsync
    monkeypatch.setattr(os, "fsync", lambda number: synced.append(lines(path)[-1]["kind"]) or fsync(number))

    def look(body):
        seen.append([record["kind"] for record in lines(path)])
        return answer_json({"timestamp": 1})

    http.routes["/api/event"] = look
    outbox = make_outbox(http.port, Journal(path, DEVICE, HostClock()))
    outbox.send_event("go", 0).wait(LIMIT_S)
    assert seen == [["run", "event", "attempt"]]
    assert lines(path)[-1]["kind"] == "outcome"
    assert synced == ["event"]


def test_repeats_are_one_attempt_in_the_journal(crew, make_outbox, http, tmp_path):
    answers = [answer_json(None, 503)] * 3
    http.routes["/api/event"] = lambda _body: answers.pop() if answers else answer_json({"timestamp": 1})
    outbox = make_outbox(http.port, Journal(tmp_path / "run.jsonl", DEVICE, HostClock()))
    outbox.send_event("go", 0).wait(LIMIT_S)
    crew.close()
    assert [each["kind"] for each in lines(tmp_path / "run.jsonl")] == ["run", "event", "attempt", "outcome"]


def test_own_journal_goes_when_all_is_confirmed(crew, make_outbox, http, state_folder):
    outbox = make_outbox(http.port, Journal(None, DEVICE, HostClock()))
    assert outbox.health.journal is None
    outbox.send_event("go", 0).wait(LIMIT_S)
    (path,) = journal_folder().glob("*.jsonl")
    assert outbox.health.journal == str(path)
    assert state_folder in path.parents
    crew.close()
    assert not path.exists()


def test_own_journal_stays_when_something_is_missing(crew, make_outbox, caplog):
    outbox = make_outbox(free_port(), Journal(None, DEVICE, HostClock()), limit_s=0.3)
    outbox.send_event("go", 5)
    (path,) = wait_until(lambda: list(journal_folder().glob("*.jsonl")))
    # Closing may be quicker than the first attempt.
    wait_until(lambda: [event.state for event in read_journal(path).undelivered] == [EventState.UNSURE])
    crew.close()
    (event,) = read_journal(path).undelivered
    assert (event.name, event.host_ns, event.state) == ("go", 5, EventState.UNSURE)
    assert f'psychopy-neon events "{path}" --redeliver phone:' in caplog.text


def test_own_journal_stays_when_the_device_refused(crew, make_outbox, http):
    http.routes["/api/event"] = answer_json(None, 400, "No")
    outbox = make_outbox(http.port, Journal(None, DEVICE, HostClock()))
    with pytest.raises(NeonError):
        outbox.send_event("go", 5).wait(LIMIT_S)
    crew.close()
    (path,) = journal_folder().glob("*.jsonl")
    (event,) = read_journal(path).events.values()
    assert (event.state, event.reason) == (EventState.REFUSED, "No")


def test_given_journal_is_appended_to(crew, make_outbox, http, tmp_path):
    path = tmp_path / "run.jsonl"
    path.write_bytes(b'{"kind":"event","id":"old-1","name":"old","host_ns":1}\n{"kind":"outco')
    outbox = make_outbox(http.port, Journal(path, DEVICE, HostClock()))
    outbox.send_event("new", 0).wait(LIMIT_S)
    crew.close()
    content = read_journal(path)
    assert [(each.name, each.state.value) for each in content.events.values()] == [
        ("old", "waiting"),
        ("new", "confirmed"),
    ]
    assert content.damaged_count == 1, "the torn line stands alone"


# Trouble


def assert_run_goes_on(outbox, caplog):
    pending = [outbox.send_event(f"e{number}", number) for number in range(20)]
    assert all(each.wait(LIMIT_S) for each in pending)
    assert caplog.text.count("cannot be written") == 1, "said once"
    assert outbox.health.journal_trouble
    assert outbox.health.journal_unwritten > 20


def test_folder_that_cannot_be_written(make_outbox, http, tmp_path, caplog):
    blocker = tmp_path / "file"
    blocker.write_text("no folder")
    outbox = make_outbox(http.port, Journal(blocker / "run.jsonl", DEVICE, Clock()))
    assert_run_goes_on(outbox, caplog)


@pytest.mark.skipif(not Path("/dev/full").exists(), reason="this system has no /dev/full")
def test_full_disk(make_outbox, http, caplog):
    outbox = make_outbox(http.port, Journal(Path("/dev/full"), DEVICE, Clock()))
    assert_run_goes_on(outbox, caplog)
    assert "No space left" in outbox.health.journal_trouble


@pytest.mark.skipif(sys.platform == "win32" or os.geteuid() == 0, reason="no such rights, or none that bind root")
def test_read_only_folder(make_outbox, http, tmp_path, caplog):
    tmp_path.chmod(0o500)
    assert_run_goes_on(make_outbox(http.port, Journal(tmp_path / "run.jsonl", DEVICE, Clock())), caplog)


def test_file_that_can_be_written_again_has_everything(crew, make_outbox, http, tmp_path, caplog):
    folder, clock = tmp_path / "gone", Clock()
    folder.write_text("in the way")
    outbox = make_outbox(http.port, Journal(folder / "run.jsonl", DEVICE, clock))
    assert_run_goes_on(outbox, caplog)
    folder.unlink()
    late = ["too early for another try", "last"]
    outbox.send_event(late[0], 0).wait(LIMIT_S)
    assert not folder.exists()
    clock.at_ns += journal_module.RETRY_NS
    outbox.send_event(late[1], 0).wait(LIMIT_S)
    health = outbox.health
    assert (health.journal_trouble, health.journal_unwritten) == (None, 0)
    crew.close()
    content = read_journal(folder / "run.jsonl")
    assert [each.name for each in content.events.values()] == [*(f"e{n}" for n in range(20)), *late]
    assert content.is_all_confirmed


def test_disk_that_fills_up_within_a_line(tmp_path):
    """What was torn comes again whole; the piece is a line of its own that counts as damaged."""

    class Nearly:
        def __init__(self, file, room):
            self.file, self.room = file, room

        def write(self, data):
            return self.file.write(data[: self.room])

    path = tmp_path / "run.jsonl"
    records = [{"kind": "event", "id": f"r-{n}", "name": f"e{n}", "host_ns": n} for n in range(4)]
    whole = b"".join(map(journal_module._line, records))
    for room in range(len(whole) + 1):
        path.unlink(missing_ok=True)
        left = journal_module.deque(map(journal_module._line, records))
        with path.open("ab", buffering=0) as file:
            if room < len(whole):
                with pytest.raises(OSError, match="space"):
                    journal_module._append(Nearly(file, room), left)
            journal_module._append(file, left)
        content = read_journal(path)
        assert [event.name for event in content.events.values()] == ["e0", "e1", "e2", "e3"]
        assert content.damaged_count <= 1


def test_too_many_lines_for_a_file_that_cannot_be_written(make_outbox, http, tmp_path, monkeypatch):
    monkeypatch.setattr(journal_module, "MAX_UNWRITTEN", 10)
    blocker = tmp_path / "file"
    blocker.write_text("no folder")
    journal = Journal(blocker / "run.jsonl", DEVICE, Clock())
    outbox = make_outbox(http.port, journal)
    for number in range(20):
        outbox.send_event(f"e{number}", 0).wait(LIMIT_S)
    wait_until(lambda: journal.lost_count == 50)
    assert outbox.health.journal_unwritten == 60, "three lines an event"


def test_journal_worker_that_died_holds_nobody_up(crew, make_outbox, http, tmp_path, monkeypatch):
    journal = Journal(tmp_path / "run.jsonl", DEVICE, HostClock())
    monkeypatch.setattr(journal, "_open", lambda: 1 / 0)
    outbox = make_outbox(http.port, journal)
    pending = [outbox.send_event(f"e{number}", number) for number in range(5)]
    assert [each.wait(LIMIT_S).host_ns for each in pending] == [0, 1, 2, 3, 4]
    with pytest.raises(NeonError, match="journal worker failed: ZeroDivisionError"):
        wait_until(lambda: crew.check() or False)


def test_burst_is_written_in_few_pieces(make_outbox, http, tmp_path, monkeypatch):
    syncs = itertools.count()
    fsync, is_free = os.fsync, threading.Event()

    def slow(number):
        next(syncs)
        is_free.wait(LIMIT_S)
        fsync(number)

    monkeypatch.setattr(os, "fsync", slow)
    outbox = make_outbox(http.port, Journal(tmp_path / "run.jsonl", DEVICE, HostClock()))
    first = outbox.send_event("first", 0)
    wait_until(lambda: (tmp_path / "run.jsonl").exists())
    pending = [outbox.send_event(f"e{number}", number) for number in range(500)]
    assert not first.is_done
    is_free.set()
    assert pending[-1].wait(60)
    assert next(syncs) < 10


# Reading


def test_journal_that_is_cut_anywhere(tmp_path):
    path = tmp_path / "run.jsonl"
    event = {"kind": "event", "id": "r-1", "name": "ä", "host_ns": 5, "recording_id": None}
    attempt = {"kind": "attempt", "id": "r-1", "device_ns": 7, "bound_ns": 1}
    outcome = {"kind": "outcome", "id": "r-1", "state": "confirmed", "device_ns": 7, "recording_id": "x"}
    whole = b"".join(map(journal_module._line, (event, attempt, outcome)))
    states = set()
    for length in range(len(whole) + 1):
        path.write_bytes(whole[:length])
        content = read_journal(path)
        states.add((*[each.state.value for each in content.events.values()], content.damaged_count))
    assert states == {(0,), (1,), *((s, d) for s in ("waiting", "unsure") for d in (0, 1)), ("confirmed", 0)}


@pytest.mark.parametrize(
    "line",
    [
        b"garbage",
        b"\xff\xfe",
        b"[]",
        b"null",
        b"7",
        b"{}",
        b"[" * 5000,
        b'{"kind": []}',
        b'{"kind": "event", "id": 5, "name": "a", "host_ns": 1}',
        b'{"kind": "event", "id": "a", "name": "a", "host_ns": 1.5}',
        b'{"kind": "attempt", "id": "nobody", "device_ns": 1, "bound_ns": 1}',
        b'{"kind": "outcome", "id": "r-1", "state": "splendid"}',
        b'{"kind": "run", "run": "r", "host_ns": "x", "wall_ns": 1, "address": "a"}',
        pytest.param(b"x" * (1 << 20), id="long"),
    ],
)
def test_damaged_line_is_counted_and_the_rest_is_read(tmp_path, line):
    path = tmp_path / "run.jsonl"
    events = [journal_module._line({"kind": "event", "id": f"r-{n}", "name": "e", "host_ns": n}) for n in (0, 1)]
    later = journal_module._line({"kind": "thing of a later version", "id": 1})
    path.write_bytes(b"".join((*events, line, b"\n", later)))
    content = read_journal(path)
    assert (len(content.events), content.damaged_count) == (2, 1)
    assert not content.is_all_confirmed


def test_missing_file(tmp_path):
    with pytest.raises(ConfigurationError, match="can be read"):
        read_journal(tmp_path / "missing.jsonl")


def test_own_time_by_the_wall_clock(tmp_path):
    path = tmp_path / "run.jsonl"
    append_records(
        path,
        [
            {"kind": "run", "run": "r", "host_ns": 100, "wall_ns": 1_000_000, "address": "a", "serial": None},
            {"kind": "event", "id": "r-1", "name": "a", "host_ns": 150},
            {"kind": "event", "id": "r-2", "name": "b", "host_ns": None},
            {"kind": "event", "id": "other-1", "name": "c", "host_ns": 5},
        ],
    )
    content = read_journal(path)
    assert [content.wall_ns(event) for event in content.events.values()] == [1_000_050, None, None]


@pytest.mark.parametrize(
    ("platform", "folder"),
    [("linux", ".local/state"), ("darwin", "Library/Application Support"), ("win32", "AppData/Local")],
)
def test_folder_by_the_habits_of_the_system(monkeypatch, tmp_path, platform, folder):
    monkeypatch.delenv("XDG_STATE_HOME")
    monkeypatch.delenv("LOCALAPPDATA", raising=False)
    monkeypatch.setattr(Path, "home", lambda: tmp_path)
    monkeypatch.setattr(sys, "platform", platform)
    assert journal_folder() == tmp_path / folder / "psychopy-neon" / "journals"
    monkeypatch.setenv("XDG_STATE_HOME", "relative/paths/do/not/count")
    assert journal_folder() == tmp_path / folder / "psychopy-neon" / "journals"


def test_stop_without_an_outbox_ends_in_time(monkeypatch, crew, tmp_path):
    monkeypatch.setattr(journal_module, "AFTER_STOP_S", 0.1)
    crew.start("journal", Journal(tmp_path / "run.jsonl", DEVICE, HostClock()).run)
    begin = time.monotonic()
    assert crew.close() == ()
    assert time.monotonic() - begin < LIMIT_S
