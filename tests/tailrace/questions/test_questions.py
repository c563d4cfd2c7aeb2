"""The questions of a change, for each operation, with and without the optional fields of a change event."""

from collections.abc import Callable
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st
from jsonpatch import JsonPatch
from msgspec.structs import replace

from tailrace.change import Change
from tailrace.questions.images import Uncertain
from tailrace.wire.change import GAP, Poison, UpdateDescription, canonical
from tests.samples.changes import a_change

OTHERS = ["delete", "drop", "rename", "dropDatabase", "invalidate", GAP]


def inserted(document: dict[str, Any] | None) -> Change:
    return a_change(full_document=document)


def updated(
    fields: dict[str, Any] | None = None,
    removed: tuple[str, ...] = (),
    truncated: tuple[tuple[str, int], ...] = (),
    before: dict[str, Any] | None = None,
    looked_up: dict[str, Any] | None = None,
) -> Change:
    described = UpdateDescription(
        updated_fields=fields or {},
        removed_fields=list(removed),
        truncated_arrays=[{"field": field, "newSize": size} for field, size in truncated],
    )
    return undescribed(before, looked_up, update_description=described)


def undescribed(before: dict[str, Any] | None = None, looked_up: dict[str, Any] | None = None, **others: Any) -> Change:
    return a_change(operation_type="update", full_document=looked_up, full_document_before_change=before, **others)


def replaced(document: dict[str, Any] | None, before: dict[str, Any] | None = None) -> Change:
    return a_change(operation_type="replace", full_document=document, full_document_before_change=before)


def other(operation: str, before: dict[str, Any] | None = None, document: dict[str, Any] | None = None) -> Change:
    return a_change(operation_type=operation, full_document=document, full_document_before_change=before)


CITY = {"address": {"city": "Bonn", "zip": "53111"}}

