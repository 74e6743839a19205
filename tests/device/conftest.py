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
