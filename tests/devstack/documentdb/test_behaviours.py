"""The dialect plays each value of each behaviour: a client observes the value that the profile has."""

from collections.abc import Callable, Iterator

import pytest
from pymongo import MongoClient

from devstack import DevStack
from devstack.documentdb.dialect import DocumentdbDialect
from devstack.documentdb.profiles import Value, behaviours, names, variants
from devstack.documentdb.rules.table import OF_MONGOD, READ_BY_OTHERS, REPLIES, REQUESTS
from tests.devstack.documentdb import observed_server, observed_streams
from tests.devstack.documentdb.server import Mongo, Server

OBSERVED = observed_server.OBSERVED | observed_streams.OBSERVED
PLAYED = {row for row, behaviour in behaviours().items() if behaviour.played}
VALUES: dict[str, set[Value]] = {
    row: set(behaviours()[row].values) | {one.values[row] for name in names() for one in variants(name)} for row in PLAYED
}


@pytest.fixture
def observed(stack: DevStack, fresh: str) -> Iterator[Callable[[str, DocumentdbDialect], Value]]:
    """Return a function that observes a behaviour of a dialect."""

    def observe(row: str, dialect: DocumentdbDialect) -> Value:
        client: Mongo
        with dialect, MongoClient(dialect.uri) as client:
            return OBSERVED[row](Server(dialect, client, stack.mongo, fresh))

    yield observe
    stack.mongo.drop_database(fresh)


@pytest.mark.parametrize(("row", "value"), sorted(((row, value) for row in PLAYED for value in VALUES[row]), key=str))
def test_client_observes_the_value(
    stack: DevStack, observed: Callable[[str, DocumentdbDialect], Value], row: str, value: Value
) -> None:
    dialect = DocumentdbDialect(stack.mongod.ports[0], "documentdb-5.0", **{row: value})
    assert observed(row, dialect) == value


def test_every_behaviour_that_is_played_has_a_rule_and_a_test() -> None:
    assert PLAYED == OBSERVED.keys() == REQUESTS.keys() | REPLIES.keys() | READ_BY_OTHERS | OF_MONGOD


def test_value_that_a_behaviour_cannot_have_is_refused() -> None:
    with pytest.raises(ValueError, match="the behaviour start_after cannot be 10"):
        DocumentdbDialect(1, start_after=10)
    with pytest.raises(ValueError, match="the behaviour max_time cannot be 'late'"):
        DocumentdbDialect(1, max_time="late")