BECAME: list[tuple[str, Change, str, Any, bool | None]] = [
    ("insert with the value", inserted({"s": 1}), "s", 1, True),
    ("insert with another", inserted({"s": 2}), "s", 1, False),
    ("insert without the field", inserted({}), "s", None, False),
    ("insert with null", inserted({"s": None}), "s", None, True),
    ("insert, nested", inserted(CITY), "address.city", "Bonn", True),
    ("insert, element", inserted({"a": [{"b": 1}]}), "a.0.b", 1, True),
    ("insert, true is not 1", inserted({"s": True}), "s", 1, False),
    ("insert that lost its document", inserted(None), "s", 1, None),
    ("update set it", updated({"s": 1}), "s", 1, True),
    ("update set another value", updated({"s": 2}), "s", 1, False),
    ("update set another field; looked-up later", updated({"t": 1}, looked_up={"s": 1}), "s", 1, False),
    ("update set it; newer when looked up", updated({"s": 1}, looked_up={"s": 9}), "s", 1, True),
    ("update set it; gone when looked up", updated({"s": 1}), "s", 1, True),
    ("update set a field of like name", updated({"status2": 1, "stat": 1}), "status", 1, False),
    ("update removed it", updated(removed=("s",)), "s", None, False),
    ("update set the path", updated({"address.city": "Bonn"}), "address.city", "Bonn", True),
    ("update set a neighbour", updated({"address.zip": "1"}), "address.city", "Bonn", False),
    ("update set all around it", updated(CITY), "address.city", "Bonn", None),
    ("update set all around it to another", updated(CITY), "address.city", "Berlin", False),
    ("update removed all around it", updated(removed=("address",)), "address.city", "Bonn", False),
    ("update set a part of it", updated({"address.city": "Bonn"}), "address", CITY["address"], None),
    ("update set an element", updated({"a.2": 5}), "a.2", 5, True),
    ("update set another element", updated({"a.2": 5}), "a.1", 5, False),
    ("update set a later element, perhaps far beyond the end", updated({"a.2": 5}), "a.1", None, None),
    ("update cut the array before it", updated(truncated=(("a", 1),)), "a.1", 5, False),
    ("update cut the array behind it", updated(truncated=(("a", 1),)), "a.0", 5, False),
    ("update cut it and set it anew", updated({"a.1": 5}, truncated=(("a", 1),)), "a.1", 5, True),
    ("update cut the array", updated(truncated=(("a", 1),)), "a", [1], None),
    ("update, known before: same", updated({"s": 1}, before={"s": 1}), "s", 1, False),
    ("update, known before: other", updated({"s": 1}, before={"s": 2}), "s", 1, True),
    ("update, known before: all around it, same", updated(CITY, before=CITY | {"x": 1}), "address.city", "Bonn", False),
    ("update, known before: all around it, new", updated(CITY, before={}), "address.city", "Bonn", True),
    (
        "update, known before: a part of it",
        updated({"address.city": "Bonn"}, before={"address": {"city": "Berlin", "zip": "53111"}}),
        "address",
        CITY["address"],
        None,
    ),
    ("update, known before: the array cut", updated(truncated=(("a", 1),), before={"a": [1, 2]}), "a", [1], True),
    ("update, known before, ambiguous elsewhere", updated({"s": 1, "x.y": 1}, before={"x.y": 0}), "s", 1, True),
    ("update not described", undescribed(looked_up={"s": 1}), "s", 1, None),
    ("update not described, looked up as another", undescribed(looked_up={"s": 2}), "s", 1, None),
    ("update not described, other before", undescribed(before={"s": 2}, looked_up={"s": 1}), "s", 1, None),
    ("update not described, same before", undescribed(before={"s": 1}, looked_up={"s": 1}), "s", 1, False),
    ("replace with it", replaced({"s": 1}), "s", 1, None),
    ("replace with another", replaced({"s": 2}), "s", 1, False),
    ("replace without the field", replaced({}), "s", 1, False),
    ("replace, same before", replaced({"s": 1}, before={"s": 1}), "s", 1, False),
    ("replace, other before", replaced({"s": 1}, before={"s": 2}), "s", 1, True),
    ("replace, absent before", replaced({"s": None}, before={}), "s", None, True),
    ("replace that lost its document", replaced(None), "s", 1, None),
    *((f"{operation} becomes nothing", other(operation, {"s": 1}, {"s": 1}), "s", 1, False) for operation in OTHERS),
    ("delete, not even null", other("delete"), "s", None, False),
]


@pytest.mark.parametrize(("change", "path", "value", "answer"), [case[1:] for case in BECAME], ids=[case[0] for case in BECAME])
def test_became(change: Change, path: str, value: Any, answer: bool | None) -> None:
    """`became` returns True or False where the event is complete, and raises Uncertain where it is not."""
    if answer is None:
        with pytest.raises(Uncertain):
            change.became(path, value)
    else:
        assert change.became(path, value) is answer
        assert change.became(path, value, assume_new=True) is answer


CHANGED: list[tuple[str, Change, str, bool | None]] = [
    ("insert with it", inserted({"s": 1}), "s", True),
    ("insert without it", inserted({"t": 1}), "s", False),
    ("update set it", updated({"s": 1}), "s", True),
    ("update removed it", updated(removed=("s",)), "s", True),
    ("update set a part", updated({"address.city": "Bonn"}), "address", True),
    ("update removed a part", updated(removed=("address.city",)), "address", True),
    ("update set all around it", updated(CITY), "address.city", None),
    ("update removed all around it", updated(removed=("address",)), "address.city", None),
    ("update set another", updated({"t": 1}, looked_up={"s": 9}), "s", False),
    ("update set nothing", updated(), "s", False),
    ("update set a later element", updated({"a.2": 5}), "a.1", None),
    ("update set an earlier element", updated({"a.0": 5}), "a.1", False),
    ("update cut it", updated(truncated=(("a", 2),)), "a", True),
    ("update cut around it", updated(truncated=(("a", 2),)), "a.5", None),
    ("update cut behind it", updated(truncated=(("a", 2),)), "a.1", False),
    ("update, known before: same", updated(CITY, before=CITY), "address.city", False),
    ("update, known before: other", updated(CITY, before={"address": {}}), "address.city", True),
    (
        "update, known before: removed what was not there",
        updated(removed=("address",), before={"address": {}}),
        "address.city",
        False,
    ),
    ("update not described", undescribed(looked_up={"s": 1}), "s", None),
    ("update not described, known before", undescribed(before={"s": 1}, looked_up={"s": 1}), "s", None),
    ("replace", replaced({"s": 1}), "s", None),
    ("replace without it", replaced({}), "s", None),
    ("replace, same before", replaced({"s": 1}, before={"s": 1.0}), "s", False),
    ("replace, other before", replaced({}, before={"s": 1}), "s", True),
    *((f"{operation} changes no field", other(operation, {"s": 1}), "s", False) for operation in OTHERS),
]


