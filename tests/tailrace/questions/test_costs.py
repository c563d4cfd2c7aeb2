"""No question about a hostile document takes more than its share: twice the document, about twice the work."""

import sys
from collections.abc import Callable
from contextlib import suppress
from typing import Any

import pytest

from lambda_forwarder.mappings.data_changes import data_changed
from tailrace import Change, Uncertain
from tailrace.questions import patches
from tailrace.questions.patches import patch, replacement
from tailrace.questions.readings import PATHS_LIMIT
from tests.tailrace.questions.test_questions import updated


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


def chain(depth: int, leaf: Any, beside: Any) -> Any:
    value = leaf
    for _ in range(depth):
        value = {"a": value, "b": beside}
    return value


def wide(size: int) -> Change:
    """Very many fields, all of them set."""
    return updated({f"f{number}": 1 for number in range(size)}, before={f"f{number}": 0 for number in range(size)})


def deep(size: int) -> Change:
    """A field deep within others, each of which is large."""
    beside = ["x" * 20] * (size // 100)
    return updated({".".join("a" * 100): 1}, before=chain(100, 0, beside))


def dotted(size: int) -> Change:
    """Names with dots on every level, so that each path can be read in many ways."""
    names = [".".join("a" * count) for count in range(1, 9)]
    document: Any = 0
    for _ in range(4):
        document = dict.fromkeys(names, document)
    return updated({".".join("a" * (number % 20 + 1)) + f".b{number}": 1 for number in range(size)}, before=document)


def elements(size: int) -> Change:
    """Each element of an array, one by one."""
    return updated({f"l.{number}": 1 for number in range(size)}, before={"l": [0] * size})


def lists(size: int) -> Change:
    """An array whose elements have all changed their places."""
    return updated({"l": list(range(size))[::-1]}, before={"l": list(range(size))})


def long_names(size: int) -> Change:
    """A path of 190 long names, which lie within one another."""
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
@pytest.mark.parametrize("hostile", [wide, deep, dotted, elements, lists, long_names], ids=lambda one: one.__name__)
def test_twice_the_document_is_about_twice_the_work(hostile: Callable[[int], Change], ask: Callable[[Change], object]) -> None:
    """Where there is a limit, it may be less."""
    small, large = hostile(2_000), hostile(4_000)
    assert work(lambda: ask(large)) <= 2.5 * work(lambda: ask(small)) + 2_000


def test_a_patch_of_what_is_too_much_to_compare_is_a_replacement() -> None:
    """By depth times size: what is small may be deep, and what is flat may be large."""
    small, flat = chain(100, 0, []), {f"f{number}": number for number in range(10_000)}
    assert patch(small, chain(100, 1, [])) == [{"op": "replace", "path": "/a" * 100, "value": 1}]
    assert patch(flat, flat | {"f7": 0}) == [{"op": "replace", "path": "/f7", "value": 0}]
    both = chain(100, 1, ["x" * 50] * 200)  # 1.2 MB
    assert patch(chain(100, 0, ["x" * 50] * 200), both) == replacement(both)


def test_the_limit_is_not_passed_by_much_to_find_it() -> None:
    """A document of millions of values is given up after the first of them."""
    document = {"lists": [[[0] * 10 for _ in range(100)] for _ in range(1_000)]}
    assert work(lambda: patch(document, document)) < 2 * patches.WORK_LIMIT


def test_a_path_that_takes_too_long_to_read_is_not_read() -> None:
    """Of 190 names of 50 kB, which lie within one another, each beginning would be joined anew at each level."""
    with pytest.raises(Uncertain, match="is ambiguous"):
        _ = long_names(5_000_000).after


def test_an_update_of_too_many_paths_counts_as_not_described() -> None:
    """Each would take a kilobyte while it is read."""
    fields = {f"f{number}": 1 for number in range(PATHS_LIMIT + 1)}
    before = dict.fromkeys(fields, 0)
    with pytest.raises(Uncertain, match="more than 20000 paths"):
        updated(fields, before=before).became("f1", 1)
    del fields["f0"]
    assert updated(fields, before=before).became("f1", 1)
    with pytest.raises(Uncertain, match="more than 20000 paths"):
        _ = updated(fields, removed=("f0",), before=before).after
