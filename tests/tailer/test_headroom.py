"""How much history is left: told by the server, or by a setting, or honestly not at all."""

from datetime import UTC, datetime

import pytest

from tailer.headroom import headroom
from tailer.model import Checkpoint

CHECKPOINT = Checkpoint(cluster_time="1000.7")


class History:
    """A source that knows where its history begins, or does not."""

    def __init__(self, oldest: str | None) -> None:
        self._oldest = oldest

    def oldest(self) -> str | None:
        return self._oldest


@pytest.mark.parametrize(
    ("oldest", "setting", "expected"),
    [("400.1", 0, 600.0), ("400.1", 3600, 600.0), (None, 3600, 3600.0 - 500.0), (None, 0, None), ("1100.1", 0, -100.0)],
)
def test_headroom(oldest: str | None, setting: int, expected: float | None) -> None:
    """The checkpoint's distance from the oldest history; below zero it is lost already."""
    now = datetime.fromtimestamp(1500, tz=UTC)
    assert headroom(History(oldest), CHECKPOINT, history_seconds=setting, now=now) == expected  # type: ignore[arg-type]