@pytest.mark.parametrize(("change", "path", "answer"), [case[1:] for case in CHANGED], ids=[case[0] for case in CHANGED])
def test_changed(change: Change, path: str, answer: bool | None) -> None:
    """`changed` raises Uncertain where the event is incomplete, and returns True with assume_new."""
    if answer is None:
        with pytest.raises(Uncertain):
            change.changed(path)
        assert change.changed(path, assume_new=True)
    else:
        assert change.changed(path) is answer
        assert change.changed(path, assume_new=True) is answer


def test_assume_new_covers_a_missing_pre_image() -> None:
    """The event may be emitted again but is never missed."""
    assert replaced({"s": 1}).became("s", 1, assume_new=True)
    assert updated(CITY).became("address.city", "Bonn", assume_new=True)


@pytest.mark.parametrize("change", [undescribed(looked_up={"s": 1}), inserted(None), updated({"s.t": 1})])
def test_assume_new_never_covers_a_missing_document_after(change: Change) -> None:
    """A looked-up document is no evidence: every later update would emit the same event again."""
    with pytest.raises(Uncertain):
        change.became("s", 1, assume_new=True)


def test_uncertain_names_the_missing_image_and_the_remedy() -> None:
    """A person reads this reason with the parked change."""
    with pytest.raises(Uncertain, match=r"became 's': there is no pre-image.*assume_new=True"):
        replaced({"s": 1}).became("s", 1)
    with pytest.raises(Uncertain, match="changed 's': there is no update description"):
        undescribed().changed("s")
    with pytest.raises(Uncertain, match="full_document is the looked-up document"):
        _ = updated({"s": 1}).after


def test_created_and_deleted_are_never_uncertain() -> None:
    """They are the operation itself; what happens to a whole collection is neither."""
    assert inserted(None).created
    assert other("delete").deleted
    rest = [replaced({}), updated(), *(other(operation) for operation in OTHERS if operation != "delete")]
    assert not any(change.created or change.deleted for change in rest)


def test_before_is_the_pre_image_or_uncertain() -> None:
    """`before` is None for an insert."""
    assert inserted({}).before is None
    for change in (updated(before={"s": 1}), replaced({}, before={"s": 1}), other("delete", before={"s": 1})):
        assert change.before == {"s": 1}
    for change in (updated(), replaced({}), other("delete")):
        with pytest.raises(Uncertain):
            _ = change.before


def test_after_is_inserted_replaced_or_applied_document() -> None:
    """An update is applied to its pre-image; the looked-up document is never used."""
    assert inserted({"s": 1}).after == {"s": 1}
    assert replaced({"s": 1}).after == {"s": 1}
    assert updated({"s": 2}, before={"s": 1, "t": 1}, looked_up={"s": 3}).after == {"s": 2, "t": 1}
    assert other("delete").after is None
    for change in (updated({"s": 2}, looked_up={"s": 2}), undescribed(before={"s": 1}, looked_up={"s": 2}), inserted(None)):
        with pytest.raises(Uncertain):
            _ = change.after


NESTED = {"a": {"b": 1}}

