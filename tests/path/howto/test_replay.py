"""Past changes are delivered again, from the archive and from the database, and look to a consumer as the page says."""

from datetime import UTC, datetime, timedelta
from typing import Any

from tailrace.project import load
from tests.howto.page import Page
from tests.path.howto.shop import Shop
from tests.path.howto.test_existing_data import PROJECT


def test_events_are_delivered_again(page: Page, shop: Shop) -> None:
    """A replay has the ids and numbers of then, and a name. A rewind has the same ids in a new generation, and no mark."""
    (page.folder / "tailrace.toml").write_text(PROJECT)
    (page.folder / "events.py").touch()
    project = load(page.folder)
    shop.open_terminal(page, project)
    ecs, orders = shop.stack.aws("ecs"), shop.stack.mongo.shop.orders
    shop.stack.aws("events").create_archive(ArchiveName="shop", EventSourceArn=page.bash("output EventBusArn").strip())
    page.variables |= {"FROM": time(), "TO": time(seconds=60)}
    with shop.tailing(*project.streams):
        orders.insert_many([{"_id": f"again-{n}", "status": "paid"} for n in range(3)])
        first = shop.consumer.receive_count(3)
    _, rule = page.run().split()
    page.variables["RULE_ARN"] = rule
    page.run()
    replayed = {one.id: one for one in shop.consumer.receive_count(3)}
    assert [(replayed[one.id].position, replayed[one.id].data) for one in first] == [(one.position, one.data) for one in first]
    assert {one.replay for one in replayed.values()} == {"orders-1"}

    assert "headroomSeconds" in page.run()
    page.run()
    assert desired(ecs) == 0
    assert "would be" in page.run()
    page.run()
    assert desired(ecs) == 2
    with shop.tailing(*project.streams):
        again = {one.id: one for one in shop.consumer.receive_count(3)}
    for before in first:
        after = again[before.id]
        assert (after.data, after.metadata.occurred_at) == (before.data, before.metadata.occurred_at)
        assert after.position > before.position
        assert after.metadata.generation == before.metadata.generation + 1
        assert (after.metadata.late, after.replay) == (False, "")


def desired(ecs: Any) -> int:
    [service] = ecs.describe_services(cluster="shop", services=["shop"])["services"]
    return int(service["desiredCount"])


def time(seconds: float = 0) -> str:
    """Return the time, or a later one, as RFC 3339."""
    return (datetime.now(UTC) + timedelta(seconds=seconds)).isoformat(timespec="seconds")
