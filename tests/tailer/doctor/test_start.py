"""The checks of the start and those of the doctor are the same: same names, same words, and a remedy for each failure."""

import re
from collections.abc import Callable
from typing import Any

import pytest

from devstack import DevStack
from devstack.documentdb.dialect import DocumentdbDialect
from tailer.checklist import all_checks
from tailer.checks import Check, pass_start
from tailer.errors import Misconfigured
from tailer.parts import Parts
from tailer.settings.settings import load
from tests.tailer.checked import Doctor
from tests.tailer.servers import mongod

AT_START = {
    "database.tls",
    "database.server",
    "stream.enabled",
    "stream.names",
    "stream.readable",
    "checkpoints.tls",
    "queue.exists",
    "queue.fifo",
    "queue.size",
}
Breaking = Callable[[DevStack, str], dict[str, str]]


def standalone(stack: DevStack, fresh: str) -> dict[str, str]:
    """A server without a replica set; the test starts it."""
    return {"TAILER_MONGODB_URI": "standalone"}


def not_enabled(stack: DevStack, fresh: str) -> dict[str, str]:
    """DocumentDB that keeps no change streams; the test starts it."""
    return {"TAILER_MONGODB_URI": "documentdb"}


def a_view(stack: DevStack, fresh: str) -> dict[str, str]:
    stack.mongo[fresh].create_collection("open_orders", viewOn="orders", pipeline=[])
    return {"TAILER_COLLECTIONS": "orders,open_orders"}


def refused_pipeline(stack: DevStack, fresh: str) -> dict[str, str]:
    return {"TAILER_PIPELINE": '[{"$match": {"$nonsense": 1}}]'}


def no_queue(stack: DevStack, fresh: str) -> dict[str, str]:
    return {"TAILER_QUEUE_URL": queue_of(stack, fresh).replace("-q.fifo", "-gone.fifo")}


def small_queue(stack: DevStack, fresh: str) -> dict[str, str]:
    return {"TAILER_QUEUE_URL": queue_of(stack, fresh, MaximumMessageSize="262144")}


def queue_of(stack: DevStack, fresh: str, **attributes: str) -> str:
    made = stack.aws("sqs").create_queue(QueueName=f"{fresh}-q.fifo", Attributes={"FifoQueue": "true", **attributes})
    return str(made["QueueUrl"])


@pytest.mark.parametrize(
    ("breaking", "name"),
    [
        (standalone, "database.server"),
        (not_enabled, "stream.enabled"),
        (a_view, "stream.names"),
        (refused_pipeline, "stream.readable"),
        (no_queue, "queue.exists"),
        (small_queue, "queue.size"),
    ],
)
def test_start_refuses_with_the_doctors_message(
    stack: DevStack, doctor: Doctor, fresh: str, documentdb: DocumentdbDialect, breaking: Breaking, name: str
) -> None:
    """A task that does not start says what the doctor found; the doctor's remedy follows where the check has its own."""
    changed = breaking(stack, fresh)
    with mongod() as port:
        uris = {"standalone": f"mongodb://127.0.0.1:{port}/", "documentdb": documentdb.uri}
        if "TAILER_MONGODB_URI" in changed:
            changed["TAILER_MONGODB_URI"] = uris[changed["TAILER_MONGODB_URI"]]
        report = doctor(**changed)
        with pytest.raises(Misconfigured) as refused:
            pass_start(all_checks([Parts(one) for one in load()]), advise=lambda _: None)
    finding = report.findings[name]
    assert finding["state"] == "FAIL"
    assert str(refused.value) in (finding["found"], f"{finding['found']}; {finding['remedy']}")


def test_start_runs_only_the_checks_before_a_lease(stored: Any) -> None:
    """Those that must hold before a task takes a lease, and no other: the rest may need rights that a task does not have."""
    assert {check.name for check in all_checks([Parts(stored)]) if check.at_start} == AT_START


def test_every_check_has_both_remedies(stored: Any) -> None:
    """For an outage and for a mistake; each names what a person looks at or changes."""
    for check in all_checks([Parts(stored)]):
        assert re.search(r"check that|run the doctor again", check.outage), check.name
        assert re.search(r"correct|compare|grant|give|allow|choose", check.mistake), check.name


def test_check_depends_only_on_earlier_checks(stored: Any) -> None:
    """A name that no check has would skip the check for ever."""
    before: list[Check] = []
    for check in all_checks([Parts(stored)]):
        assert set(check.needs) <= {other.name for other in before if other.is_about(check)}, check.name
        before.append(check)
