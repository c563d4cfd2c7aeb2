"""The table of all shipped mappers."""

from lambda_forwarder.mappings import MAPPERS, data_changes, instalments, payments, subscriptions


def test_no_file_takes_a_collection_from_another() -> None:
    """Each collection is read by one file; merging would silently drop the other."""
    tables = (payments.MAPPERS, instalments.MAPPERS, subscriptions.MAPPERS, data_changes.MAPPERS)
    assert sum(map(len, tables)) == len(MAPPERS)
