"""RTP ticks to device ns."""

from psychopy_neon.timing.media_clock import MediaClock

DEVICE_NS = 1_700_000_000_250_000_000


def test_ready_with_the_first_report():
    clock = MediaClock(90_000)
    assert not clock.is_ready
    assert clock.add_report(0, DEVICE_NS)
    assert clock.is_ready


def test_ticks_around_a_report():
    clock = MediaClock(90_000)
    clock.add_report(90_000, DEVICE_NS)

    assert clock.at(135_000)[0] == DEVICE_NS + 500_000_000
    assert clock.at(45_000)[0] == DEVICE_NS - 500_000_000
    assert clock.at(90_001)[0] == DEVICE_NS + 11_111


def test_the_wrap_does_not_show():
    clock = MediaClock(90_000)
    clock.add_report(2**32 - 90_000, DEVICE_NS)

    assert clock.at(90_000)[0] == DEVICE_NS + 2_000_000_000

    assert clock.add_report(0, DEVICE_NS + 1_000_000_000)
    assert clock.at(2**32 - 90_000)[0] == DEVICE_NS


def test_a_step_of_the_phone_is_told():
    clock = MediaClock(1_000_000)
    assert clock.add_report(0, DEVICE_NS)
    assert not clock.add_report(2_000_000, DEVICE_NS + 5_000_000_000)
    assert clock.at(2_000_000)[0] == DEVICE_NS + 5_000_000_000


def test_what_the_reports_disagree_by_is_part_of_the_bound_for_a_while():
    clock = MediaClock(1_000_000)
    clock.add_report(0, DEVICE_NS)
    assert clock.at(0)[1] == 1_000
    clock.add_report(1_000_000, DEVICE_NS + 1_000_020_000)
    assert (clock.spread_ns, clock.at(1_000_000)[1]) == (20_000, 21_000)
    for second in range(2, 30):
        clock.add_report(second * 1_000_000, DEVICE_NS + second * 1_000_000_000 + 20_000)
    assert clock.spread_ns == 0


def test_the_bound_grows_with_the_distance_from_the_report():
    """By what the phone's wall clock may have been slewed since."""
    clock = MediaClock(1_000_000)
    clock.add_report(5_000_000, DEVICE_NS)
    assert clock.at(7_000_000)[1] == clock.at(3_000_000)[1] == 1_000 + 1_000_000
