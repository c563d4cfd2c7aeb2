"""A $match on a looked-up document is a warning, since it may match differently when the change is read again."""

import json
from typing import Any

import pytest

from tailer.checks import State
from tailer.mongodb.checks.pipeline import selects_the_same
from tailer.parts import Parts
from tailer.settings.settings import Settings
from tests.tailer.checked import Doctor

PAID: dict[str, Any] = {"fullDocument.status": "paid"}
INSERTS: dict[str, Any] = {"operationType": "insert"}
UPDATES: dict[str, Any] = {"operationType": "update"}


def verdict(stored: Settings, stages: list[dict[str, Any]], full_document: str = "updateLookup") -> State:
    settings = stored.model_copy(update={"pipeline": tuple(stages), "full_document": full_document})
    return selects_the_same(Parts(settings).watch).state


@pytest.mark.parametrize(
    "match",
    [
        PAID,
        {"fullDocument": None},
        UPDATES | PAID,
        {"operationType": {"$in": ["insert", "update"]}} | PAID,
        {"operationType": {"$ne": "insert"}} | PAID,
        {"$or": [INSERTS, PAID]},
        {"$and": [{"ns.coll": "payments"}, {"$or": [UPDATES | PAID, INSERTS]}]},
        {"$nor": [UPDATES | PAID]},
        {"$expr": {"$gt": ["$fullDocument.amount", 10]}},
    ],
)
def test_match_on_a_looked_up_document_is_a_warning(stored: Settings, match: dict[str, Any]) -> None:
    """Anywhere in the condition, unless updates have no document, or the one directly after the update."""
    assert verdict(stored, [{"$project": {"updateDescription.truncatedArrays": 0}}, {"$match": match}]) is State.WARN
    assert verdict(stored, [{"$match": match}], "whenAvailable") is State.WARN
    assert {verdict(stored, [{"$match": match}], exact) for exact in ("default", "required")} == {State.OK}
    assert verdict(stored, [{"$match": match}, {"$match": INSERTS}]) is State.OK  # No update is left, in any order.


@pytest.mark.parametrize(
    "match",
    [
        INSERTS | PAID,
        {"operationType": {"$in": ["insert", "replace"]}} | PAID,
        {"operationType": {"$eq": "insert"}} | PAID,
        {"operationType": {"$ne": "update"}} | PAID,
        {"operationType": {"$nin": ["update", "delete"]}} | PAID,
        {"$and": [PAID, INSERTS]},
        {"$or": [INSERTS | PAID, {"updateDescription.updatedFields.status": "paid"}]},
        {"fullDocumentBeforeChange.status": "paid"},
        {"$expr": {"$eq": ["$fullDocumentBeforeChange.status", "paid"]}},
        {"fullDocuments": 1},
    ],
)
def test_match_on_a_stable_document_passes(stored: Settings, match: dict[str, Any]) -> None:
    """An insert's document, a pre-image, or the update's own fields."""
    assert verdict(stored, [{"$match": match}]) is State.OK


def test_doctor_warns_of_an_unstable_match_with_a_remedy(doctor: Doctor, mapping: str) -> None:
    """A consumer that keeps a document's last sequence may drop newer changes."""
    report = doctor(TAILER_PIPELINE=json.dumps([{"$match": PAID}]))
    state, words = report["stream.pipeline"]
    assert state == "warn"
    assert "fullDocument of updates" in words
    assert "inserts and replaces" in words
    assert report.code == 0
