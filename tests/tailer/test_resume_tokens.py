"""The time in a resume token is the server's cluster time; other texts have none."""

from typing import Any
from uuid import UUID

import pytest
from bson import Decimal128, Int64, ObjectId, json_util
from bson.timestamp import Timestamp
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from pymongo import MongoClient

from tailer.mongodb.events.positions import time_text, token_text
from tailer.resume_tokens import token_time
from tailer.times import time_of

Mongo = MongoClient[dict[str, Any]]

UINT32 = st.integers(0, 2**32 - 1)
HEX = st.text("0123456789ABCDEFabcdef")
IDS = st.one_of(
    st.integers(-(2**63), 2**63 - 1).map(Int64),
    st.integers(-(2**31), 2**31 - 1),
    st.floats(allow_nan=False),
    st.text(st.characters(blacklist_characters="\0", blacklist_categories=["Cs"]), max_size=40),
    st.binary(min_size=12, max_size=12).map(ObjectId),
    st.uuids().map(lambda value: {"id": str(UUID(int=value.int))}),
    st.decimals(allow_nan=False, places=3).map(Decimal128),
    st.booleans(),
    st.none(),
)


@given(kind=st.sampled_from(["82", "01"]), seconds=UINT32.filter(bool), increment=UINT32, rest=HEX)
def test_token_begins_with_its_cluster_time(kind: str, seconds: int, increment: int, rest: str) -> None:
    """After the first byte of MongoDB and of DocumentDB; also in a token as JSON."""
    token = f"{kind}{seconds:08X}{increment:08x}{rest}"
    time = f"{seconds}.{increment}"
    assert token_time(token) == time
    assert token_time(json_util.dumps({"_data": token, "_typeBits": b"\1"})) == time


@given(st.one_of(st.text(), HEX, HEX.map("82".__add__), st.text().map("{".__add__), st.binary().map(repr)))
def test_any_other_text_has_no_time_or_a_possible_one(text: str) -> None:
    """Never 0, which would be 1970."""
    time = token_time(text)
    assert time is None or 0 < time_of(time)[0] < 2**32


@pytest.mark.parametrize(
    "token",
    [
        "",
        "82",
        "8200000000000000",
        "01" + "0" * 16,
        "826921A4C",
        "4711",
        "{}",
        "[1]",
        '{"_data": 1}',
        '{"_data": ',
        "{" * 99_999,
    ],
)
def test_invalid_token_has_no_time(token: str) -> None:
    assert token_time(token) is None


def test_documentdb_tokens_have_their_time() -> None:
    """Of an event, and a post-batch token with the increment 0."""
    assert token_time("016921a4c80000000301000000000000") == "1763812552.3"
    assert token_time("016921a4c80000000004") == "1763812552.0"


@settings(max_examples=10, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(ids=st.lists(IDS, min_size=1, max_size=8, unique_by=repr), in_a_transaction=st.booleans())
def test_real_tokens_have_the_time_of_their_event(mongo: Mongo, fresh: str, ids: list[Any], in_a_transaction: bool) -> None:
    """Whatever the ``_id`` and the event. A post-batch token's time is between its last event's and the server's."""
    database = mongo[fresh]
    database.payments.drop()
    database.create_collection("payments")
    opened = database.command({"aggregate": 1, "pipeline": [{"$changeStream": {}}], "cursor": {"batchSize": 0}})
    with mongo.start_session() as session:
        if in_a_transaction:
            session.start_transaction()
        for one in ids:
            database.payments.replace_one({"_id": one}, {"n": 1}, upsert=True, session=session)
            database.payments.update_one({"_id": one}, {"$set": {"n": 2}}, session=session)
            database.payments.delete_one({"_id": one}, session=session)
        if in_a_transaction:
            session.commit_transaction()
    database.payments.rename("archive")
    database.archive.drop()
    mongo.drop_database(fresh)
    seen: list[dict[str, Any]] = []
    while not seen or seen[-1]["operationType"] != "invalidate":
        more = {"getMore": opened["cursor"]["id"], "collection": "$cmd.aggregate", "maxTimeMS": 1000, "batchSize": 3}
        reply = database.command(more)
        events = reply["cursor"]["nextBatch"]
        seen += events
        for event in events:
            assert token_time(token_text(event["_id"])) == time_text(event["clusterTime"])
        after = token_time(token_text(reply["cursor"]["postBatchResumeToken"]))
        assert after is not None
        last = seen[-1]["clusterTime"] if seen else Timestamp(0, 0)
        assert (last.time, last.inc) <= time_of(after) <= (reply["operationTime"].time, reply["operationTime"].inc)
    assert {event["operationType"] for event in seen} >= {"insert", "update", "delete", "rename", "drop", "dropDatabase"}
