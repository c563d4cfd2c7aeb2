"""An event that the application writes itself is published, in the order of its key, and cleaned up."""

from tailrace.project import load
from tests.eventually import eventually
from tests.howto.page import Page
from tests.path.howto.shop import Shop


def test_event_of_the_application_is_published(page: Page, shop: Shop) -> None:
    """A document with another key than its payload is parked, and a deletion means nothing."""
    page.write_files()
    project = load(page.folder)
    shop.open_terminal(page, project)
    database = shop.stack.mongo.payments
    with shop.tailing(*project.streams):
        page.run()
        database.outbox.insert_one({"type": "InstalmentFailed", "key": "p-2", "payload": {"paymentId": "p-1", "reason": "r"}})
        database.outbox.delete_many({"key": "p-2"})
        page.bash("python collect.py")
        events = shop.consumer.receive_count(2)
        assert eventually(lambda: "the key differs from the payload's payment_id" in shop.parked())
    assert [(one.name, one.document, one.data["amount"]) for one in events] == [
        ("InstalmentCollected", "payments.outbox/p-1", "12.50")
    ] * 2
    assert events[0].position < events[1].position
    assert database.payments.find_one({"_id": "p-1", "collected": 2})
    page.run()
    [index] = [one for one in database.outbox.list_indexes() if "expireAfterSeconds" in one]
    assert (index["key"], index["expireAfterSeconds"]) == ({"writtenAt": 1}, 604_800)
