"""On updates of a real server, with and without pre-images, every question is answered right or raises Uncertain."""

from contextlib import closing
from typing import Any

import pytest
from jsonpatch import JsonPatch
from pymongo import MongoClient

from tailer.mongodb.source import MongodbSource
from tailer.mongodb.watch import Watch
from tailrace.change import Change
from tailrace.questions.images import Uncertain
from tailrace.wire.change import canonical
from tests.asked import as_received

Mongo = MongoClient[dict[str, Any]]

DOCUMENT = {
    "_id": 1,
    "status": "created",
    "address": {"city": "Bonn", "zip": "53111"},
    "items": [{"sku": "a", "price": 1}, {"sku": "b", "price": 2}, {"sku": "c", "price": 3}],
    "tags": ["x", "y", "z"],
}
UPDATES: dict[str, Any] = {
    "a field": {"$set": {"status": "cancelled"}},
    "a field to what it was": {"$set": {"status": "created", "note": "x"}},
    "a field to the same number of another type": {"$set": {"items.0.price": 1.0}},
    "a nested field": {"$set": {"address.city": "Berlin"}},
    "all around it, partly as it was": {"$set": {"address": {"city": "Bonn", "zip": "10115"}}},
    "a field, removed": {"$unset": {"status": 1}},
    "a nested field, removed": {"$unset": {"address.zip": 1}},
    "an element, removed": {"$unset": {"tags.1": 1}},
    "what the path leads through is made": {"$set": {"billing.address.city": "Berlin"}},
    "an element of an array": {"$set": {"items.1.price": 9}},
    "elements of an array by a filter": {"$inc": {"items.$[].price": 1}},
    "an array grows": {"$push": {"tags": "w"}},
    "an array grows at its front": {"$push": {"tags": {"$each": ["w"], "$position": 0}}},
    "an array is cut": {"$pop": {"tags": 1}},
    "an array loses its first": {"$pop": {"tags": -1}},
    "an array loses one in the middle": {"$pull": {"items": {"sku": "b"}}},
    "an array is filled up": {"$set": {"tags.5": "f"}},
    "a field is renamed": {"$rename": {"status": "state"}},
    "by a pipeline": [{"$set": {"tags": {"$slice": ["$tags", 2]}, "address.city": "Berlin"}}, {"$unset": "status"}],
}
PATHS = [
    *("status", "state", "note", "address", "address.city", "address.zip", "billing", "billing.address.city"),
    *("items", "items.0", "items.0.price", "items.1", "items.1.sku", "items.2", "items.2.price", "tags"),
    *(f"tags.{index}" for index in range(6)),
]


def change_by(mongo: Mongo, name: str, update: Any, pre_images: bool) -> Change:
    """Make the update and read its change event at once, so that the lookup finds no newer document."""
    orders = mongo[name].create_collection("orders", changeStreamPreAndPostImages={"enabled": True})
    orders.insert_one(DOCUMENT)
    source = MongodbSource(mongo, Watch(database=name, full_document_before_change="required" if pre_images else "off"))
    start = source.first()
    orders.update_one({"_id": 1}, update)
    with closing(source.batches(start)) as batches:
        return next(as_received(change) for batch in batches for change in batch.changes)


def value_at(document: dict[str, Any], path: str) -> Any:
    """Return what MongoDB's users see at the path, worked out independently, or "absent"."""
    found: Any = document
    for name in path.split("."):
        try:
            found = found[int(name) if isinstance(found, list) else name]
        except (LookupError, ValueError, TypeError):
            return "absent"
    return found


@pytest.mark.parametrize("update", UPDATES.values(), ids=UPDATES.keys())
def test_every_question_is_certain_and_right_with_a_pre_image(mongo: Mongo, fresh: str, update: Any) -> None:
    change = change_by(mongo, fresh, update, pre_images=True)
    now = change.full_document
    assert now is not None
    assert change.before == DOCUMENT
    assert canonical(change.after) == canonical(now)
    assert JsonPatch(change.diff()).apply(DOCUMENT) == now
    for path in PATHS:
        was, is_now = value_at(DOCUMENT, path), value_at(now, path)
        assert change.changed(path) == (was != is_now), path
        assert change.became(path, is_now) == (was != is_now and is_now != "absent"), path


@pytest.mark.parametrize("update", UPDATES.values(), ids=UPDATES.keys())
def test_no_question_is_wrong_without_a_pre_image(mongo: Mongo, fresh: str, update: Any) -> None:
    """With assume_new an event may repeat but is never missed."""
    change = change_by(mongo, fresh, update, pre_images=False)
    now = change.full_document
    assert now is not None
    for path in PATHS:
        was, is_now = value_at(DOCUMENT, path), value_at(now, path)
        assert change.changed(path, assume_new=True) or was == is_now, path
        try:
            changed = change.changed(path)
        except Uncertain:
            continue
        another_type = update == UPDATES["a field to the same number of another type"]
        assert changed == (was != is_now) or another_type, path
        try:
            assert change.became(path, is_now) == (changed and is_now != "absent"), path
        except Uncertain:
            assert changed, path
    try:
        assert JsonPatch(change.diff()).apply(DOCUMENT) == now
    except Uncertain:
        assert any("." in path for path in described(change))


def described(change: Change) -> list[str]:
    told = change.update_description
    assert told is not None
    return [*told.updated_fields, *told.removed_fields, *(f"{array['field']}." for array in told.truncated_arrays)]
