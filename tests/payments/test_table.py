"""The table of the mappers of the example."""

from examples.payments.events import MAPPERS, instalments, payments, subscriptions


def test_each_collection_is_mapped_in_one_file() -> None:
    """Merging the tables would silently drop the other file's mappers."""
    tables = (payments.MAPPERS, instalments.MAPPERS, subscriptions.MAPPERS)
    assert sum(map(len, tables)) + len({"orderstore.orders"}) == len(MAPPERS)