NAMES: list[tuple[str, dict[str, Any], dict[str, Any], Any]] = [
    ("a new field beside an object of the first part's name", NESTED, {"a.b": 2}, None),
    ("a new field, no object of that name", {"x": 1}, {"a.b": 2}, {"x": 1, "a.b": 2}),
    ("a field with a dot, no object of that name", {"a.b": 1}, {"a.b": 2}, {"a.b": 2}),
    ("beside a value that is no object", {"a": 1}, {"a.b": 2}, {"a": 1, "a.b": 2}),
    ("beside an object that is replaced", NESTED, {"a": {"c": 1}, "a.b": 2}, {"a": {"c": 1}, "a.b": 2}),
    ("a number as a name", {"0": 1}, {"0": 2, "1": 3}, {"0": 2, "1": 3}),
    ("a number in an array, or a new field", {"a": [1]}, {"a.0": 2}, None),
    ("an empty name", {"": 1}, {"": 2}, {"": 2}),
    ("an empty name within", {"x": 1}, {"a.": 2}, {"x": 1, "a.": 2}),
    ("a name with $", {"$x": 1}, {"$x": 2}, {"$x": 2}),
]


@pytest.mark.parametrize(("before", "fields", "now"), [case[1:] for case in NAMES], ids=[case[0] for case in NAMES])
def test_update_path_with_a_dotted_name_is_exact_or_uncertain(before: dict[str, Any], fields: dict[str, Any], now: Any) -> None:
    change = updated(fields, before=before)
    if now is None:
        with pytest.raises(Uncertain, match=r"is ambiguous.*use pre- and post-images"):
            _ = change.after
        with pytest.raises(Uncertain):
            change.diff()
    else:
        assert change.after == now
        assert patched(change, before) == canonical(now)


@pytest.mark.parametrize("place", [["a", "b"], ["a.b"]])
def test_disambiguated_paths_make_questions_exact(place: list[str | int]) -> None:
    """MongoDB 8.2 reports the names that make up each path."""
    told = UpdateDescription(updated_fields={"a.b": 2}, disambiguated_paths={"a.b": place} if len(place) == 1 else {})
    change = a_change(operation_type="update", full_document_before_change=NESTED, update_description=told)
    assert change.after == ({"a": {"b": 2}} if len(place) == 2 else {"a": {"b": 1}, "a.b": 2})
    assert change.changed("a") is (len(place) == 2)
    bare = replace(change, full_document_before_change=None)
    assert bare.changed("a") is (len(place) == 2)
    assert bare.became("a.b", 2)
    if len(place) == 1:
        assert bare.diff() == [{"op": "add", "path": "/a.b", "value": 2}]


def test_post_image_is_the_document_after() -> None:
    """The description is ignored. Without a pre-image the patch is one replacement."""
    change = replace(updated({"a.b": 2}, before=NESTED, looked_up={**NESTED, "a.b": 2}), post_image=True)
    assert change.after == {**NESTED, "a.b": 2}
    assert change.diff() == [{"op": "add", "path": "/a.b", "value": 2}]
    assert change.changed("a") is False
    alone = replace(change, full_document_before_change=None)
    assert (alone.after, alone.diff()) == (change.after, [{"op": "replace", "path": "", "value": change.after}])


def test_question_is_uncertain_when_two_fields_with_one_path_disagree() -> None:
    """A result that is true of both fields is returned."""
    collide = replaced({"a": {"b": 1}, "a.b": 2}, before={"a": {"b": 1}, "a.b": 1})
    with pytest.raises(Uncertain, match=r"changed 'a\.b': the document has two fields with this path"):
        collide.changed("a.b")
    with pytest.raises(Uncertain, match=r"became 'a\.b'"):
        collide.became("a.b", 2)
    assert not collide.became("a.b", 3)
    assert replaced({"a": {"b": 2}, "a.b": 2}, before={"a": {"b": 1}, "a.b": 1}).became("a.b", 2)
    assert inserted({"a.b": 1}).became("a.b", 1)
    assert inserted({"a": {"b": 1}}).became("a.b", 1)


