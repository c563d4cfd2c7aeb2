"""
The messages of the table, in the function of the queue, each beside an innocent message of another lane. Those in ``SLOW`` take
ten seconds each: ``python -P -m tests.hostile messages`` tries them too.
"""

import pytest

from tests.hostile.messages import MESSAGES
from tests.hostile.outcome import problems
from tests.hostile.stage import Stage

SLOW = {
    "20 MB of quotes",
    "60 MB of ASCII",
    "a claim to 60 MB of ASCII",
    "a claim to 60 MB of two bytes a character",
    "a document of 330,000 names",
}


@pytest.mark.parametrize("name", [name for name in MESSAGES if name not in SLOW])
def test_hostile_message_does_not_delay_other_lanes(stage: Stage, name: str) -> None:
    """It is published or parked with a reason, and the innocent one is published, within the function's memory."""
    entry = MESSAGES[name]
    outcome = stage.send(list(MESSAGES).index(name), entry)
    assert list(problems(entry.expected, outcome)) == [], outcome
