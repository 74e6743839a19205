import threading
import time
from collections.abc import Callable

import numpy as np
import pytest

from psychopy_neon.simulator import SimulatorSettings
from psychopy_neon.simulator.media import Audience, Pacer, Receivers
from psychopy_neon.simulator.phone_clock import PhoneClock
from psychopy_neon.simulator.sender import RtpSender
from psychopy_neon.simulator.truth import TruthLog

from .test_sender import Recorder

CLOCK = PhoneClock()


def a_sender() -> RtpSender:
    return RtpSender("gaze", 99, 1, Recorder(), CLOCK, TruthLog(), SimulatorSettings())


def paced(
    receivers: Receivers, produce: Callable[[int, Audience], None], failed: Callable[[Exception], None] | None = None
) -> Pacer:
    def unexpected(error: Exception) -> None:
        raise error

    return Pacer("test", 200.0, CLOCK, receivers, produce, failed or unexpected, 1.0)


def test_calls_come_on_the_grid_and_only_for_somebody() -> None:
    receivers, sender = Receivers(), a_sender()
    times: list[int] = []
    enough = threading.Event()

    def produce(uptime_ns: int, audience: Audience) -> None:
        assert audience.senders == (sender,)
        times.append(uptime_ns)
        if len(times) == 40:
            enough.set()

    pacer = paced(receivers, produce)
    assert not times
    receivers.add(sender)
    assert enough.wait(20)
    receivers.discard(sender)
    pacer.close()
    assert (np.diff(times) == 5_000_000).all()
    assert all(each % 5_000_000 == 0 for each in times)


def test_muted_means_nobody() -> None:
    receivers, sender = Receivers(), a_sender()
    receivers.add(sender)
    before = receivers.audience()
    receivers.mute(True)
    assert receivers.audience().senders == ()
    assert receivers.is_active
    receivers.mute(False)
    after = receivers.audience()
    assert after.senders == (sender,)
    assert after.arrivals > before.arrivals, "a video needs a key frame after a silence"


def test_closing_ends_the_waiting() -> None:
    receivers = Receivers()
    pacer = paced(receivers, lambda _time, _audience: None)
    begin = time.monotonic()
    pacer.close()
    assert time.monotonic() - begin < 2
    assert receivers.wait() is False


def test_an_error_is_told() -> None:
    receivers = Receivers()
    told: list[Exception] = []
    is_told = threading.Event()

    def fail(error: Exception) -> None:
        told.append(error)
        is_told.set()

    def produce(_time: int, _audience: Audience) -> None:
        raise RuntimeError("broken")

    pacer = paced(receivers, produce, fail)
    receivers.add(a_sender())
    assert is_told.wait(20)
    pacer.close()
    assert str(told[0]) == "broken"


def test_what_is_too_late_is_left_out() -> None:
    receivers = Receivers()
    times: list[int] = []
    enough = threading.Event()

    def produce(uptime_ns: int, _audience: Audience) -> None:
        times.append(uptime_ns)
        if len(times) == 3:
            time.sleep(0.1)
        if len(times) == 6:
            enough.set()

    pacer = Pacer("test", 200.0, CLOCK, receivers, produce, pytest.fail, 0.01)
    receivers.add(a_sender())
    assert enough.wait(20)
    pacer.close()
    gaps = np.diff(times)
    assert 80_000_000 <= gaps.max() <= 2_000_000_000
    assert all(gap % 5_000_000 == 0 for gap in gaps)
