"""Each document has one name: readable, bounded and unique."""

import hashlib
from decimal import Decimal
from typing import Any

import msgspec
import pytest
from hypothesis import given
from hypothesis import strategies as st

from tailrace.change import Change
from tailrace.wire import identity
from tailrace.wire.change import Namespace
from tailrace.wire.message import encode_change
from tests.samples.changes import a_change

OBJECT_ID = "65f000000000000000000001"


@given(
    names=st.lists(
        st.tuples(st.sampled_from(["a", "a/b", "a%2Fb", "a.b", ""]), st.sampled_from(["b", "b/c", "c", "", "/"])), min_size=2
    )
)
def test_document_name_is_unique_per_namespace_and_key(names: list[tuple[str, str]]) -> None:
    """A collection's name may contain the separator."""
    assert len({identity.name("db", *name) for name in names}) == len(set(names))


@given(texts=st.sets(st.text(max_size=400) | st.from_regex(r"\A[0-9a-f]{24}\Z|\A-?[0-9.E+-]{1,5}\Z"), min_size=2))
def test_string_keys_are_distinct_and_resemble_no_other_type(texts: set[str]) -> None:
    """With quotes, control characters and lone surrogates."""
    written = {identity.string(text) for text in texts}
    assert len(written) == len(texts)
    assert not any(text.isdecimal() or text in ("true", "false", "null") for text in written)
    assert {identity.name("a", "b", identity.string(text)) for text in texts if not identity.is_plain(text)}.isdisjoint(
        identity.name("a", "b", text) for text in texts if identity.is_plain(text)
    )


def test_document_names_do_not_depend_on_the_python_version() -> None:
    """Unicode's letters differ between versions of Python, and another name would move a document to another lane."""
    texts = "\n".join(identity.string(f"a{chr(point)}") for point in range(0x10000))
    assert hashlib.sha256(texts.encode()).hexdigest() == "cb5b6cbe482b3f0fa3d7d0ef0cb6c651d2384f563c57e947393b242461fe27da"


@given(key=st.text(max_size=1_000), other=st.text(max_size=1_000))
def test_document_name_is_bounded(key: str, other: str) -> None:
    """A long key becomes its beginning and a digest."""
    names = [identity.name("db", "coll", identity.string(text)) for text in (key, other)]
    assert all(len(name) <= len("db.coll/") + identity.KEY_LIMIT for name in names)
    assert (names[0] == names[1]) == (key == other)


def test_long_keys_with_a_common_beginning_have_distinct_names() -> None:
    assert identity.name("a", "b", "x" * 9_000) != identity.name("a", "b", "x" * 9_001)
    assert identity.name("a", "b", "x" * 9_000).startswith("a.b/xxx")


@given(number=st.integers(-(2**70), 2**70) | st.floats(allow_nan=False, allow_infinity=False).map(Decimal))
def test_number_has_one_text_for_every_numeric_type(number: int | Decimal) -> None:
    """Only the exact value counts: trailing zeros and the sign of zero do not."""
    exact = Decimal(number)
    same = [exact, exact * 1, exact + Decimal(0)] if len(exact.as_tuple().digits) < 28 else [exact]
    if exact == int(exact):
        same += [int(exact), Decimal(f"{int(exact)}.000")]  # type: ignore[list-item]
    assert len({identity.number(value) for value in same}) == 1


@pytest.mark.parametrize(
    "equal",
    [
        (7, 7.0, "7", "7.00", "7E+0", "70E-1"),
        (0, 0.0, -0.0, "-0", "0E+3"),
        ("NaN", "-NaN", "sNaN"),
        (0.5, "0.5", "5E-1"),
        ({"a": [7, {"b": 1.0}]}, {"a": [7.0, {"b": "1"}]}),
    ],
    ids=repr,
)
def test_equal_field_values_have_one_text(equal: tuple[Any, ...]) -> None:
    """Plain JSON does not distinguish a decimal from its text, so the two share a lane."""
    assert len({identity.of_json(value) for value in equal}) == 1


@pytest.mark.parametrize(
    "values", [(1, True), (0, False), ("null", None), ({"a": 1, "b": 2}, {"b": 2, "a": 1}), ([1, 2], [2, 1])]
)
def test_different_field_values_have_different_texts(values: tuple[Any, Any]) -> None:
    assert identity.of_json(values[0]) != identity.of_json(values[1])


@pytest.mark.parametrize("text", ["1E999999999", "9" * 5_000, "1_000", "\u0667", " 7", "Infinity and beyond", "0x7", "-", "."])
def test_text_that_resembles_a_number_stays_text(text: str) -> None:
    """No value takes long or raises."""
    assert identity.of_json(text) == identity.quoted(text)


def test_document_name_is_sent_only_when_the_key_does_not_give_it() -> None:
    """Readers derive the name from the key's plain JSON, as in every old message."""
    told = a_change(document_name=f'payments.payments/"{OBJECT_ID}"', document_key={"_id": OBJECT_ID})
    assert msgspec.json.decode(encode_change(told))["document"] == told.document == f'payments.payments/"{OBJECT_ID}"'
    plain = a_change(document_key={"_id": OBJECT_ID})
    assert "document" not in msgspec.json.decode(encode_change(plain))
    assert plain.document == f"payments.payments/{OBJECT_ID}"
    assert msgspec.json.decode(encode_change(told), type=Change) == told


def test_change_without_key_is_named_by_its_namespace() -> None:
    """For example a drop or a gap."""
    assert a_change(ns=Namespace(db="payments"), document_key={}).document == "payments/"
    assert a_change(document_key={}).document == "payments.payments/"
