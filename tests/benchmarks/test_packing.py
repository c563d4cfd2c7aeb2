"""What the cost model takes for the packing of changes is what the product's packing does."""

import dataclasses

import pytest

from benchmarks import packing
from infra.costs.packed import CHANGES, MEASURED, Packed

BYTES = {"size", "sends", "receives"}  # depend on how well the machine's zlib compresses


def test_the_cost_model_has_the_measured_figures() -> None:
    """Messages and calls exactly; bytes, and what is counted from them, within a twentieth for another zlib's sake."""
    for taken, found in zip(MEASURED, packing.measured(), strict=True):
        assert _counts(taken) == _counts(found)
        assert [getattr(taken, name) for name in BYTES] == pytest.approx([getattr(found, name) for name in BYTES], rel=0.05)


def test_the_sample_is_the_same_every_time() -> None:
    """No clock, no random id: two runs make the same changes."""
    assert packing.changes(50) == packing.changes(50)


def test_every_change_is_in_one_message() -> None:
    """Whatever the batches, nothing is packed twice or left out."""
    backlog = packing.changes(300)
    for batch in (1, 7, 300):
        calls = packing.calls_of(backlog, batch)
        assert sum(message.changes for call in calls for message in call) == len(backlog)


def test_more_at_a_time_is_never_more_messages() -> None:
    """Packing is what a backlog buys."""
    by_batch = [one for one in MEASURED if one.name != "unpacked"]
    assert [one.batch for one in by_batch] == sorted(one.batch for one in by_batch)
    assert [one.messages for one in by_batch] == sorted((one.messages for one in by_batch), reverse=True)
    assert all(one.calls <= one.messages <= CHANGES for one in by_batch)


def _counts(one: Packed) -> dict[str, object]:
    return {name: value for name, value in dataclasses.asdict(one).items() if name not in BYTES}
