"""A line has room for an even sample of many latencies, with the longest."""

from hypothesis import given
from hypothesis import strategies as st

from tailrace.aws.emf import SAMPLE, sampled


@given(st.lists(st.floats(0, 1e6), max_size=1000))
def test_sample_is_even_and_includes_the_longest(latencies: list[float]) -> None:
    """Every n-th of the sorted values, with the smallest n whose sample fits a line."""
    ordered, sample = sorted(latencies, reverse=True), list(sampled(latencies))
    step = next(step for step in range(1, 100) if len(ordered[::step]) <= SAMPLE)
    assert sample == ordered[::step]
    assert sample[:1] == ordered[:1]
