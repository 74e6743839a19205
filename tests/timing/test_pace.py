"""When to ask again."""

import itertools

from echoes import Phone, S

from psychopy_neon.timing.offset import OffsetEstimator
from psychopy_neon.timing.pace import BUSY_S, CALM_S, QUICK_S, pause_s


def asked(phone, seconds):
    """Host times of the echoes that the pace asks for."""
    estimator, sent, now_ns = OffsetEstimator(), [], 0
    while now_ns < seconds * S:
        exchange = phone.echo(now_ns)
        sent.append(now_ns)
        pause_ns = round(pause_s(estimator.add(exchange), estimator.is_doubtful) * S)
        now_ns = max(exchange.received_ns, now_ns + pause_ns)
    return estimator, sent


def test_an_offset_is_there_after_a_moment():
    estimator, sent = asked(Phone(), 0.3)
    assert estimator.current.bound_ns < 3_000_000
    assert len(sent) >= 16


def test_cheap_on_a_good_way_and_more_often_on_a_bad_one():
    good, bad = (asked(Phone(out_ms=ms, back_ms=ms), 60)[1] for ms in (0.2, 4.0))
    assert 6 * 60 < len(good) < 14 * 60
    assert 30 * 60 < len(bad) < 51 * 60
    for sent in (good, bad):
        assert max(b - a for a, b in itertools.pairwise(sent)) < 0.16 * S


def test_a_contradiction_is_looked_into_at_once():
    estimator, _ = asked(Phone(), 5)
    assert pause_s(estimator.current) in (CALM_S, BUSY_S)
    assert pause_s(estimator.current, is_doubtful=True) == QUICK_S == pause_s(None)
