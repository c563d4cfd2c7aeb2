"""Every latency is counted, and of very many an even sample is kept that includes the longest."""

from itertools import pairwise

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tailer.metrics.latency import SAMPLE, Latency
from tailer.metrics.prometheus import Families


def a_latency() -> tuple[Latency, Families]:
    families = Families()
    return families.latency("CommitToQueue", "payments"), families


def test_few_latencies_are_all_taken_once() -> None:
    """In order. The next call returns only newer ones."""
    latency, _ = a_latency()
    for seconds in (0.3, 0.1, 0.2):
        latency.observe(seconds)
    assert latency.take() == [0.3, 0.1, 0.2]
    assert latency.take() == []


@given(st.lists(st.floats(0, 1e6), max_size=1000))
def test_sample_is_bounded_and_includes_the_longest(values: list[float]) -> None:
    latency, _ = a_latency()
    for seconds in values:
        latency.observe(seconds)
    taken = latency.take()
    assert len(taken) <= SAMPLE
    assert set(taken) <= set(values)
    assert not values or max(taken) == max(values)


@pytest.mark.parametrize("count", [SAMPLE - 1, SAMPLE, 1000, 12_345])
def test_sample_is_even(count: int) -> None:
    """Every n-th value, from the first on."""
    latency, _ = a_latency()
    for number in range(count):
        latency.observe(float(number))
    *sample, _ = latency.take()
    steps = {after - before for before, after in pairwise(sample)}
    assert sample[0] == 0
    assert len(steps) == 1
    assert count - sample[-1] <= 2 * steps.pop()


def test_histogram_counts_every_latency() -> None:
    latency, families = a_latency()
    for _ in range(500):
        latency.observe(0.03)
    text = families.text().decode()
    assert 'tailrace_commit_to_queue_seconds_bucket{le="0.025",stream="payments"} 0.0' in text
    assert 'tailrace_commit_to_queue_seconds_bucket{le="0.05",stream="payments"} 500.0' in text
