"""The properties of a change."""

from datetime import UTC, datetime

from tailrace.wire.change import canonical
from tests.samples.changes import a_change


def test_occurred_at_has_milliseconds_with_a_wall_time() -> None:
    """Without a wall time it has seconds."""
    assert a_change(cluster_time="1795332226.7").occurred_at == datetime(2026, 11, 22, 7, 23, 46, tzinfo=UTC)
    exact = a_change(wall_time="2026-11-22T07:23:46.107Z").occurred_at
    assert exact == datetime(2026, 11, 22, 7, 23, 46, 107_000, tzinfo=UTC)


def test_canonical_json_ignores_key_order() -> None:
    assert canonical({"b": [1, {"d": 1, "c": 2}], "a": None}) == canonical({"a": None, "b": [1, {"c": 2, "d": 1}]})
