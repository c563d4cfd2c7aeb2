"""Which collection a key of a mapper table means, and which it does not."""

from typing import Any

import msgspec
import pytest
from hypothesis import given
from hypothesis import strategies as st

from lambda_forwarder.mapping.events import mappers_for
from lambda_forwarder.mapping.mapper_keys import bad_keys
from lambda_forwarder.mappings import MAPPERS
from tailrace.events import Mapper, Mappers
from tailrace.wire.change import Namespace
from tests.lambda_forwarder.values import Noted, inserted


def found(table: dict[str, str], db: str, coll: str) -> str | None:
    """The word that the table has for changes of this collection."""
    change = msgspec.structs.replace(inserted(), ns=Namespace(db=db, coll=coll))
    mappers: Mappers = {key: (_telling(word),) for key, word in table.items()}
    told = [mapper(change) for mapper in mappers_for(change, mappers)]
    return told[0].text if told and isinstance(told[0], Noted) else None


def _telling(word: str) -> Mapper:
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
def test_a_key_means_one_collection(key: str, db: str, coll: str, means: bool) -> None:
    """A key with a dot is always database.collection; one without is a collection's name, in any database."""
    assert found({key: "told"}, db, coll) == ("told" if means else None)


names = st.sampled_from(["a", "b", "a.b", "b.a", "a.b.c"])


@given(st.sampled_from(["a", "b"]), names, st.sampled_from(["a", "b"]), names)
def test_a_database_of_one_key_never_responses_for_another(db: str, coll: str, other_db: str, other: str) -> None:
    """Whatever dots the names of two collections hold: the exact key of one is never taken for the other."""
    assert found({f"{db}.{coll}": "told"}, other_db, other) == ("told" if (db, coll) == (other_db, other) else None)


def test_the_most_exact_key_wins() -> None:
    """Its mappers alone are asked."""
    table = {"*.audit.log": "anywhere", "payments.audit.log": "there", "log": "short"}
    assert [found(table, *ns) for ns in (("payments", "audit.log"), ("orders", "audit.log"))] == ["there", "anywhere"]
    assert found({"outbox": "anywhere", "payments.outbox": "there"}, "payments", "outbox") == "there"


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
def test_a_key_that_no_collection_can_match_is_told(keys: list[Any], problem: str) -> None:
    """At the start, with the setting's name; not by events that never come."""
    [told] = bad_keys(keys)
    assert problem in told


def test_the_shipped_keys_are_good() -> None:
    """And so are those that a document of ours shows."""
    assert list(bad_keys([*MAPPERS, "*.audit.log", "dynamodb.app.orders", "a/b", "payments.a/b"])) == []
