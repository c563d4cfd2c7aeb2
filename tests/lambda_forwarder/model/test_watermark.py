"""What a watermark covers, and which messages it is for."""

import pytest
from msgspec.structs import replace

from lambda_forwarder.model.watermark import Watermark, reached
from tailrace.change import Change
from tests.lambda_forwarder.values import inserted

MARK = Watermark(generation=2, sequence=10, cluster_time="1795330680.5")


def at(sequence: int, cluster_time: str = "1795330680.1") -> Change:
    return replace(inserted(sequence=sequence), cluster_time=cluster_time)


@pytest.mark.parametrize(
    ("generation", "sequence", "covered"),
    [(2, 10, True), (2, 9, True), (2, 11, False), (1, 10, True), (1, 99, True), (3, 1, False)],
)
def test_what_is_at_or_below_it_was_published(generation: int, sequence: int, covered: bool) -> None:
    """By generation first, then by sequence; a late message of an older generation never counts as new."""
    assert MARK.covers(generation, at(sequence)) is covered


def test_a_later_commit_under_a_lower_number_was_not_published() -> None:
    """A stream that lost its checkpoint begins at one again: its new changes are no repeats of the old ones."""
    anew = at(3, "1795330680.6")
    assert MARK.is_renumbered(2, anew)
    assert not MARK.covers(2, anew)


@pytest.mark.parametrize("cluster_time", ["1795330680.5", "1795330680.4", "1795330679.9", "", "x.y", "9" * 5_000 + ".1"])
def test_an_earlier_or_illegible_time_belies_nothing(cluster_time: str) -> None:
    """Within one second the increment decides, as a number; what is no cluster time tells nothing."""
    assert MARK.covers(2, at(10, cluster_time))


def test_it_is_reached_by_the_last_change() -> None:
    """The largest sequence of a message, with its commit's time."""
    assert reached(2, [at(9), at(10, "1795330680.5")]) == MARK
    assert reached(2, [at(10, "no time")]) == Watermark(generation=2, sequence=10, cluster_time="0.0")
