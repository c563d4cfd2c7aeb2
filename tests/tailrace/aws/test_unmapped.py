"""The record of collections that no mapper reads is bounded and printable, and its entries expire."""

import msgspec
from hypothesis import given
from hypothesis import strategies as st

from tailrace.aws.unmapped import COLLECTIONS, KEPT_SECONDS, NAME_LENGTH, NAMES, Unmapped, added, kept

NOW = 1_795_330_680
counts = st.dictionaries(st.text(max_size=400), st.integers(1, 2**40), max_size=60)


def item(*collections: Unmapped) -> dict[str, dict[str, str]]:
    return {COLLECTIONS: {"S": msgspec.json.encode(collections).decode()}}


def entry(collection: str, changes: int, last: int = NOW, since: int = NOW) -> Unmapped:
    return Unmapped(collection=collection, changes=changes, since=since, last=last)


def test_unmapped_counts_add_up_and_keep_first_and_last_time() -> None:
    """An entry that is not seen again stays unchanged."""
    before = added([], {"shop.a": 2, "shop.b": 1}, NOW)
    assert added(before, {"shop.a": 3}, NOW + 60.5) == [entry("shop.a", 5, last=NOW + 60), entry("shop.b", 1)]


@given(st.lists(counts, max_size=4))
def test_unmapped_record_is_bounded_for_random_collection_names(calls: list[dict[str, int]]) -> None:
    """It keeps the twenty collections with the most changes. A DynamoDB item has room for 400 KB."""
    found: list[Unmapped] = []
    for each in calls:
        found = list(added(found, each, NOW))
    assert len(found) <= NAMES
    assert all(each.collection.isprintable() and len(each.collection) <= NAME_LENGTH for each in found)
    assert found == sorted(found, key=lambda each: -each.changes)
    assert len(msgspec.json.encode(found)) < 40_000
    assert kept(item(*found), NOW) == found


def test_unmapped_entry_expires_when_its_collection_is_mapped() -> None:
    """Each collection expires by itself."""
    stored = item(entry("shop.a", 9, last=NOW), entry("shop.b", 1, last=NOW + 60))
    assert [each.collection for each in kept(stored, NOW + KEPT_SECONDS - 1)] == ["shop.a", "shop.b"]
    assert [each.collection for each in kept(stored, NOW + KEPT_SECONDS)] == ["shop.b"]
    assert kept(stored, NOW + KEPT_SECONDS + 60) == []
    assert kept(None, NOW) == []
