"""A pipeline that the server refuses, or that fails on an event, is a wrong setting whatever the error code."""

from contextlib import closing
from itertools import islice
from typing import Any

import pytest
from pymongo import MongoClient

from tailer.errors import Misconfigured
from tailer.mongodb.source import MongodbSource
from tailer.mongodb.watch import Watch
from tailer.settings.forms import stages

Mongo = MongoClient[dict[str, Any]]
SECRET = "DE89370400440532013000"  # a value of a document


pytestmark = pytest.mark.usefixtures("short_reads")


REFUSED = [
    {"$match": 1},
    {"$match": {"$nonsense": 1}},
    {"$match": {"$text": {"$search": "x"}}},
    {"$match": {"a": {"$near": [0, 0]}}},
    {"$match": {"a": {"$regex": "("}}},
    {"$match": {"a": {"$regex": "x", "$options": "q"}}},
    {"$match": {"a": {"$in": 1}}},
    {"$match": {"$or": []}},
    {"$match": {"$expr": "$$undefined"}},
    {"$match": {"$expr": {"$eq": [1]}}},
    {"$project": 1},
    {"$project": {}},
    {"$project": {"a": 1, "b": 0}},
    {"$project": {"a": 1, "a.b": 1}},
    {"$project": {"$a": 1}},
    {"$project": {"a.": 1}},
    {"$project": {"a..b": 1}},
    {"$project": {"": 1}},
    {"$project": {"a": {}}},
    {"$project": {"a": "$"}},
    {"$project": {"a": {"$nonsense": 1}}},
    {"$project": {"a": {"$meta": "textScore"}}},
    {"$addFields": 1},
    {"$set": {"a": 1, "a.b": 2}},
    {"$set": {"a": {"b": 1, "$add": [1]}}},
    {"$set": {"a": {"$toInt": "x"}}},
    {"$unset": []},
    {"$unset": ["a", "a.b"]},
    {"$redact": "$$NOWHERE"},
    {"$replaceRoot": 1},
    {"$replaceRoot": {}},
    {"$project": {"_id": 0}},
]
FAILING = [  # the event of the test
    {"$set": {"a": {"$toInt": "$fullDocument.iban"}}},
    {"$set": {"a": {"$toDate": "$fullDocument.iban"}}},
    {"$set": {"a": {"$toObjectId": "$fullDocument.iban"}}},
    {"$set": {"a": {"$add": ["$fullDocument.iban", 1]}}},
    {"$set": {"a": {"$divide": [1, "$fullDocument.none"]}}},
    {"$redact": "$fullDocument.iban"},
    {"$replaceRoot": {"newRoot": "$fullDocument.iban"}},
    {"$match": {"$expr": {"$gt": [{"$toInt": "$fullDocument.iban"}, 1]}}},
]


@pytest.mark.parametrize("stage", [*REFUSED, *FAILING], ids=str)
def test_failing_pipeline_is_a_wrong_setting(mongo: Mongo, fresh: str, stage: dict[str, Any]) -> None:
    """The error names the setting and no value of a document. A retry would never end."""
    source = MongodbSource(mongo, Watch(database=fresh, collections=("payments",), pipeline=stages([stage])))
    mongo[fresh].create_collection("payments")
    first = source.first()
    mongo[fresh].payments.insert_one({"iban": SECRET, "none": 0})
    with closing(source.batches(first)) as batches, pytest.raises(Misconfigured, match="TAILER_PIPELINE") as caught:
        list(islice(batches, 5))
    assert SECRET not in str(caught.value)
