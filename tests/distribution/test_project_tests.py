"""The tests of a user's project, with the wheel and a pytest of the user's own."""

import json
import subprocess
import sys
from pathlib import Path

from tests.distribution.installation import InstalledWheel, uv
from tests.distribution.test_installing import EVENTS

TESTS = '''
"""The mappers, and a consumer, of a shop."""

import pytest
from tailrace import Uncertain
from tailrace.consuming import Event, Events, MemoryInbox, handle
from tailrace.testing import ChangeStream, documentdb, events_of, mongodb, published, sqs
from tailrace.testing.snapshots import EventSnapshot

from events import MAPPERS, OrderPaid

PLACED = {"_id": "o-1", "status": "placed"}


@pytest.mark.parametrize("orders", [mongodb("shop.orders"), documentdb("shop.orders")], ids=["mongodb", "documentdb"])
def test_paid(orders: ChangeStream, event_snapshot: EventSnapshot) -> None:
    events = events_of(MAPPERS, orders.update(PLACED, {"status": "paid"}))
    assert [event.data for event in events] == [OrderPaid(order_id="o-1")]
    event_snapshot.check(events)


def test_uncertain() -> None:
    with pytest.raises(Uncertain):
        events_of(MAPPERS, mongodb("shop.orders").replace(PLACED, {"status": "paid"}))


def test_consumer() -> None:
    inbox, paid = MemoryInbox(), list[str]()

    def pay(event: Event[OrderPaid]) -> None:
        inbox.once(event, lambda: paid.append(event.data.order_id))

    event = published(OrderPaid(order_id="o-1"))
    assert handle(sqs(event, event), Events(OrderPaid), pay) == {"batchItemFailures": []}
    assert paid == ["o-1"]
'''


def test_project_tests_its_mappers_and_consumers(installed_wheel: InstalledWheel, tmp_path: Path) -> None:
    """The plugin is there without a line of configuration, and the tests pass mypy in its strict mode."""
    installed = installed_wheel("dev")
    uv("pip", "install", "--python", str(installed.python), "--constraints", "requirements/dev.txt", "pytest")
    (tmp_path / "events.py").write_text(EVENTS)
    (tmp_path / "test_events.py").write_text(TESTS)
    run = ("python", "-m", "pytest", "-q", "-p", "no:cacheprovider")
    assert "2 failed, 2 passed" in installed.run(*run, folder=tmp_path, code=1).stdout
    installed.run(*run, folder=tmp_path, TAILRACE_UPDATE_SNAPSHOTS="1")
    assert "4 passed" in installed.run(*run, folder=tmp_path).stdout
    [event] = json.loads((tmp_path / "snapshots" / "test_events" / "test_paid[documentdb].json").read_text())
    assert event["detail"]["data"] == {"orderId": "o-1"}
    check = [sys.executable, "-m", "mypy", "--strict", "--python-executable", str(installed.python), "test_events.py"]
    done = subprocess.run(check, cwd=tmp_path, env=installed.environment(), capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stdout
