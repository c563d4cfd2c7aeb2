"""Every record of the table, in the function of a DynamoDB stream, between two innocent records of the same batch."""

import pytest

from tests.hostile.outcome import problems
from tests.hostile.records import RECORDS
from tests.hostile.stage import Stage


@pytest.mark.parametrize("name", RECORDS)
def test_hostile_record_does_not_block_its_shard(stage: Stage, name: str) -> None:
    """It is published or parked with a reason, and the innocent ones are published, within the function's memory."""
    entry = RECORDS[name]
    outcome = stage.stream(list(RECORDS).index(name), entry)
    assert list(problems(entry.expected, outcome)) == [], outcome
