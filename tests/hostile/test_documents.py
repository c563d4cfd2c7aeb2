"""
The documents of the table, from a real server through a tailer and a function of 512 MB each to the bus or the parking queue.

Those of 16 MB take seconds each: ``python -P -m tests.hostile documents`` tries all of them, and these tests ``A_FEW``.
"""

import pytest

from tests.hostile.documents import DOCUMENTS, LARGE
from tests.hostile.outcome import problems
from tests.hostile.stage import Stage

A_FEW = ("16 MB of MinKey", "an _id of 8 kB with 16 MB", "an update that cuts a list of 16 MB")
TRIED = [name for name in DOCUMENTS if name in A_FEW or not (name in LARGE or " MB" in name)]


@pytest.mark.parametrize("name", TRIED)
def test_a_document_stops_no_stream(stage: Stage, name: str) -> None:
    """It is delivered, or parked with its reason, in order; and so is what was committed behind it."""
    entry = DOCUMENTS[name]
    outcome = stage.write(list(DOCUMENTS).index(name), entry)
    assert list(problems(entry.expected, outcome, entry.operations)) == [], outcome


def test_no_number_is_missing(stage: Stage) -> None:
    """The changes that one tailer sent are numbered from 1 without a hole, whatever they were."""
    assert stage.write(len(DOCUMENTS), DOCUMENTS["every type at its extremes"]).ended == ""
    numbers = sorted(number for _, number in stage.arrivals.sent)
    assert numbers == list(range(1, len(numbers) + 1))
