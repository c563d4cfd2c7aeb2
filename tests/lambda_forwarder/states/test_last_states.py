"""The guarantees of every store of last states."""

import threading

import pytest

from lambda_forwarder.aws.table import EXPIRES, Table
from lambda_forwarder.errors import Misconfigured, Unavailable
from lambda_forwarder.in_memory import MemoryLastStates
from lambda_forwarder.model.history import History, Position, Version
from lambda_forwarder.ports import LastStates, Stored
from lambda_forwarder.states.dynamodb import DELETED_SECONDS, KEPT_SECONDS, NEEDS, SETTING, DynamodbLastStates
from tailrace.dev.aws import Aws
from tailrace.wire.change import Value
from tests.lambda_forwarder.values import forever
from tests.lambda_forwarder.watermarks.test_watermarks import create_watermark_table

KEY = "payments/5d1f3f0e9c1b4f628f0d7a1f6e0c2b84"


def history(*values: object, deleted: bool = False) -> History:
    """The history of a document with one remembered field, which had these values one after the other."""
    versions = tuple(
        Version(
            at=Position(time=(1_795_330_680, number), generation=7, sequence=number, id=f"{number:016x}"),
            state={"status": Value(value=[value]), "note": Value(value=[], looked_up=True)},
        )
        for number, value in enumerate(values, 1)
    )
    return History(last=versions[-1].at, generation=7, versions=versions, deleted=deleted)


def write(states: LastStates, key: str, written: History, revision: int = 0) -> None:
    states.write({key: Stored(history=written, revision=revision)}, forever)


class LastStatesConformance:
    """A subclass has the fixture ``states``."""

    def test_unknown_document_has_no_history(self, states: LastStates) -> None:
        assert states.read([KEY], forever) == {}
        assert states.read([], forever) == {}

    @pytest.mark.parametrize(
        "value", ["created", "", "é\u2028", 0, 2**63 - 1, 1.5, -0.0, True, None, [], [1, {}], {"a.b": [None]}]
    )
    def test_value_is_read_as_written(self, states: LastStates, value: object) -> None:
        """With its type. An absent field is not null, and the second revision follows the first."""
        write(states, KEY, history("created"))
        write(states, KEY, history("created", value), revision=1)
        [stored] = states.read([KEY, "payments/other"], forever).values()
        assert stored == Stored(history=history("created", value), revision=2)
        [read] = stored.history.versions[-1].state["status"].value
        assert (type(read), repr(read)) == (type(value), repr(value))

    @pytest.mark.parametrize("revision", [0, 1, 3])
    def test_history_never_goes_back(self, states: LastStates, revision: int) -> None:
        """A write based on anything but the last revision is refused."""
        write(states, KEY, history("created"))
        write(states, KEY, history("created", "cancelled"), revision=1)
        with pytest.raises(Unavailable):
            write(states, KEY, history("created", "refunded"), revision=revision)
        assert states.read([KEY], forever)[KEY].history == history("created", "cancelled")

    def test_history_that_was_removed_is_not_written_as_its_next_revision(self, states: LastStates) -> None:
        with pytest.raises(Unavailable):
            write(states, KEY, history("created"), revision=1)
        assert states.read([KEY], forever) == {}

    def test_many_documents_are_read_and_written_at_once(self, states: LastStates) -> None:
        """More than one call of DynamoDB accepts."""
        written = {f"payments/{number}": Stored(history=history(number)) for number in range(130)}
        states.write(written, forever)
        assert {key: stored.history for key, stored in states.read(list(written), forever).items()} == {
            key: stored.history for key, stored in written.items()
        }

    def test_one_of_many_writers_wins(self, states: LastStates) -> None:
        """The others see that they lost."""
        lost = []

        def attempt(number: int) -> None:
            try:
                write(states, KEY, history(number))
            except Unavailable:
                lost.append(number)

        writers = [threading.Thread(target=attempt, args=(number,)) for number in range(6)]
        for writer in writers:
            writer.start()
        for writer in writers:
            writer.join()
        [stored] = states.read([KEY], forever).values()
        assert {stored.history.versions[0].state["status"].value[0], *lost} == set(range(6))
        assert len(lost) == 5

    def test_no_call_begins_when_the_time_is_up(self, states: LastStates) -> None:
        with pytest.raises(Unavailable):
            states.read([KEY], lambda: 0.0)
        with pytest.raises(Unavailable):
            states.write({KEY: Stored(history=history(1))}, lambda: 0.0)
        assert states.read([KEY], forever) == {}


class TestMemoryLastStates(LastStatesConformance):
    @pytest.fixture
    def states(self) -> MemoryLastStates:
        return MemoryLastStates()


class TestDynamodbLastStates(LastStatesConformance):
    """On the emulator."""

    @pytest.fixture
    def states(self, aws: Aws) -> DynamodbLastStates:
        return in_table(aws, create_watermark_table(aws))


def in_table(aws: Aws, table: str, now: float = 1_000.5) -> DynamodbLastStates:
    return DynamodbLastStates(Table(aws("dynamodb"), table, setting=SETTING, needs=NEEDS), lambda: now)


def test_item_expires_and_shows_no_key_of_the_document(aws: Aws) -> None:
    """A deleted document expires as soon as no message of it can be in a queue."""
    table = create_watermark_table(aws)
    states = in_table(aws, table)
    write(states, "payments/a", history("created"))
    write(states, "payments/b", history("created", deleted=True))
    items = aws("dynamodb").scan(TableName=table)["Items"]
    assert {item["pk"]["S"]: int(item[EXPIRES]["N"]) for item in items} == {
        "state/payments/a": 1_000 + KEPT_SECONDS,
        "state/payments/b": 1_000 + DELETED_SECONDS,
    }


def test_history_beyond_the_size_of_an_item_loses_its_oldest_versions(aws: Aws) -> None:
    states = in_table(aws, create_watermark_table(aws))
    write(states, KEY, history(*(f"{number}{'x' * 1_000}" for number in range(500))))
    kept = states.read([KEY], forever)[KEY].history
    assert 100 < len(kept.versions) < 500
    assert kept.versions[-1].state["status"].value == [f"499{'x' * 1_000}"]


def test_usable_table_passes_the_check_and_stays_empty(aws: Aws) -> None:
    """A missing table, or one with another key, is reported with the setting and the remedy."""
    table = create_watermark_table(aws)
    in_table(aws, table).check()
    assert aws("dynamodb").scan(TableName=table)["Items"] == []
    for wrong in ("nowhere", create_watermark_table(aws, key="id")):
        with pytest.raises(Misconfigured, match=r"^FORWARDER_LAST_STATES: table .*partition key pk.*leave the setting out"):
            in_table(aws, wrong).check()
