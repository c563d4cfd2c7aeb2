"""Which changes of an event's schema break its consumers."""

from typing import Annotated, Any, Literal

import msgspec
import pytest
from msgspec import Meta, Struct

from lambda_forwarder.catalogue.breaking import breaks


class Part(Struct):
    a: int
    b: str | None = None


class Smaller(Struct):
    a: int


class Tree(Struct):
    name: str
    children: list["Tree"] = []


def schema_of(**fields: Any) -> dict[str, Any]:
    event = msgspec.defstruct(
        "Event",
        [(name, *((kind,) if not isinstance(kind, tuple) else kind)) for name, kind in fields.items()],
        kw_only=True,
    )
    return msgspec.json.schema(event)


OLD = {"text": str, "maybe": str | None, "kind": Literal["a", "b"], "part": Part, "parts": list[Part], "any": Any, "n": float}


@pytest.mark.parametrize(
    ("field", "new"),
    [
        ("more", int),
        ("text", Literal["a"]),
        ("text", Annotated[str, Meta(min_length=1)]),
        ("maybe", str),
        ("maybe", None),
        ("kind", Literal["a"]),
        ("any", list[int]),
        ("n", int),
        ("parts", list[Part]),
    ],
)
def test_compatible_change_breaks_nothing(field: str, new: Any) -> None:
    """A new field, and any schema that allows less than the old one."""
    assert breaks(schema_of(**OLD), schema_of(**(OLD | {field: new}))) == []


@pytest.mark.parametrize(
    ("field", "new", "problem"),
    [
        ("text", str | None, "text may now be null; it was string"),
        ("text", int, "text may now be integer; it was string"),
        ("text", Any, "text may now be anything"),
        ("text", (str, ""), "text may now be missing"),
        ("maybe", int | None, "maybe may now be integer"),
        ("kind", Literal["a", "b", "c"], r"kind may now be one of \['a', 'b', 'c'\]; it was one of \['a', 'b'\]"),
        ("kind", str, "kind may now be string"),
        ("part", Smaller, "part.b was removed"),
        ("part", Part | None, "part may now be null"),
        ("parts", list[Smaller], r"parts\[\].b was removed"),
        ("parts", list[Part | None], r"parts\[\] may now be null"),
        ("parts", list[Any], r"parts\[\] may now be anything"),
        ("n", str, "n may now be string"),
        ("n", Literal["x"], "n may now be one of"),
    ],
)
def test_incompatible_change_breaks(field: str, new: Any, problem: str) -> None:
    """Null, missing, another type, another value: each with its path."""
    found = breaks(schema_of(**OLD), schema_of(**(OLD | {field: new})))
    assert len(found) == 1
    with pytest.raises(AssertionError, match=problem):
        raise AssertionError(found[0])


def test_removed_field_breaks() -> None:
    """Also if it was optional."""
    assert breaks(schema_of(**OLD), schema_of(text=str)) == [f"{name} was removed" for name in OLD if name != "text"]
    assert breaks(schema_of(a=(int, 0)), schema_of()) == ["a was removed"]


def test_changed_constraint_breaks() -> None:
    """Consumers may rely on a format, a pattern or a limit."""
    assert breaks(schema_of(a=Annotated[str, Meta(max_length=3)]), schema_of(a=str)) == ["a has another maxLength; it was 3"]


def test_recursive_type_is_compared_once() -> None:
    schema = msgspec.json.schema(Tree)
    assert breaks(schema, schema) == []
