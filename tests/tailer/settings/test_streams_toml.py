"""The streams of an environment as the tailer reads them."""

import json
import tomllib
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st
from pydantic import ValidationError

from tailer.mongodb.scopes import refusal
from tailer.settings.named_stream import Stream
from tailer.settings.settings import load
from tailer.settings.streams_toml import toml

PIPELINE = '[{"$match": {"fullDocument.note": "a \\"quoted\\" \\\\ line\\n"}}]'
TASK = {
    "TAILER_MONGODB_URI": "mongodb://db.example:27017/?replicaSet=rs0",
    "TAILER_QUEUE_URL": "https://sqs.eu-west-1.amazonaws.com/000000000000/changes.fifo",
    "TAILER_CHECKPOINTS": "dynamodb://state",
}
STREAMS = (
    Stream(
        name="payments",
        database="payments",
        collections=("payments", "refunds"),
        lanes=7,
        order_by="customer.id",
        full_document_before_change="required",
    ),
    Stream(name="every-thing_2", database="*", pipeline=PIPELINE, full_document="default", start="2026-11-22T08:23:46+01:00"),
)
values = st.text() | st.sampled_from(
    [
        {"$oid": "65f000000000000000000001"},
        {"$date": "2026-11-22T08:23:46Z"},
        {"$numberLong": "5"},
        {"$numberDecimal": "1.10"},
        {"$regularExpression": {"pattern": "a", "options": "i"}},
    ]
)
streams = st.builds(
    Stream,
    name=st.from_regex(r"\A[A-Za-z0-9_-]{1,80}\Z").filter(lambda name: name != "events"),
    database=st.text(min_size=1).filter(lambda name: not refusal(name, ())),
    collections=st.lists(st.text().filter(lambda name: not refusal("x", (name,)))).map(tuple),
    pipeline=st.just("") | values.map(lambda value: json.dumps([{"$match": {"field": value}}])),
    lanes=st.integers(1, 100_000),
    order_by=st.text(min_size=1),
    full_document_before_change=st.just("required"),
)


def test_tailer_reads_every_setting_of_every_stream(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.chdir(tmp_path)
    for name, value in {**TASK, "TAILER_CONFIG_TOML": toml(STREAMS)}.items():
        monkeypatch.setenv(name, value)
    payments, everything = load()
    assert (payments.stream, payments.database, payments.collections) == ("payments", "payments", ("payments", "refunds"))
    assert (payments.lanes, payments.order_by, payments.start, payments.pipeline) == (7, "customer.id", "now", ())
    assert (everything.stream, everything.database, everything.collections) == ("every-thing_2", "*", ())
    assert everything.pipeline == tuple(json.loads(PIPELINE))
    assert (everything.full_document, everything.start) == ("default", "1795332226.1")


def test_lists_are_accepted_in_the_tailers_forms() -> None:
    """A list or a text, and a TOML time. The error shows the right form."""
    plain = Stream(name="a", database="shop", collections=("orders", "refunds"), pipeline='[{"$match": {"x": 1}}]')
    table = tomllib.loads('collections = "orders,refunds"\npipeline = [{"$match" = {"x" = 1}}]')
    assert Stream(name="a", database="shop", **table) == plain
    assert Stream(name="a", database="shop", **tomllib.loads("start = 2026-11-22T08:23:46Z")).start == "1795335826.1"
    mistakes: list[dict[str, Any]] = [
        {"collections": 3},
        {"collections": '["orders"]'},
        {"pipeline": {"$match": {}}},
        {"pipeline": "{}"},
    ]
    for wrong in mistakes:
        with pytest.raises(ValidationError, match="it is a list"):
            Stream(name="a", database="shop", **wrong)


def test_table_of_a_stream_leaves_nothing_to_defaults() -> None:
    """A tailer with other defaults would tail the same."""
    [table] = tomllib.loads(toml(STREAMS[:1])).values()
    assert table.keys() == Stream.model_fields.keys() - {"name", "pipeline"}


@given(st.lists(streams, unique_by=lambda stream: stream.name))
def test_any_text_survives(given: list[Stream]) -> None:
    """Quotes, line ends, control characters and emoji, in order."""
    read = [Stream(name=name, **table) for name, table in tomllib.loads(toml(given)).items()]
    assert read == given
