"""Lets the tests of this folder import ``fakes`` whatever directory pytest was started in."""

import sys
import threading
from pathlib import Path

import pytest

sys.path.insert(0, str(Path(__file__).parent))


@pytest.fixture
def stop():
    from psychopy_neon.device.worker import StopSignal

    signal = StopSignal()
    yield signal
    signal.set()
    signal.close()


@pytest.fixture
def crew():
    from psychopy_neon.device.worker import Crew

    crew = Crew()
    yield crew
    assert crew.close() == ()


@pytest.fixture(autouse=True)
def no_thread_is_left():
    """Whatever a test starts is gone when it is over."""
    before = set(threading.enumerate())
    yield
    for thread in set(threading.enumerate()) - before:
        if thread.name.startswith(("psychopy-neon", "fake")):
            thread.join(20)
            assert not thread.is_alive(), thread.name


EVERY_PYTHON = ("test_neon.py", "test_outbox.py", "test_rest.py", "test_template.py")


def pytest_collection_modifyitems(items):
    """What takes its time in sockets is the same for every Python, but for the whole client and its outbox."""
    here = Path(__file__).parent
    for item in items:
        if here in item.path.parents and item.path.name not in EVERY_PYTHON:
            item.add_marker(pytest.mark.once)
