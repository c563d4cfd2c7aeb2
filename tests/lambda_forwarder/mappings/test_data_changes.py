"""The data change event: the item after the change, and the patch, as far as the database tells."""

import os
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest

from lambda_forwarder.mappings.data_changes import DataChanged, data_changed
from tailrace.wire.change import UpdateDescription
from tests.samples.changes import a_change

BEFORE, AFTER = {"_id": 1, "a": {"b": 1}}, {"_id": 1, "a": {"b": 2}}
NESTED = UpdateDescription(updated_fields={"a.b": 2})


def told(**fields: Any) -> DataChanged:
    event = data_changed(a_change(**fields))
    assert event is not None
    return event


def test_an_insert_is_complete() -> None:
    """The item, and a patch that makes it of nothing."""
    event = told(full_document=AFTER)
    assert (event.operation, event.item, event.item_as_of) == ("created", AFTER, "change")
    assert event.patch == [{"op": "replace", "path": "", "value": AFTER}]


def test_an_update_with_a_pre_image_is_exact() -> None:
    """Not the looked-up item, which may be newer: the post-image, or the update where its path can be read in one way."""
    images = {"operation_type": "update", "full_document_before_change": BEFORE, "update_description": NESTED}
    newer = {"_id": 1, "a": "newer"}
    assert told(**images, full_document=newer).item_as_of == "lookup"  # it may have set a field of the name "a.b"
    event = told(**images, full_document=AFTER, post_image=True)
    said = UpdateDescription(updated_fields={"a.b": 2}, disambiguated_paths={})
    assert told(**images | {"update_description": said}, full_document=newer) == event
    assert (event.operation, event.item, event.item_as_of) == ("updated", AFTER, "change")
    assert event.patch == [{"op": "replace", "path": "/a/b", "value": 2}]


@pytest.mark.parametrize("looked_up", [AFTER, None])
def test_an_update_without_a_pre_image_says_that_its_item_was_looked_up(looked_up: object) -> None:
    """It may be newer or gone; the patch is left out rather than guessed."""
    event = told(operation_type="update", full_document=looked_up, update_description=NESTED)
    assert (event.item, event.item_as_of, event.patch) == (looked_up, "lookup", None)


def test_a_replace_is_an_update() -> None:
    """With a pre-image the patch is what differs, without one the whole item."""
    event = told(operation_type="replace", full_document=AFTER, full_document_before_change=BEFORE)
    assert (event.operation, event.patch) == ("updated", [{"op": "replace", "path": "/a/b", "value": 2}])
    assert told(operation_type="replace", full_document=AFTER).patch == [{"op": "replace", "path": "", "value": AFTER}]


def test_a_delete_leaves_nothing() -> None:
    """No item, and a patch to null."""
    event = told(operation_type="delete", full_document=None)
    assert (event.operation, event.item, event.item_as_of) == ("deleted", None, "change")
    assert event.patch == [{"op": "replace", "path": "", "value": None}]


@pytest.mark.parametrize("operation", ["drop", "rename", "invalidate"])
def test_what_happens_to_a_whole_collection_is_no_data_change(operation: str) -> None:
    """It has no item."""
    assert data_changed(a_change(operation_type=operation, full_document=None)) is None


PATCH = """
from tailrace import Change, Namespace
before = {name: 1 for name in "abcdefgh"} | {"list": [1, 2, 3]}
after = {name: 2 for name in "cdefghij"} | {"list": [3, 1]}
print(Change(id="1", sequence=1, operation_type="replace", ns=Namespace(db="d"), cluster_time="1.1",
             full_document=after, full_document_before_change=before).diff())
"""


def test_a_patch_is_the_same_in_every_process() -> None:
    """Whatever the hash seed: a repeat of an event has the same bytes."""
    root = Path(__file__).parents[3]
    patches = {
        subprocess.run(
            [sys.executable, "-c", PATCH],
            env=os.environ | {"PYTHONHASHSEED": seed},
            cwd=root,
            capture_output=True,
            text=True,
            check=True,
        ).stdout
        for seed in ("1", "2", "3")
    }
    assert len(patches) == 1


def test_the_module_is_not_loaded_before_somebody_asks() -> None:
    """A function whose mappers ask for no patch does not pay for it in its cold start."""
    probe = "import sys, lambda_forwarder.handlers.sqs; print('jsonpatch' in sys.modules)"
    asked = subprocess.run([sys.executable, "-c", probe], capture_output=True, text=True, check=True)
    assert asked.stdout == "False\n"


def test_changes_of_any_collection_are_told() -> None:
    """The event names it."""
    assert told().collection == "payments.payments"
