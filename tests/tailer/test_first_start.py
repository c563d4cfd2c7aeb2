"""A stream that never delivered a change is bound to no settings: they can be corrected without a command."""

import threading
from datetime import UTC, datetime

import pytest

from devstack import DevStack
from tailer.cli.command_line import command_line
from tailer.errors import Misconfigured
from tests.queue import received
from tests.tailer.tailers import Tailers

WRONG = {
    "database": "another",
    "collections": "another",
    "pipeline": '[{"$match": {"operationType": "delete"}}]',
    "lanes": "4",
    "order_by": "stream",
}


@pytest.mark.parametrize("setting", WRONG)
def test_settings_can_be_corrected_after_a_first_start(
    tailers: Tailers, stack: DevStack, fresh: str, queue_url: str, setting: str
) -> None:
    """Changes committed since the first start are delivered."""
    right = {"database": fresh, "collections": "", "pipeline": "[]", "lanes": "128", "order_by": "document"}
    tailers.run(tailers.opened, **right | {setting: WRONG[setting]})
    first = tailers.record.checkpoint
    assert first is not None
    stack.mongo[fresh].payments.insert_one({"_id": 1})
    tailers.run(tailers.delivered, **right)
    [change] = received(stack, queue_url)
    assert (change.sequence, change.document_key) == (1, {"_id": 1})
    assert tailers.record.checkpoint is not None
    assert tailers.record.checkpoint.generation == first.generation + 1
    with pytest.raises(Misconfigured, match="accept-settings"):
        tailers.start(**right | {setting: WRONG[setting]})[0].result()


def test_stream_that_cannot_open_leaves_no_checkpoint(tailers: Tailers, stack: DevStack, fresh: str, queue_url: str) -> None:
    """Once corrected it starts for the first time."""
    with pytest.raises(Misconfigured, match="TAILER_PIPELINE"):
        tailers.start(pipeline='[{"$match": {"$none": 1}}]')[0].result()
    assert tailers.record.checkpoint is None
    ended, stopping = tailers.start(pipeline="[]", lanes="4")
    tailers.wait(ended, tailers.opened)
    stack.mongo[fresh].payments.insert_one({"_id": 1})
    tailers.wait(ended, tailers.delivered)
    stopping.set()
    ended.result()
    assert [change.sequence for change in received(stack, queue_url)] == [1]


def test_seeded_position_is_bound_to_its_cluster_but_to_no_settings(
    tailers: Tailers, stack: DevStack, fresh: str, queue_url: str
) -> None:
    tailers.set(lanes="4")
    assert command_line(["checkpoint", "seed", "--to", datetime.now(UTC).isoformat(timespec="seconds")], threading.Event()) == 0
    assert (tailers.record.identity, tailers.record.cluster is None) == ("", False)
    stack.mongo[fresh].payments.insert_one({"_id": 1})
    tailers.run(tailers.delivered, lanes="128")
    assert [change.sequence for change in received(stack, queue_url)] == [1]
