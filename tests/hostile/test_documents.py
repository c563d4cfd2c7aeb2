"""
The documents of the table, from a real server through a tailer and a function of 512 MB each, to the bus or the parking queue.
Documents of 16 MB take seconds each: ``python -P -m tests.hostile documents`` tries all of them, and these tests ``A_FEW``.
"""

import pytest

from tests.hostile.documents import DOCUMENTS, LARGE
from tests.hostile.outcome import problems
from tests.hostile.stage import Stage

A_FEW = ("16 MB of MinKey", "an _id of 8 kB with 16 MB", "an update that cuts a list of 16 MB")
TRIED = [name for name in DOCUMENTS if name in A_FEW or not (name in LARGE or " MB" in name)]


@pytest.mark.parametrize("name", TRIED)
def test_hostile_document_does_not_stop_the_stream(stage: Stage, name: str) -> None:
    """It is delivered, or parked with a reason, in order, and so is the innocent document after it."""
    entry = DOCUMENTS[name]
    outcome = stage.write(list(DOCUMENTS).index(name), entry)
    assert list(problems(entry.expected, outcome, entry.operations)) == [], outcome


def test_sequences_have_no_gap(stage: Stage) -> None:
    """The sequences of one tailer start at 1, whatever was written."""
    assert stage.write(len(DOCUMENTS), DOCUMENTS["every type at its extremes"]).ended == ""
    numbers = sorted(number for _, number in stage.arrivals.sent)
    assert numbers == list(range(1, len(numbers) + 1))
