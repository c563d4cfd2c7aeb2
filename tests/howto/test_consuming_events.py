"""The page on consuming events is a project that does what it says."""

import importlib
import sys
from collections.abc import Iterator
from types import ModuleType, SimpleNamespace

import pytest

from devstack import DevStack
from tailrace.testing import published, sqs
from tailrace.testing.moments import START
from tests.howto.account import sign_in
from tests.howto.page import Page

MODULES = ("consumer", "letters")


@pytest.fixture
def project(stack: DevStack, page: Page, monkeypatch: pytest.MonkeyPatch) -> Iterator[dict[str, ModuleType]]:
    """The modules of the page, on the emulator with their tables."""
    sign_in(page, stack.aws)
    page.write_files()
    monkeypatch.syspath_prepend(str(page.folder))
    for name, value in stack.aws.environment.items():
        monkeypatch.setenv(name, value)
    page.run()
    yield {name: importlib.import_module(name) for name in MODULES}
    for name in MODULES:
        del sys.modules[name]
    for table in ("bonuses", "letters"):
        stack.aws("dynamodb").delete_table(TableName=table)


def test_consumer_of_the_page_counts_each_event_once(stack: DevStack, page: Page, project: dict[str, ModuleType]) -> None:
    """And keeps the newest state. Powertools sends a letter once. The tests of the page pass."""
    consumer, letters = project["consumer"], project["letters"]
    paid = consumer.OrderPaid(order_id="o-1", paid_at=START)
    events = [published(paid), published(paid), published(paid, sequence=2)]
    assert consumer.handler(sqs(*events), None) == {"batchItemFailures": []}
    for event in reversed(events):
        consumer.remember(event)
    assert letters.handler(sqs(*events), SimpleNamespace(get_remaining_time_in_millis=lambda: 30_000)) == {
        "batchItemFailures": []
    }
    items = stack.aws("dynamodb").scan(TableName="bonuses")["Items"]
    assert {item["id"]["S"]: item["bonus"]["N"] for item in items if "bonus" in item} == {"order/o-1": "2"}
    assert {item["at"]["S"] for item in items if item["id"]["S"].startswith("document/")} == {f"{1:020}/{2:020}"}
    assert letters.SENT == ["o-1", "o-1"]
    page.variables["PYTEST_DISABLE_PLUGIN_AUTOLOAD"] = "1"
    assert "2 passed" in page.run()
