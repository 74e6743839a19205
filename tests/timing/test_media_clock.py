"""RTP ticks to device ns."""

from psychopy_neon.timing.media_clock import MediaClock

DEVICE_NS = 1_700_000_000_250_000_000


def test_no_time_before_the_first_report():
    clock = MediaClock(90_000)

    assert clock.device_ns(0) is None
    assert not clock.is_ready


def test_ticks_around_a_report():
    clock = MediaClock(90_000)
    clock.add_report(90_000, DEVICE_NS)

    assert clock.device_ns(135_000) == DEVICE_NS + 500_000_000
    assert clock.device_ns(45_000) == DEVICE_NS - 500_000_000
    assert clock.device_ns(90_001) == DEVICE_NS + 11_111


def test_the_wrap_does_not_show():
    clock = MediaClock(90_000)
    clock.add_report(2**32 - 90_000, DEVICE_NS)

    assert clock.device_ns(90_000) == DEVICE_NS + 2_000_000_000

    clock.add_report(0, DEVICE_NS + 1_000_000_000)
    assert clock.device_ns(2**32 - 90_000) == DEVICE_NS
    assert clock.steps == 0


def test_a_step_of_the_phone_is_counted_and_drift_widens_the_bound():
    clock = MediaClock(1_000_000)
    clock.add_report(0, DEVICE_NS)
    clock.add_report(1_000_000, DEVICE_NS + 1_000_020_000)
    assert (clock.steps, clock.bound_ns) == (0, 21_000)

    clock.add_report(2_000_000, DEVICE_NS + 5_000_000_000)
    assert (clock.steps, clock.bound_ns) == (1, 1_000)
    assert clock.device_ns(2_000_000) == DEVICE_NS + 5_000_000_000
