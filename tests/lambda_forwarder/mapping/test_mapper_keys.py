"""Which collections a key of a mapper table matches."""

from typing import Any

import msgspec
import pytest
from hypothesis import given
from hypothesis import strategies as st

from examples.payments.events import MAPPERS
from lambda_forwarder.mapping.events import mappers_for
from lambda_forwarder.mapping.mapper_keys import bad_keys
from tailrace.events import Mapper, Mappers
from tailrace.wire.change import Namespace
from tests.lambda_forwarder.values import Noted, inserted


def mapper_for(table: dict[str, str], db: str, coll: str) -> str | None:
    """Return the text of the mapper that is called for changes of this collection."""
    change = msgspec.structs.replace(inserted(), ns=Namespace(db=db, coll=coll))
    mappers: Mappers = {key: (_mapper_with(word),) for key, word in table.items()}
    told = [mapper(change) for mapper in mappers_for(change, mappers)]
    return told[0].text if told and isinstance(told[0], Noted) else None


def _mapper_with(word: str) -> Mapper:
    return lambda _: Noted(text=word)


@pytest.mark.parametrize(
    ("key", "db", "coll", "means"),
    [
        ("outbox", "payments", "outbox", True),
        ("outbox", "orders", "outbox", True),
        ("outbox", "outbox", "payments", False),
        ("outbox", "payments", "x.outbox", False),
        ("outbox", "payments", "outbox.x", False),
        ("payments.outbox", "payments", "outbox", True),
        ("payments.outbox", "orders", "payments.outbox", False),
        ("payments.outbox", "payments", "payments.outbox", False),
        ("payments.outbox", "orders", "outbox", False),
        ("payments.outbox", "payments", "outbox.old", False),
        ("payments.audit.log", "payments", "audit.log", True),
        ("payments.audit.log", "payments.audit", "log", False),
        ("payments.audit.log", "orders", "payments.audit.log", False),
        ("*.audit.log", "payments", "audit.log", True),
        ("*.audit.log", "audit", "log", False),
        ("*.outbox", "payments", "outbox", True),
        ("dynamodb.app.orders", "dynamodb", "app.orders", True),
        ("app.orders", "dynamodb", "app.orders", False),
        ("Payments.outbox", "payments", "outbox", False),
        ("payments", "payments", "", False),
        ("payments.", "payments", "", False),
        ("", "payments", "", False),
    ],
)
def test_key_matches_one_collection(key: str, db: str, coll: str, means: bool) -> None:
    """A key with a dot is database.collection. A key without a dot is a collection's name in any database."""
    assert mapper_for({key: "told"}, db, coll) == ("told" if means else None)


names = st.sampled_from(["a", "b", "a.b", "b.a", "a.b.c"])


@given(st.sampled_from(["a", "b"]), names, st.sampled_from(["a", "b"]), names)
def test_exact_key_never_matches_another_namespace(db: str, coll: str, other_db: str, other: str) -> None:
    """Whatever dots the names contain."""
    assert mapper_for({f"{db}.{coll}": "told"}, other_db, other) == ("told" if (db, coll) == (other_db, other) else None)


def test_most_specific_key_wins() -> None:
    """Only its mappers are called."""
    table = {"*.audit.log": "anywhere", "payments.audit.log": "there", "log": "short"}
    assert [mapper_for(table, *ns) for ns in (("payments", "audit.log"), ("orders", "audit.log"))] == ["there", "anywhere"]
    assert mapper_for({"outbox": "anywhere", "payments.outbox": "there"}, "payments", "outbox") == "there"


@pytest.mark.parametrize(
    ("keys", "problem"),
    [
        (["payments."], "neither collection nor database.collection"),
        ([".outbox"], "neither collection nor"),
        ([""], "neither collection nor"),
        (["pay/ments.outbox"], "neither collection nor"),
        (["pay ments.outbox"], "neither collection nor"),
        ([("payments", "outbox")], "is not a string"),
        (["outbox", "*.outbox"], "mean the same"),
    ],
)
def test_key_that_matches_no_collection_is_reported_at_the_start(keys: list[Any], problem: str) -> None:
    [told] = bad_keys(keys)
    assert problem in told


def test_shipped_and_documented_keys_are_valid() -> None:
    assert list(bad_keys([*MAPPERS, "*.audit.log", "dynamodb.app.orders", "a/b", "payments.a/b"])) == []
