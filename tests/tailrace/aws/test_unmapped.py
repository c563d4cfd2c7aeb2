"""What is kept of collections that no mapper reads: bounded, legible, and forgotten in time."""

import msgspec
from hypothesis import given
from hypothesis import strategies as st

from tailrace.aws.unmapped import COLLECTIONS, KEPT_SECONDS, NAME_LENGTH, NAMES, Unmapped, added, kept

NOW = 1_795_330_680
counts = st.dictionaries(st.text(max_size=400), st.integers(1, 2**40), max_size=60)


def item(*collections: Unmapped) -> dict[str, dict[str, str]]:
    return {COLLECTIONS: {"S": msgspec.json.encode(collections).decode()}}


def one(collection: str, changes: int, last: int = NOW, since: int = NOW) -> Unmapped:
    return Unmapped(collection=collection, changes=changes, since=since, last=last)


def test_changes_add_up_and_times_tell_when() -> None:
    """The first time stays, the last one moves; what was not seen again stays as it is."""
    before = added([], {"shop.a": 2, "shop.b": 1}, NOW)
    assert added(before, {"shop.a": 3}, NOW + 60.5) == [one("shop.a", 5, last=NOW + 60), one("shop.b", 1)]


@given(st.lists(counts, max_size=4))
def test_whoever_makes_up_names_fills_no_item(calls: list[dict[str, int]]) -> None:
    """At most twenty, those with the most changes, each legible and cut; an item of DynamoDB has room for 400 KB."""
    found: list[Unmapped] = []
    for each in calls:
        found = list(added(found, each, NOW))
    assert len(found) <= NAMES
    assert all(each.collection.isprintable() and len(each.collection) <= NAME_LENGTH for each in found)
    assert found == sorted(found, key=lambda each: -each.changes)
    assert len(msgspec.json.encode(found)) < 40_000
    assert kept(item(*found), NOW) == found


def test_what_has_a_mapper_now_is_forgotten_in_time() -> None:
    """Each collection by itself: another one without a mapper does not keep it."""
    stored = item(one("shop.a", 9, last=NOW), one("shop.b", 1, last=NOW + 60))
    assert [each.collection for each in kept(stored, NOW + KEPT_SECONDS - 1)] == ["shop.a", "shop.b"]
    assert [each.collection for each in kept(stored, NOW + KEPT_SECONDS)] == ["shop.b"]
    assert kept(stored, NOW + KEPT_SECONDS + 60) == []
    assert kept(None, NOW) == []
