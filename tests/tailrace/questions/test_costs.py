"""The work of every question about a hostile document grows in proportion to the document."""

import sys
from collections.abc import Callable
from contextlib import suppress
from typing import Any

import pytest

from tailrace import Change, Uncertain
from tailrace.mappers.data_changes import data_changed
from tailrace.questions import patches, readings
from tailrace.questions.patches import patch, replacement
from tailrace.questions.readings import PATHS_LIMIT
from tailrace.wire.change import UpdateDescription
from tests.tailrace.questions.test_questions import undescribed, updated

pytestmark = pytest.mark.heavy


def work(ask: Callable[[], object]) -> int:
    """Calls of Python and C functions."""
    count = 0

    def counting(_: object, event: str, __: object) -> None:
        nonlocal count
        count += event in ("call", "c_call")

    before = sys.getprofile()
    sys.setprofile(counting)
    try:
        with suppress(Uncertain):
            ask()
    finally:
        sys.setprofile(before)
    return count


def nested_chain(depth: int, leaf: Any, beside: Any) -> Any:
    value = leaf
    for _ in range(depth):
        value = {"a": value, "b": beside}
    return value


def wide_update(size: int) -> Change:
    """An update that sets very many fields."""
    return updated({f"f{number}": 1 for number in range(size)}, before={f"f{number}": 0 for number in range(size)})


def deep_update(size: int) -> Change:
    """An update of a deeply nested field with large siblings."""
    beside = ["x" * 20] * (size // 100)
    return updated({".".join("a" * 100): 1}, before=nested_chain(100, 0, beside))


def dotted_update(size: int) -> Change:
    """Field names with dots on every level, so that each path can be read in many ways."""
    names = [".".join("a" * count) for count in range(1, 9)]
    document: Any = 0
    for _ in range(4):
        document = dict.fromkeys(names, document)
    return updated({".".join("a" * (number % 20 + 1)) + f".b{number}": 1 for number in range(size)}, before=document)


def element_update(size: int) -> Change:
    """An update that sets each element of an array by itself."""
    return updated({f"l.{number}": 1 for number in range(size)}, before={"l": [0] * size})


def reversed_list_update(size: int) -> Change:
    """An update that moves every element of an array."""
    return updated({"l": list(range(size))[::-1]}, before={"l": list(range(size))})


def long_name_update(size: int) -> Change:
    """A path of 190 long, nested field names."""
    name = "n" * (size // 100)
    document: Any = 0
    for _ in range(190):
        document = {name: document}
    return updated({".".join([name] * 190): 1}, before=document)


QUESTIONS: dict[str, Callable[[Change], object]] = {
    "before": lambda change: change.before,
    "after": lambda change: change.after,
    "became": lambda change: change.became("a.b", 1, assume_new=True),
    "changed": lambda change: change.changed("a", assume_new=True),
    "diff": lambda change: change.diff(),
    "data_changed": data_changed,
}


@pytest.mark.parametrize("ask", QUESTIONS.values(), ids=QUESTIONS)
@pytest.mark.parametrize(
    "hostile",
    [wide_update, deep_update, dotted_update, element_update, reversed_list_update, long_name_update],
    ids=lambda one: one.__name__,
)
def test_question_work_grows_linearly_with_document_size(
    monkeypatch: pytest.MonkeyPatch, hostile: Callable[[int], Change], ask: Callable[[Change], object]
) -> None:
    """The limit of look-ups is low, so that both documents reach it soon: above the limit, the work does not grow."""
    monkeypatch.setattr(readings, "LOOKUPS_LIMIT", 50_000)
    small, large = hostile(1_000), hostile(2_000)
    assert work(lambda: ask(large)) <= 2.5 * work(lambda: ask(small)) + 2_000


DEEP_PATHS = [f"a{'.a' * (depth % 198)}.{depth}" for depth in range(1_000)]


@pytest.mark.parametrize("said", [None, {}], ids=["unknown", "said"])
@pytest.mark.parametrize("known", [False, True], ids=["no pre-image", "pre-image"])
def test_questions_about_an_impossible_update_finish(monkeypatch: pytest.MonkeyPatch, said: Any, known: bool) -> None:
    """Long paths into a deep document are read as far as a document can hold, or are uncertain."""
    monkeypatch.setattr(readings, "LOOKUPS_LIMIT", 50_000)
    deep: dict[str, Any] = {}
    for _ in range(150):
        deep = {"a": deep}
    described = UpdateDescription(updated_fields=dict.fromkeys(DEEP_PATHS, 1), disambiguated_paths=said)
    change = undescribed(deep if known else None, deep, update_description=described)
    for question in (lambda: change.changed("a"), change.diff):
        assert work(question) < 2_000 * len(DEEP_PATHS)


def test_diff_of_too_large_documents_is_a_full_replacement() -> None:
    """The limit is depth times size: small documents may be deep, and flat documents may be large."""
    small, flat = nested_chain(100, 0, []), {f"f{number}": number for number in range(10_000)}
    assert patch(small, nested_chain(100, 1, [])) == [{"op": "replace", "path": "/a" * 100, "value": 1}]
    assert patch(flat, flat | {"f7": 0}) == [{"op": "replace", "path": "/f7", "value": 0}]
    both = nested_chain(100, 1, ["x" * 50] * 200)  # 1.2 MB
    assert patch(nested_chain(100, 0, ["x" * 50] * 200), both) == replacement(both)


def test_diff_stops_soon_after_the_work_limit() -> None:
    document = {"lists": [[[0] * 10 for _ in range(100)] for _ in range(1_000)]}
    assert work(lambda: patch(document, document)) < 2 * patches.WORK_LIMIT


def test_after_is_uncertain_for_very_long_nested_names() -> None:
    """Each of 190 nested names of 50 kB would be joined again at every level."""
    with pytest.raises(Uncertain, match="is ambiguous"):
        _ = long_name_update(5_000_000).after


def test_update_with_too_many_paths_is_uncertain() -> None:
    """Each path takes a kilobyte while it is read."""
    fields = {f"f{number}": 1 for number in range(PATHS_LIMIT + 1)}
    before = dict.fromkeys(fields, 0)
    with pytest.raises(Uncertain, match="more than 20000 paths"):
        updated(fields, before=before).became("f1", 1)
    del fields["f0"]
    assert updated(fields, before=before).became("f1", 1)
    with pytest.raises(Uncertain, match="more than 20000 paths"):
        _ = updated(fields, removed=("f0",), before=before).after
