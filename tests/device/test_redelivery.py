"""Sending again to a phone that does not simply take it; the rest is in ``tests/cli/test_events.py``."""

import pytest
from fakes import FakeHttp, answer_json, component, phone_components
from outboxes import hurry

from psychopy_neon.device import redelivery
from psychopy_neon.device.journal import append_records
from psychopy_neon.device.journal_reader import read_journal
from psychopy_neon.device.neon import Neon
from psychopy_neon.device.pending import EventState
from psychopy_neon.errors import ConfigurationError, NeonTimeoutError


@pytest.fixture
def phone(monkeypatch):
    hurry(monkeypatch)
    running = component("Recording", id="r1", action="START")
    with FakeHttp([*phone_components(serial="123456"), running]) as fake:
        yield fake


@pytest.fixture
def path(tmp_path):
    run = {"kind": "run", "run": "r", "host_ns": 0, "wall_ns": 0, "address": "a", "serial": "123456"}
    rows = [{"kind": "event", "id": f"r-{n}", "name": f"e{n}", "host_ns": n, "recording_id": "r1"} for n in (1, 2)]
    attempts = [{"kind": "attempt", "id": f"r-{n}", "device_ns": 100 + n, "bound_ns": 1} for n in (1, 2)]
    append_records(tmp_path / "run.jsonl", [run, *rows, *attempts])
    return tmp_path / "run.jsonl"


def redeliver(path, phone):
    with Neon(phone.address, journal=False, timeout_s=1.0) as neon:
        return redelivery.redeliver(path, read_journal(path), neon)


def states(path):
    return [event.state for event in read_journal(path).events.values()]


def test_refusal_is_written_down(path, phone):
    phone.routes["/api/event"] = answer_json(None, 500, "Not this one")
    reasons = redeliver(path, phone)
    assert "Not this one" in reasons["r-1"]
    assert states(path) == [EventState.REFUSED, EventState.REFUSED]


def test_answer_that_says_nothing_leaves_it_unsure(path, phone):
    phone.routes["/api/event"] = answer_json(None)
    assert "no timestamp" in redeliver(path, phone)["r-1"]
    assert states(path) == [EventState.UNSURE, EventState.UNSURE]


def test_device_that_falls_silent(path, phone, monkeypatch, caplog):
    monkeypatch.setattr(redelivery, "WAIT_S", 0.3)
    answers = [answer_json({"timestamp": 101, "recording_id": "r1"})]
    phone.routes["/api/event"] = lambda _body: answers.pop() if answers else answer_json(None, 503)
    with pytest.raises(NeonTimeoutError):
        redeliver(path, phone)
    assert states(path) == [EventState.CONFIRMED, EventState.UNSURE], "what was answered stands"
    assert "are lost" not in caplog.text, "the journal has it still"


def test_journal_that_cannot_be_written(path, phone, monkeypatch):
    phone.routes["/api/event"] = answer_json({"timestamp": 101, "recording_id": "r1"})

    def full(*_args):
        raise OSError(28, "No space left on device")

    monkeypatch.setattr(redelivery, "append_records", full)
    with pytest.raises(ConfigurationError, match="No space left"):
        redeliver(path, phone)
