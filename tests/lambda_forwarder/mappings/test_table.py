"""The table of all shipped mappers."""

from lambda_forwarder.mappings import MAPPERS, data_changes, instalments, payments, subscriptions


def test_each_collection_is_mapped_in_one_file() -> None:
    """Merging the tables would silently drop the other file's mappers."""
    tables = (payments.MAPPERS, instalments.MAPPERS, subscriptions.MAPPERS, data_changes.MAPPERS)
    assert sum(map(len, tables)) == len(MAPPERS)
