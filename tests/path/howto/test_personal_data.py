"""Personal data that no event class names does not leave, and what Tailrace holds of a customer is found."""

from tailrace.project import load
from tests.eventually import eventually
from tests.howto.page import Page
from tests.path.howto.shop import BUS, Shop

PROJECT = 'mappers = "customers:MAPPERS"\n[[streams]]\nname = "customers"\ndatabase = "shop"\ncollections = ["customers"]\n'


def test_only_the_fields_of_an_event_class_leave(page: Page, shop: Shop) -> None:
    """The change with an address becomes an event without it. A parked change of the customer is found by the document."""
    page.write_files()
    (page.folder / "tailrace.toml").write_text(PROJECT)
    project = load(page.folder)
    shop.open_terminal(page, project)
    assert "CustomerRegistered" in page.run()
    page.run()
    assert "GB" in (page.folder / "published.json").read_text()
    page.run()
    customers = shop.stack.mongo.shop.customers
    with shop.tailing(*project.streams):
        customers.insert_one({"_id": "c-1", "email": "ada@example.com"})
        customers.delete_one({"_id": "c-1"})
        [event] = shop.consumer.receive_count(1)
    assert (event.name, event.data) == ("CustomerErased", {"customerId": "c-1"})
    assert page.run().strip() not in ("", "None")
    assert eventually(lambda: "shop.customers/c-1" in shop.parked())  # visible again after the page's command
    page.variables |= shop.stack.resources.forwarder_settings(BUS)
    assert "shop.customers/c-1" in page.bash("tailrace redrive --dry-run", code=1)
