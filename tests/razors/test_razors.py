"""The example, run as its reader runs it, and the guarantees that it claims."""

import ast
import subprocess
import sys
from pathlib import Path

import pytest

from devstack.stack import DevStack
from examples.razors import inbox, once, orders, outage, payments, stock, subscriptions
from examples.razors.events import MAPPERS
from examples.razors.hops import HopMissing, Hops
from examples.razors.inbox import Event
from examples.razors.payments import Payments
from examples.razors.stock import Stock
from examples.razors.subscriptions import Subscriptions
from lambda_forwarder.handlers.dynamodb_records import read
from lambda_forwarder.mapping.events import map_changes
from tailrace.dev.screen import Screen
from tests.lambda_forwarder.handlers.test_dynamodb import record
from tests.lambda_forwarder.values import inserted, message

ROOT = Path(__file__).parents[2]
EXAMPLE = ROOT / "examples" / "razors"
OURS = ("tailrace", "tailer", "lambda_forwarder", "tailrace_cdk", "infra", "devstack")
PUBLIC = {"tailrace", "lambda_forwarder.mappings.data_changes"}

STEPS = [  # the steps of both articles as the output names them
    "PUT /orders/o-0 answers 200",
    "DataChanged created, with the complete item",
    "DataChanged updated, with the patch",
    "PUT /orders/o-3 answers 200 all the same",
    "3 changes wait",
    "SubscriptionCreated from the table's stream",
    "12 units allocated",
    "one payment created in MongoDB",
    "PaymentCreated from the change stream",
    "PaymentCancelled from the change stream",
    "stock             0 units allocated",
    "subscriptions     cancelled",
    "the same metadata.id",
    "each event was acted upon once",
    "DataChanged o-3, created",
    "parking queue     empty",
]


def event(name: str = "SubscriptionCreated", event_id: str = "e-1", **data: object) -> Event:
    return Event(name=name, id=event_id, data={"subscriptionId": "s-1", **data}, metadata={}, replayed=False)


def create_item_table(stack: DevStack, name: str, key: str = "id") -> str:
    stack.aws("dynamodb").create_table(
        TableName=name,
        AttributeDefinitions=[{"AttributeName": key, "AttributeType": "S"}],
        KeySchema=[{"AttributeName": key, "KeyType": "HASH"}],
        BillingMode="PAY_PER_REQUEST",
    )
    return name


@pytest.mark.usefixtures("services")
def test_every_step_of_both_articles_happens() -> None:
    """The scenario exits 0 and shows each hop in order."""
    command = [sys.executable, "-m", "examples.razors", "--no-wait"]
    done = subprocess.run(command, cwd=ROOT, capture_output=True, text=True, timeout=110)
    assert done.returncode == 0, done.stdout + done.stderr
    at = -1
    for step in STEPS:
        found = done.stdout.find(step, at + 1)
        assert found > at, f"{step!r} is not shown, or not in its place:\n{done.stdout}"
        at = found


def test_missing_hop_ends_the_scenario(stack: DevStack) -> None:
    hops = Hops(Screen(), stack.aws("sqs"), {})
    with pytest.raises(HopMissing, match="pigs fly"):
        hops.check("pigs fly", lambda: False, 0.1)
    assert hops.count == 0


def test_domains_import_nothing_of_tailrace() -> None:
    """The mappers import only public names."""
    for module in (inbox, once, orders, outage, payments, stock, subscriptions):
        assert not _imported(Path(module.__file__ or "")), module.__name__
    assert _imported(EXAMPLE / "events.py") == PUBLIC


def test_stock_allocates_and_returns_once(stack: DevStack, fresh: str) -> None:
    """A year's units. A repeat changes nothing, and an early cancellation waits."""
    domain = Stock(stack.aws("dynamodb"), create_item_table(stack, fresh))
    created, cancelled = event(productId="razor", unitsAMonth=2), event("PaymentCancelled", "e-2")
    with pytest.raises(LookupError):
        domain.handle(cancelled)
    assert [domain.handle(created), domain.handle(created)] == [True, False]
    assert domain.allocated("razor") == 24
    assert [domain.handle(cancelled), domain.handle(cancelled), domain.handle(created)] == [True, False, False]
    assert domain.allocated("razor") == 0


def test_payments_are_created_once(stack: DevStack, fresh: str) -> None:
    """The event's id and the payment are written in one transaction."""
    domain = Payments(stack.mongo, fresh)
    assert [domain.handle(event(event_id=one)) for one in ("p-1", "p-1")] == [True, False]
    assert [payment["status"] for payment in domain.of("s-1")] == ["created"]


def test_subscriptions_are_cancelled_once(stack: DevStack, fresh: str) -> None:
    """A repeat writes nothing, so it causes no change."""
    table, notes = create_item_table(stack, fresh, "subscriptionId"), create_item_table(stack, f"{fresh}-notes")
    domain = Subscriptions(stack.aws("dynamodb"), table, notes)
    domain.create("s-1", "razor", 1, "Ada")
    assert [domain.handle(event("PaymentCancelled")) for _ in range(2)] == [True, False]
    assert domain.status("s-1") == "cancelled"


def test_mappers_read_tables_and_collections() -> None:
    """By the name of either."""
    names = [entry.detail_type for entry in map_changes(message(inserted()), MAPPERS)[0]]
    image = {"subscriptionId": {"S": "s-1"}, "productId": {"S": "razor"}, "unitsAMonth": {"N": "1"}, "status": {"S": "active"}}
    told = record(keys={"subscriptionId": {"S": "s-1"}}, new=image)
    told["eventSourceARN"] = told["eventSourceARN"].replace("orders", "razors-subscriptions")
    names += [entry.detail_type for entry in map_changes(read(told, 0.0), MAPPERS)[0]]
    assert names == ["PaymentCreated", "SubscriptionCreated"]


def _imported(file: Path) -> set[str]:
    """Return the modules of Tailrace that a file imports."""
    found: set[str] = set()
    for node in ast.walk(ast.parse(file.read_text())):
        if isinstance(node, ast.ImportFrom):
            found.add(node.module or "")
        elif isinstance(node, ast.Import):
            found |= {alias.name for alias in node.names}
    return {name for name in found if name.partition(".")[0] in OURS}
