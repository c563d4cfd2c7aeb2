"""Every record of the table, in the function behind a DynamoDB stream, between two innocent records of the same batch."""

import pytest

from tests.hostile.outcome import problems
from tests.hostile.records import RECORDS
from tests.hostile.stage import Stage


@pytest.mark.parametrize("name", RECORDS)
def test_a_record_blocks_no_shard(stage: Stage, name: str) -> None:
    """It is published or parked with its reason, and the innocent ones are published, within the memory of a function."""
    entry = RECORDS[name]
    outcome = stage.stream(list(RECORDS).index(name), entry)
    assert list(problems(entry.expected, outcome)) == [], outcome
