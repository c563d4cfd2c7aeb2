"""The witness detects every write by another task than the owner."""

import pytest

from tailer.model import At, Checkpoint, Record
from tests.faults.witness import Witness


def a_record(version: int, owner: str, fence: int, sequence: int) -> Record:
    checkpoint = Checkpoint(sequence=sequence, position=At("1.1"))
    return Record(stream="s", version=version, owner=owner, fence=fence, checkpoint=checkpoint)


def witnessed(*writes: tuple[int, str, int, int]) -> Witness:
    witness = Witness()
    for write in writes:
        witness.accepted(a_record(*write))
    return witness


def test_writes_of_successive_owners_are_valid() -> None:
    witness = witnessed((1, "a", 1, 0), (2, "a", 1, 5), (3, "", 1, 7), (4, "b", 2, 7), (5, "c", 3, 7))
    assert witness.broken == []
    assert (witness.writes, witness.owners, witness.owner) == (5, 3, "c")


@pytest.mark.parametrize(
    ("write", "reason"),
    [
        ((4, "a", 1, 20), "written by a former owner"),
        ((4, "c", 2, 20), "written by two under one fence"),
        ((3, "b", 2, 20), "written over a version it had not seen"),
        ((4, "b", 2, 5), "went back"),
    ],
)
def test_write_of_a_former_owner_is_detected(write: tuple[int, str, int, int], reason: str) -> None:
    """By its fence, version, owner or sequence."""
    (told,) = witnessed((1, "a", 1, 0), (2, "a", 1, 10), (3, "b", 2, 10), write).broken
    assert told.startswith(reason)


def test_write_after_the_release_is_detected() -> None:
    """Also by the same owner."""
    assert witnessed((1, "a", 1, 0), (2, "", 1, 10), (3, "a", 1, 10)).broken
