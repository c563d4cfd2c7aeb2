"""The data that is already there reaches a consumer, in both ways of the page."""

from tailrace.project import load
from tests.howto.page import Page
from tests.path.howto.shop import Shop

PROJECT = 'mappers = "events:MAPPERS"\n[[streams]]\nname = "orders"\ndatabase = "shop"\ncollections = ["orders"]\n'


def test_consumers_receive_what_was_there_before(page: Page, shop: Shop) -> None:
    """From the server's history, and by an update of each document."""
    page.write_files()
    (page.folder / "tailrace.toml").write_text(PROJECT)
    project = load(page.folder)
    shop.open_terminal(page, project)
    orders = shop.stack.mongo.shop.orders
    orders.insert_many([{"_id": f"existing-{n}", "status": "paid"} for n in range(3)])
    with shop.tailing(*project.streams):
        assert shop.consumer.receive() == []
    assert "would be" in page.run()
    with shop.tailing(*project.streams):
        from_history = shop.consumer.receive_count(3)
        page.run()
        announced = shop.consumer.receive_count(3)
    names = {f"existing-{n}" for n in range(3)}
    assert {one.data["orderId"] for one in from_history} >= names
    assert {(one.name, one.data["orderId"], one.data["status"]) for one in announced} == {
        ("OrderAnnounced", name, "paid") for name in names
    }
