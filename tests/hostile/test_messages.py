"""
The messages of the table, in the function behind the queue, each beside an innocent message of another lane.

``SLOW`` ones take ten seconds each: ``python -P -m tests.hostile messages`` tries them too.
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
def test_a_message_holds_back_no_other_lane(stage: Stage, name: str) -> None:
    """It is published or parked with its reason, and the innocent one is published, within the memory of a function."""
    entry = MESSAGES[name]
    outcome = stage.send(list(MESSAGES).index(name), entry)
    assert list(problems(entry.expected, outcome)) == [], outcome
