"""The data change event: the item after the change, and the patch, as far as they are certain."""

import os
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest

from tailrace.mappers.data_changes import DataChanged, data_changed
from tailrace.wire.change import UpdateDescription
from tests.samples.changes import a_change

BEFORE, AFTER = {"_id": 1, "a": {"b": 1}}, {"_id": 1, "a": {"b": 2}}
NESTED = UpdateDescription(updated_fields={"a.b": 2})


def event_of(**fields: Any) -> DataChanged:
    event = data_changed(a_change(**fields))
    assert event is not None
    return event


def test_insert_has_the_item_and_a_full_patch() -> None:
    event = event_of(full_document=AFTER)
    assert (event.operation, event.item, event.item_as_of) == ("created", AFTER, "change")
    assert event.patch == [{"op": "replace", "path": "", "value": AFTER}]


def test_update_with_a_pre_image_is_exact() -> None:
    """The item is the post-image, or the pre-image with the update, and never a newer looked-up document."""
    images = {"operation_type": "update", "full_document_before_change": BEFORE, "update_description": NESTED}
    newer = {"_id": 1, "a": "newer"}
    assert event_of(**images, full_document=newer).item_as_of == "lookup"  # It may have set a field named "a.b".
    event = event_of(**images, full_document=AFTER, post_image=True)
    said = UpdateDescription(updated_fields={"a.b": 2}, disambiguated_paths={})
    assert event_of(**images | {"update_description": said}, full_document=newer) == event
    assert (event.operation, event.item, event.item_as_of) == ("updated", AFTER, "change")
    assert event.patch == [{"op": "replace", "path": "/a/b", "value": 2}]


@pytest.mark.parametrize("looked_up", [AFTER, None])
def test_update_without_a_pre_image_has_a_looked_up_item(looked_up: object) -> None:
    """It may be newer or missing, and there is no patch."""
    event = event_of(operation_type="update", full_document=looked_up, update_description=NESTED)
    assert (event.item, event.item_as_of, event.patch) == (looked_up, "lookup", None)


def test_replace_is_an_update() -> None:
    """With a pre-image the patch is the difference, without one the whole item."""
    event = event_of(operation_type="replace", full_document=AFTER, full_document_before_change=BEFORE)
    assert (event.operation, event.patch) == ("updated", [{"op": "replace", "path": "/a/b", "value": 2}])
    assert event_of(operation_type="replace", full_document=AFTER).patch == [{"op": "replace", "path": "", "value": AFTER}]


def test_delete_has_no_item() -> None:
    """The patch sets null."""
    event = event_of(operation_type="delete", full_document=None)
    assert (event.operation, event.item, event.item_as_of) == ("deleted", None, "change")
    assert event.patch == [{"op": "replace", "path": "", "value": None}]


@pytest.mark.parametrize("operation", ["drop", "rename", "invalidate"])
def test_change_of_a_whole_collection_is_no_data_change(operation: str) -> None:
    assert data_changed(a_change(operation_type=operation, full_document=None)) is None


PATCH = """
from tailrace import Change, Namespace
before = {name: 1 for name in "abcdefgh"} | {"list": [1, 2, 3]}
after = {name: 2 for name in "cdefghij"} | {"list": [3, 1]}
print(Change(id="1", sequence=1, operation_type="replace", ns=Namespace(db="d"), cluster_time="1.1",
             full_document=after, full_document_before_change=before).diff())
"""


def test_patch_is_the_same_in_every_process() -> None:
    """Whatever the hash seed, so that a repeated event has the same bytes."""
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


def test_jsonpatch_is_not_imported_until_a_patch_is_needed() -> None:
    """It would lengthen the cold start."""
    probe = "import sys, lambda_forwarder.handlers.sqs; print('jsonpatch' in sys.modules)"
    asked = subprocess.run([sys.executable, "-c", probe], capture_output=True, text=True, check=True)
    assert asked.stdout == "False\n"


def test_event_names_its_collection() -> None:
    assert event_of().collection == "payments.payments"