def test_update_path_is_nested_unless_a_document_shows_a_dotted_name() -> None:
    """A looked-up document can only raise a doubt."""
    assert updated({"a.b": 2}).changed("a")
    assert updated({"a.b": 2}, looked_up={"a": {"b": 2}}).changed("a")
    with pytest.raises(Uncertain):
        updated({"a.b": 2}, looked_up={"a": {"b": 1}, "a.b": 2}).changed("a")


def test_ambiguous_path_leaves_other_paths_certain() -> None:
    change = updated({"a.b": 2, "status": "paid"}, before={"a": {"b": 1}, "status": "open", "n": 0})
    assert change.became("status", "paid")
    assert not change.changed("n")
    assert change.became("a.b", 2)


names = st.sampled_from(["0", "1", "10", "01", "-", "", "a.b", "a/b", "~0", "~1", "$x", "é"]) | st.text("ab/~0", max_size=3)
values = st.recursive(
    st.none() | st.booleans() | st.integers(-3, 3) | st.floats(-2, 2, width=16) | st.text("ab/~0", max_size=3),
    lambda inner: st.lists(inner, max_size=4) | st.dictionaries(names, inner, max_size=4),
    max_leaves=12,
)
documents = st.dictionaries(names, values, max_size=5)
top_level = st.text("abc/~01$", max_size=2)  # A path without a dot can only mean the top-level field.
fields = st.dictionaries(top_level, values, max_size=5)


def patched(change: Change, before: Any) -> bytes:
    return canonical(JsonPatch(change.diff()).apply(before))


@given(documents, documents, fields)
def test_diff_applied_to_before_gives_after(before: dict[str, Any], after: dict[str, Any], told: dict[str, Any]) -> None:
    """For every operation with documents and for every kind of field name: numeric, empty, with ``/`` or ``~``."""
    assert patched(inserted(after), None) == canonical(after)
    assert patched(replaced(after, before), before) == canonical(after)
    assert patched(replaced(after), before) == canonical(after)
    assert patched(other("delete", before), before) == canonical(None)
    assert patched(other("delete"), before) == canonical(None)
    change = updated(told, before=before)
    assert patched(change, before) == canonical(change.after) == canonical(before | told)


@given(fields, fields, st.sets(top_level))
def test_update_of_top_level_fields_has_a_diff_without_pre_image(
    before: dict[str, Any], fields: dict[str, Any], removed: set[str]
) -> None:
    gone = tuple((removed & before.keys()) - fields.keys())
    change = updated(fields, removed=gone)
    assert patched(change, before) == canonical(updated(fields, removed=gone, before=before).after)


@pytest.mark.parametrize(
    "change",
    [updated({"a.b": 1}), updated(removed=("a.b",)), updated(truncated=(("a", 1),)), undescribed(looked_up={}), inserted(None)],
)
def test_diff_is_uncertain_for_nested_path_without_pre_image(change: Change) -> None:
    """Part of the path may not exist."""
    with pytest.raises(Uncertain):
        change.diff()


def test_diff_is_empty_without_documents() -> None:
    assert [other(operation).diff() for operation in OTHERS[1:]] == [[]] * 5
    assert updated().diff() == []


ASKED: dict[str, Callable[[Change], Any]] = {
    "before": lambda change: change.before,
    "after": lambda change: change.after,
    "became": lambda change: change.became("status", "cancelled", assume_new=True),
    "changed": lambda change: change.changed("status", assume_new=True),
    "diff": lambda change: change.diff(),
}


@pytest.mark.parametrize("operation", ["insert", "update", "replace", *OTHERS])
@pytest.mark.parametrize("asked", ASKED.values(), ids=ASKED)
def test_every_question_about_a_stub_is_uncertain(asked: Callable[[Change], Any], operation: str) -> None:
    """The tailer could not read the change, so its documents are unknown, even with assume_new."""
    with pytest.raises(Uncertain, match="a stub"):
        asked(a_change(operation_type=operation, full_document=None, poison=Poison(reason="it is not BSON")))
