"""All seeded, so the numbers are the same in every run; tolerances are four standard errors."""

from typing import Any

import numpy as np
import pytest

from psychopy_neon.errors import ConfigurationError
from psychopy_neon.simulator.echo_paths import PATHS, EchoPath, EchoPathSpec

MS = 1_000_000
S = 1_000_000_000
COUNT = 20_000


def delays_ms(spec: EchoPathSpec, seed: int = 1, interval_ns: int = 20 * MS) -> tuple[np.ndarray, np.ndarray]:
    """Delays out and back, ms, of exchanges at even distances."""
    path = EchoPath(spec, seed)
    sent_ns = [number * interval_ns for number in range(COUNT)]
    both = np.array([(out := path.out_ns(at), path.back_ns(at + out)) for at in sent_ns]) / MS
    return both[:, 0], both[:, 1]


def test_a_direct_path_takes_no_time() -> None:
    path = EchoPath(EchoPathSpec())
    assert {path.out_ns(at) for at in range(0, S, 10 * MS)} == {path.back_ns(at) for at in range(0, S, 10 * MS)} == {0}


def test_exponential_jitter_has_a_mean_for_each_way() -> None:
    out, back = delays_ms(EchoPathSpec(out_ms=2, back_ms=1, out_jitter_ms=4, back_jitter_ms=1.3))
    for delays, fixed, mean in ((out, 2, 4), (back, 1, 1.3)):
        assert delays.min() == pytest.approx(fixed, abs=1e-2)
        assert delays.mean() - fixed == pytest.approx(mean, abs=4 * mean / COUNT**0.5)
        assert delays.std() == pytest.approx(mean, rel=0.05)
        assert np.mean(delays - fixed > mean) == pytest.approx(np.exp(-1), abs=0.014)
    assert abs(np.corrcoef(out, back)[0, 1]) < 0.03


def test_even_jitter_has_a_longest_delay() -> None:
    for delays in delays_ms(EchoPathSpec(even_ms=20)):
        assert delays.min() < 0.01
        assert 19.99 < delays.max() <= 20
        assert delays.mean() == pytest.approx(10, abs=4 * 20 / 12**0.5 / COUNT**0.5)


def test_outliers_are_rare_and_long() -> None:
    for delays in delays_ms(EchoPathSpec(outlier_part=0.01, outlier_ms=400)):
        long = delays[delays > 0]
        assert len(long) / COUNT == pytest.approx(0.01, abs=0.003)
        assert 200 <= long.min() < 210 < 390 < long.max() <= 400


def test_ticks_quantise_the_moment_of_arrival() -> None:
    path = EchoPath(EchoPathSpec(out_ms=1, out_jitter_ms=4, tick_out_ms=10), 5, start_ns=123)
    sent_ns = [number * 7_777_777 for number in range(2000)]
    delays = [path.out_ns(at) for at in sent_ns]
    assert len({(at + delay) % (10 * MS) for at, delay in zip(sent_ns, delays, strict=True)}) == 1
    assert min(delays) >= MS
    assert np.mean(delays) == pytest.approx(10 * MS, rel=0.03), "the wait for a tick takes half of one in the mean"
    assert path.back_ns(0) == 0


def test_bursts_come_and_go() -> None:
    spec = EchoPathSpec(calm_s=4, burst_s=1, burst_out_ms=30, burst_back_ms=12)
    path = EchoPath(spec, 3)
    states = np.array([path.is_congested(number * 10 * MS) for number in range(300_000)])
    begins = np.flatnonzero(states[1:] & ~states[:-1])
    assert states.mean() == pytest.approx(0.2, abs=0.03)
    assert len(begins) == pytest.approx(3000 / 5, rel=0.15)
    out, back = delays_ms(spec, 3)
    assert (out > 0).mean() == pytest.approx(states[: COUNT * 2 : 2].mean(), abs=0.01), "the same seed, the same bursts"
    assert out[out > 0].mean() == pytest.approx(30, rel=0.06)
    assert back[back > 0].mean() == pytest.approx(12, rel=0.06)


def test_a_path_may_begin_in_a_burst() -> None:
    spec = EchoPathSpec(calm_s=4, burst_s=1)
    begins = [EchoPath(spec, seed).is_congested(0) for seed in range(2000)]
    assert np.mean(begins) == pytest.approx(0.2, abs=0.036)


def test_bursts_do_not_depend_on_how_often_one_asks() -> None:
    spec = PATHS["wifi-busy"]
    rarely, often = EchoPath(spec, 7, 50), EchoPath(spec, 7, 50)
    for at in range(50, 100 * S, 500 * MS):
        for sent_ns in range(at, at + 5 * MS, MS):
            often.out_ns(sent_ns)
        assert rarely.is_congested(at + 5 * MS) == often.is_congested(at + 5 * MS)


@pytest.mark.parametrize("name", PATHS)
def test_a_seed_makes_a_path(name: str) -> None:
    first, again, other = (delays_ms(PATHS[name], seed, 50 * MS) for seed in (1, 1, 2))
    assert all(np.array_equal(one, two) for one, two in zip(first, again, strict=True))
    assert name == "direct" or not np.array_equal(first[0], other[0])


@pytest.mark.parametrize("name", PATHS)
def test_no_path_is_faster_than_its_fixed_part(name: str) -> None:
    spec = PATHS[name]
    out, back = delays_ms(spec)
    assert out.min() >= spec.out_ms
    assert back.min() >= spec.back_ms


def test_texts_are_names_fields_or_both() -> None:
    assert EchoPathSpec.parse("wifi-busy") == PATHS["wifi-busy"]
    assert EchoPathSpec.parse(" out_jitter_ms=4, back_jitter_ms = 1.3") == PATHS["uneven"]
    changed = EchoPathSpec.parse("uneven,tick_out_ms=10,out_jitter_ms=1e0")
    assert (changed.out_jitter_ms, changed.back_jitter_ms, changed.tick_out_ms) == (1, 1.3, 10)


@pytest.mark.parametrize(
    ("text", "named"),
    [
        ("", "wifi-busy"),
        ("train", "train"),
        ("uneven,wifi", "wifi"),
        ("out_ms", "field=value"),
        ("loss=1", "outlier_part"),
        ("out_ms=", "number"),
        ("out_ms=1=2", "number"),
        ("out_ms=-1", "0 to 5000"),
        ("back_jitter_ms=nan", "echo_path.back_jitter_ms"),
        ("tick_back_ms=inf", "echo_path.tick_back_ms"),
        ("outlier_part=1.1", "0 to 1"),
        ("burst_s=0.0001", "0.001"),
        ("burst_s=1,calm_s=0", "calm_s"),
    ],
)
def test_a_text_that_cannot_be_used_is_named(text: str, named: str) -> None:
    with pytest.raises(ConfigurationError, match=named):
        EchoPathSpec.parse(text)


def test_a_field_that_cannot_be_used_is_named() -> None:
    wrong: dict[str, Any] = {"out_ms": 5001, "calm_s": -1, "outlier_ms": float("nan")}
    for name, value in wrong.items():
        with pytest.raises(ConfigurationError) as caught:
            EchoPathSpec(**{name: value})
        assert caught.value.setting == f"echo_path.{name}"
