"""Where a stream without a checkpoint starts."""

from datetime import UTC, datetime
from types import SimpleNamespace
from typing import Any

import pytest
from bson import Timestamp

from tailer.errors import Misconfigured
from tailer.model import At
from tailer.mongodb.history import History

CLOCK = 1_795_330_890  # seconds


def idle_server() -> Any:
    """A server whose last write is nine seconds old."""
    reply = {
        "localTime": datetime.fromtimestamp(CLOCK, UTC).replace(tzinfo=None),
        "$clusterTime": {"clusterTime": Timestamp(CLOCK - 9, 1)},
        "operationTime": Timestamp(CLOCK - 9, 1),
    }
    return SimpleNamespace(admin=SimpleNamespace(command=lambda _: reply))


@pytest.mark.parametrize("seconds", [CLOCK - 60, CLOCK - 9, CLOCK - 4, CLOCK])
def test_time_that_has_passed_by_the_servers_clock_is_a_start(seconds: int) -> None:
    """Also after the last write of an idle server, as now by the clock of a shell is."""
    start = At(f"{seconds}.0")
    assert History(idle_server(), start).first().position == start


def test_time_that_has_not_come_is_refused() -> None:
    with pytest.raises(Misconfigured, match=r"TAILER_START=.* is in the future"):
        History(idle_server(), At(f"{CLOCK + 1}.0")).first()
