"""The operations as a console or a script calls them: values in, values out, and no command line."""

import json

import pytest
from pydantic import SecretStr

from tailer.cluster import Cluster
from tailer.errors import HistoryLost, Misconfigured
from tailer.in_memory import MemorySource
from tailer.model import After, At, Checkpoint, Record
from tailer.operations.decisions import accept_gap, rewind, seed
from tailer.operations.status import status, stored
from tailer.output import Result, as_json
from tailer.parts import Parts
from tailer.settings.settings import Settings
from tailer.stored_form import record_from, stored_record
from tailer.stores.memory import MemoryCheckpoints
from tests.tailer.parts import parts_with

OLDEST, AT = "1795330000.1", "2026-11-22T07:01:30Z"
HERE = Cluster(kind="replica set", name="rs0", id="6b0a", hosts=("a:27017",))


@pytest.fixture
def stream() -> Parts:
    settings = Settings(
        mongodb_uri=SecretStr("mongodb://nowhere/?replicaSet=rs0"),
        queue_url="http://localhost/000000000000/changes.fifo",
        checkpoints=SecretStr("file:///nowhere"),
        stream="payments",
        database="payments",
    )
    server = MemorySource(poll=0)
    parts = parts_with(settings, store=MemoryCheckpoints(), cluster=lambda: HERE, source=server)
    parts.__dict__["source_with"] = lambda *_, **__: server
    return parts


def test_decision_returns_the_record_before_and_after(stream: Parts) -> None:
    """What is returned is what is stored, and the lease is free again."""
    decided = seed(stream, AT)
    after = stream.store.read("payments")
    assert after is not None
    assert after.checkpoint is not None
    before, written = decided.values["before"], decided.values["after"]
    assert (before["checkpoint"], written["checkpoint"]) == (None, stored_record(after)["checkpoint"])
    assert (after.checkpoint.position, after.owner, after.cluster) == (At("1795330890.1"), "", HERE)
    again = rewind(stream, "beginning")
    assert again.values["before"]["checkpoint"] == decided.values["after"]["checkpoint"]
    assert record_from(again.values["after"]).checkpoint.position == At(OLDEST)  # type: ignore[union-attr]


def test_dry_run_shows_the_decision_and_writes_nothing(stream: Parts) -> None:
    """As text for a person and as values for a script."""
    shown = seed(stream, AT, dry_run=True)
    assert stream.store.read("payments") is None
    assert "would be" in shown.text()
    values = json.loads(as_json(shown.values))
    assert (values["dryRun"], values["before"]["checkpoint"]) == (True, None)
    assert values["after"]["checkpoint"]["cluster_time"] == "1795330890.1"


def test_refused_decision_raises_and_leaves_no_checkpoint(stream: Parts) -> None:
    """The caller handles the same errors as the tailer. The lease that it took is free again."""
    with pytest.raises(Misconfigured, match="has no checkpoint to move"):
        rewind(stream, AT)
    with pytest.raises(HistoryLost, match="not valid here"):
        seed(stream, "82FF")
    record = stream.store.read("payments")
    assert record is not None
    assert (record.checkpoint, record.owner) == (None, "")


def test_accepted_gap_has_its_author_and_reason(stream: Parts) -> None:
    """Its text is safe to show in a terminal."""
    lost = Checkpoint(position=After("4711", "1795320000.1"), sequence=41)
    stream.store.write(Record(stream="payments", version=1, checkpoint=lost))
    [gap] = record_from(accept_gap(stream, "restored\x1b from a backup", by="ada").values["after"]).gaps
    assert (gap.after, gap.until, gap.accepted_by) == ("1795320000.1", OLDEST, "ada")
    assert gap.reason == r"restored\u001b from a backup"


def test_status_of_a_stream_is_a_value(stream: Parts) -> None:
    """Before and after its first checkpoint; the history that is left is measured by the source."""
    assert status(stream).values == {"checkpoint": "none: this stream was never started"}
    assert stored(stream).values is None
    seed(stream, AT)
    state = status(stream).values
    assert (state["lease"], state["headroomProblem"], state["headroomSeconds"]) == ("free", "none", 890)
    assert state["deliveredUpTo"] == AT
    assert stored(stream).values["checkpoint"]["token"] is None


def test_result_is_shown_under_its_titles() -> None:
    """Each name and value on a line of its own."""
    result = Result(values={}, shown={"would be": {"payments.*": "enabled", "a": None}})
    assert result.text().splitlines() == ["would be", "  payments.*  enabled", "  a           unknown"]
