"""The page on consuming events is a project that does what it says."""

import importlib
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path
from types import ModuleType, SimpleNamespace

import pytest

from devstack import DevStack
from tailrace.testing import published, sqs
from tailrace.testing.moments import START
from tests.page_files import write_files

PAGE = "how-to/consuming-events.md"
MODULES = ("consumer", "letters")


@pytest.fixture
def project(stack: DevStack, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[dict[str, ModuleType]]:
    """The modules of the page, on the emulator with their tables."""
    write_files(PAGE, tmp_path)
    monkeypatch.syspath_prepend(str(tmp_path))
    for name, value in stack.aws.environment.items():
        monkeypatch.setenv(name, value)
    for table in ("bonuses", "letters"):
        stack.aws("dynamodb").create_table(
            TableName=table,
            AttributeDefinitions=[{"AttributeName": "id", "AttributeType": "S"}],
            KeySchema=[{"AttributeName": "id", "KeyType": "HASH"}],
            BillingMode="PAY_PER_REQUEST",
        )
    yield {name: importlib.import_module(name) for name in MODULES}
    for name in MODULES:
        del sys.modules[name]
        stack.aws("dynamodb").delete_table(TableName={"consumer": "bonuses"}.get(name, name))


def test_consumer_of_the_page_counts_each_event_once(stack: DevStack, project: dict[str, ModuleType]) -> None:
    """And keeps the newest state. Powertools sends a letter once."""
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


def test_tests_of_the_page_pass(tmp_path: Path) -> None:
    write_files(PAGE, tmp_path)
    (tmp_path / "pytest.ini").write_text("[pytest]\npythonpath = .\n")
    command = [sys.executable, "-P", "-m", "pytest", "-q", "-p", "no:cacheprovider", "test_consumer.py"]
    environment = {"PATH": "/usr/bin:/bin", "AWS_REGION": "eu-west-1", "AWS_DEFAULT_REGION": "eu-west-1"}
    done = subprocess.run(command, cwd=tmp_path, env=environment, capture_output=True, text=True, check=False)
    assert "2 passed" in done.stdout, done.stdout + done.stderr
