"""The offset in the course of time."""

import itertools
import random

import pytest
from echoes import MS, Phone, S

from psychopy_neon.timing.offset import ClockOffset, OffsetEstimator
from psychopy_neon.timing.track import ClockSegment, ClockTrack


def tracked(phone, steps=(), seconds=20):
    """A track of a phone that is set at some times: ``(second, step_ns)``."""
    estimator, track = OffsetEstimator(), ClockTrack()
    borders = [0, *(second for second, _ in steps), seconds]
    for number, (begin, end) in enumerate(itertools.pairwise(borders)):
        if number:
            phone.offset_ns += steps[number - 1][1]
        for exchange in phone.echoes(end - begin, from_s=begin):
            offset = estimator.add(exchange)
            if offset is not None and not estimator.is_doubtful:
                track.add(offset, estimator.began_ns)
    return track


def offset(offset_ns, measured_at_ns, bound_ns=MS):
    return ClockOffset(offset_ns, bound_ns, 0.0, 0.0, measured_at_ns, 1, 0)


@pytest.mark.parametrize("drift_ppm", [40, -40, 0, 560, -560])
def test_there_and_back_is_the_identity_within_a_segment(drift_ppm):
    track = tracked(Phone(drift=lambda s: drift_ppm * 1e-6 * s))
    rng = random.Random(drift_ppm)
    for _ in range(500):
        host_ns = rng.randrange(-10 * S, 40 * S)
        # Where the device's clock is the slower one, two host times may share a device time: one of them comes back.
        assert abs(track.host_ns(track.device_ns(host_ns)) - host_ns) <= (drift_ppm < 0)
        device_ns = track.device_ns(0) + rng.randrange(-10 * S, 40 * S)
        assert abs(track.device_ns(track.host_ns(device_ns)) - device_ns) <= (drift_ppm > 0)


@pytest.mark.parametrize("seed", range(4))
def test_every_time_of_the_past_is_within_its_bound(seed):
    phone = Phone(seed, drift=lambda s: 40e-6 * s + 500e-6 * min(max(0, s - 7), 3))
    track = tracked(phone)
    for tenth in range(10, 200):
        host_ns = tenth * S // 10
        known = track.offset_at(host_ns)
        assert abs(known.offset_ns - phone.offset_at(host_ns)) <= known.bound_ns < 3 * MS
        assert track.device_ns(host_ns) == known.device_ns(host_ns)


def test_about_one_entry_a_second_and_the_newest():
    (segment,) = tracked(Phone()).segments
    assert 15 <= len(segment.offsets) <= 22
    assert segment.offsets[-1].measured_at_ns == pytest.approx(20 * S, abs=0.2 * S)


@pytest.mark.parametrize("step_ns", [1_700 * MS, -1_700 * MS])
def test_each_time_belongs_to_its_segment(step_ns):
    phone = Phone()
    before_ns = phone.offset_ns
    track = tracked(phone, [(10, step_ns)])
    _first, second = track.segments
    assert second.step_ns == pytest.approx(step_ns, abs=2 * MS)
    assert 9.9 * S < second.began_after_ns < 10 * S < second.began_before_ns < 10.1 * S
    for host_ns, offset_ns in ((9 * S, before_ns), (11 * S, before_ns + step_ns)):
        assert track.device_ns(host_ns) - host_ns == pytest.approx(offset_ns, abs=MS)
        assert track.host_ns(host_ns + offset_ns) == pytest.approx(host_ns, abs=MS) or step_ns < 0
        assert track.host_ns(host_ns + offset_ns, near_host_ns=host_ns) == pytest.approx(host_ns, abs=MS)
    in_between = track.offset_at((second.began_after_ns + second.began_before_ns) // 2)
    assert in_between.bound_ns >= abs(step_ns)


def test_of_two_host_times_the_newest_is_meant_unless_a_hint_is_nearer_to_the_other():
    phone = Phone()
    track = tracked(phone, [(10, -4 * S)])
    device_ns = phone.offset_ns + 12 * S  # by the present setting at 12 s, and at 8 s by that before
    assert track.host_ns(device_ns) == pytest.approx(12 * S, abs=MS)
    assert track.host_ns(device_ns, near_host_ns=9 * S) == pytest.approx(8 * S, abs=MS)


def test_a_time_from_before_a_forward_step_has_happened_once():
    phone = Phone()
    device_ns = phone.offset_ns + 9 * S
    track = tracked(phone, [(10, 1_700 * MS)])
    assert track.host_ns(device_ns) == pytest.approx(9 * S, abs=MS)


@pytest.mark.parametrize("step_ns", [1_700 * MS, -1_700 * MS, 60 * MS, -60 * MS])
@pytest.mark.parametrize("delay_ns", [0, 3 * MS, 40 * MS, 300 * MS])
def test_a_report_belongs_to_the_segment_in_which_it_was_made(step_ns, delay_ns):
    """Also if it was under way when the clock was set."""
    phone = Phone()
    before_ns = phone.offset_ns
    track = tracked(phone, [(10, step_ns)])
    just_before_ns, just_after_ns = 10 * S - MS, 10 * S + MS
    if not 0 < -step_ns < delay_ns:  # else it may as well have been made after the step
        assert track.segment_of(just_before_ns + before_ns, just_before_ns + delay_ns).segment == 0
    assert track.segment_of(just_after_ns + phone.offset_ns, just_after_ns + delay_ns).segment == 1


def test_what_was_known_too_badly_is_not_kept():
    """Else the device's clock would run backwards between the two."""
    segment = ClockSegment(0, 0, 1)
    segment.add(offset(0, 0, 500 * MS))
    segment.add(offset(0, 2 * S, 500 * MS))
    segment.add(offset(-400 * MS, 2 * S + 100 * MS))
    assert [each.offset_ns for each in segment.offsets] == [-400 * MS]
