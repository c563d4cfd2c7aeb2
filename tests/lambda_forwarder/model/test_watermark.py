"""Which changes a watermark covers, and which messages it applies to."""

import pytest
from msgspec.structs import replace

from lambda_forwarder.model.watermark import Watermark, reached
from tailrace.change import Change
from tests.lambda_forwarder.values import inserted

MARK = Watermark(generation=2, sequence=10, cluster_time="1795330680.5")


def change_at(sequence: int, cluster_time: str = "1795330680.1") -> Change:
    return replace(inserted(sequence=sequence), cluster_time=cluster_time)


@pytest.mark.parametrize(
    ("generation", "sequence", "covered"),
    [(2, 10, True), (2, 9, True), (2, 11, False), (1, 10, True), (1, 99, True), (3, 1, False)],
)
def test_change_at_or_below_the_watermark_is_covered(generation: int, sequence: int, covered: bool) -> None:
    """By generation and then by sequence. An older generation is always covered."""
    assert MARK.covers(generation, change_at(sequence)) is covered


def test_later_commit_with_a_lower_sequence_is_not_covered() -> None:
    """A stream that lost its checkpoint starts at one, so its changes are no repeats."""
    anew = change_at(3, "1795330680.6")
    assert MARK.is_renumbered(2, anew)
    assert not MARK.covers(2, anew)


@pytest.mark.parametrize("cluster_time", ["1795330680.5", "1795330680.4", "1795330679.9", "", "x.y", "9" * 5_000 + ".1"])
def test_earlier_or_unreadable_time_is_not_renumbered(cluster_time: str) -> None:
    """Within one second the increment decides, as a number."""
    assert MARK.covers(2, change_at(10, cluster_time))


def test_watermark_is_the_last_change_of_a_message() -> None:
    assert reached(2, [change_at(9), change_at(10, "1795330680.5")]) == MARK
    assert reached(2, [change_at(10, "no time")]) == Watermark(generation=2, sequence=10, cluster_time="0.0")
