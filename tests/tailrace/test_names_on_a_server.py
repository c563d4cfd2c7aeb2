"""
Whatever the names of fields are, every question agrees with a real server's documents, or is Uncertain where names collide.
``TAILRACE_UPDATES=20000`` tries more updates than the few hundred of every run; ``TAILRACE_SEED`` others.
"""

import os
from collections import Counter
from collections.abc import Iterator
from contextlib import closing
from copy import deepcopy
from dataclasses import dataclass
from functools import partial
from itertools import combinations, pairwise
from random import Random
from typing import Any

import pytest
from bson import encode
from jsonpatch import JsonPatch
from msgspec.structs import replace
from pymongo import MongoClient
from pymongo.errors import OperationFailure

from tailer.mongodb.decoding.values import decode
from tailer.mongodb.source import MongodbSource
from tailer.mongodb.watch import Watch
from tailrace.change import Change
from tailrace.questions.images import Uncertain
from tailrace.wire.change import canonical
from tests.asked import as_received
from tests.tailrace.random_updates import NAMES, Document, document, random_update

Mongo = MongoClient[dict[str, Any]]
Place = tuple[str | int, ...]

UPDATES = int(os.environ.get("TAILRACE_UPDATES", "400"))
SEED = int(os.environ.get("TAILRACE_SEED", "1"))
ABSENT: Any = "nothing is there"


@dataclass(frozen=True)
class Case:
    """One update on a real server: its change event, and the documents before and after it as read at once."""

    change: Change
    before: dict[str, Any]
    after: dict[str, Any]
    as_received: Any
    names: dict[str, list[Place]]
    """The true names of each path of the description, from the server's own internal description."""


@pytest.fixture(scope="module")
def cases(stack: Any) -> list[Case]:
    """Make every update in one collection. The stream is read at the end, when a looked-up document is of no use."""
    mongo: Mongo = stack.mongo
    random, name = Random(SEED), "names"
    things = mongo[name].create_collection("things", changeStreamPreAndPostImages={"enabled": True})
    source = MongodbSource(mongo, Watch(database=name, full_document_before_change="required"))
    start = source.first()
    seen: dict[int, tuple[Document, Document, Any]] = {}
    with things.aggregate([{"$changeStream": {"showRawUpdateDescription": True}}], batchSize=0) as internal:
        for number in range(UPDATES):
            before = document(random, number)
            things.insert_one(before)
            as_received, options = random_update(random, before)
            try:
                modified = things.update_one({"_id": number}, as_received, **options).modified_count
            except OperationFailure:
                continue
            if modified:
                seen[number] = (_plain(before), _plain(things.find_one({"_id": number})), as_received)
        things.insert_one({"_id": "end"})
        raw: dict[int, Any] = {}
        for event in internal:
            if event["documentKey"]["_id"] == "end":
                break
            raw[event["documentKey"]["_id"]] = event.get("rawUpdateDescription", {}).get("diff", {})
    told = (Case(change, *seen[number], _true_names(raw[number])) for number, change in _updates(source, start))
    return [case for case in told if _described(case)]


def _described(case: Case) -> bool:
    """Two fields with the same path that were both set have one name in the description: the tailer passes none on."""
    told = case.change.update_description is not None
    at_most_once = all(len(places) == 1 for places in case.names.values())
    assert told or not at_most_once, case
    return told


def _updates(source: MongodbSource, start: Any) -> Iterator[tuple[int, Change]]:
    with closing(source.batches(start)) as batches:
        for change in (change for batch in batches for change in batch.changes):
            if change.document_key["_id"] == "end":
                return
            if change.operation_type == "update":
                yield change.document_key["_id"], as_received(change)


def _plain(found: Any) -> dict[str, Any]:
    return deepcopy(decode(encode(found)))


def _true_names(diff: dict[str, Any], within: Place = ()) -> dict[str, list[Place]]:
    """
    Read the oplog's description: ``u`` and ``i`` set, ``d`` removes, ``s`` descends; ``a`` is an array, ``l`` truncates it.
    """
    names: dict[str, list[Place]] = {}

    def add(place: Place) -> None:
        names.setdefault(".".join(map(str, place)), []).append(place)

    array = bool(diff.get("a"))
    for key, value in diff.items():
        if key == "l" and array:
            add(within)
        elif array and key != "a":
            place = (*within, int(key[1:]))
            if key[0] == "u":
                add(place)
            else:
                for path, places in _true_names(value, place).items():
                    names.setdefault(path, []).extend(places)
        elif key in ("u", "i", "d") and not array:
            for name in value:
                add((*within, name))
        elif key[0] == "s" and not array:
            for path, places in _true_names(value, (*within, key[1:])).items():
                names.setdefault(path, []).extend(places)
    return names


def _places(value: Any, within: Place = ()) -> Iterator[tuple[Place, Any]]:
    """Yield every place of a document by walking all of it."""
    if within:
        yield within, value
    inner = value.items() if isinstance(value, dict) else enumerate(value) if isinstance(value, list) else ()
    for name, child in inner:
        yield from _places(child, (*within, name))


def _at_path(document: dict[str, Any]) -> dict[str, dict[Place, Any]]:
    found: dict[str, dict[Place, Any]] = {}
    for place, value in _places(document):
        found.setdefault(".".join(map(str, place)), {})[place] = value
    return found


def _same(one: Any, other: Any) -> bool:
    """As MongoDB compares: 1 and 1.0 are one value."""
    return bool(_comparable(one) == _comparable(other))


def _comparable(value: Any) -> Any:
    if isinstance(value, dict):
        return {name: _comparable(child) for name, child in value.items()}
    if isinstance(value, list):
        return [_comparable(child) for child in value]
    return ("number", float(value)) if isinstance(value, int | float) and not isinstance(value, bool) else (type(value), value)


def _questions(case: Case) -> Iterator[tuple[str, list[tuple[Any, Any]]]]:
    """Yield each path of either document and a few that do not exist, with the old and new values of each place."""
    was, now = _at_path(case.before), _at_path(case.after)
    for path in sorted(was.keys() | now.keys() | {*NAMES, "a.1", "list.5", "nowhere.a"}):
        old, new = was.get(path, {}), now.get(path, {})
        yield path, [(old.get(place, ABSENT), new.get(place, ABSENT)) for place in old.keys() | new.keys()]


def _result(question: Any) -> bool | None:
    try:
        return bool(question())
    except Uncertain:
        return None


def test_random_updates_cover_every_kind_of_path(cases: list[Case]) -> None:
    """There are enough plain paths, dotted paths, names with dots and names that collide."""
    told = Counter(
        kind
        for case in cases
        for path, places in case.names.items()
        for kind in (
            "dotted" if "." in path else "plain",
            *(["name with a dot"] if ("." in path) and (path,) in places else []),
        )
    )
    collide = sum(len(_readings(case)) > 1 for case in cases)
    assert len(cases) > UPDATES / 3
    assert min(told["dotted"], told["name with a dot"], collide, told["plain"]) > UPDATES / 20


def test_every_question_is_exact_with_post_images(cases: list[Case]) -> None:
    """`became` and `changed` are uncertain only when two fields with the same path differ."""
    for case in cases:
        change = case.change
        assert change.before == case.before, case
        assert canonical(change.after) == canonical(case.after), case
        _check_patch(case, change)
        for path, places in _questions(case):
            changes = {not _same(old, new) for old, new in places} or {False}
            answer = _result(partial(change.changed, path))
            assert answer == (changes.pop() if len(changes) == 1 else None), (path, case)
            for value in (new for _, new in places if new is not ABSENT):
                became = {_same(new, value) and not _same(old, value) for old, new in places}
                answer = _result(partial(change.became, path, value))
                assert answer == (became.pop() if len(became) == 1 else None), (path, value, case)


def _check_patch(case: Case, change: Change) -> None:
    assert canonical(JsonPatch(change.diff()).apply(case.before)) == canonical(case.after), case


def _lookup_free(case: Case) -> Change:
    return replace(case.change, full_document=None, post_image=False)


def test_every_question_is_exact_with_disambiguated_paths(cases: list[Case]) -> None:
    """MongoDB 8.2 reports the names of each path that has a dot or a number in a name."""
    for case in cases:
        said = {
            path: list(places[0])
            for path, places in case.names.items()
            if any("." in str(name) for name in places[0]) or (len(places[0]) > 1 and any(_numeric(name) for name in places[0]))
        }
        described = case.change.update_description
        assert described is not None
        change = replace(_lookup_free(case), update_description=replace(described, disambiguated_paths=said))
        if all(len(places) == 1 for places in case.names.values()):
            assert canonical(change.after) == canonical(case.after), case
            _check_patch(case, change)
        else:
            answer = _after(change)
            assert answer is None or canonical(answer) == canonical(case.after), case


def _numeric(name: str | int) -> bool:
    return isinstance(name, str) and name.isdecimal()


def test_after_is_exact_or_ambiguous_without_post_images(cases: list[Case]) -> None:
    """It is certain exactly when the description can only lead to one document."""
    for case in cases:
        change, possible = _lookup_free(case), _readings(case)
        answer = _after(change)
        assert (answer is None) == (len(possible) > 1), case
        if answer is not None:
            assert canonical(answer) == canonical(case.after), case
            _check_patch(case, change)
        _assert_no_wrong_result(case, change)


def test_no_question_is_wrong_without_any_image(cases: list[Case]) -> None:
    """From the update description alone, and with a looked-up document."""
    for case in cases:
        bare = replace(_lookup_free(case), full_document_before_change=None)
        _assert_no_wrong_result(case, bare)
        _assert_no_wrong_result(case, replace(bare, full_document=case.after))


def _assert_no_wrong_result(case: Case, change: Change) -> None:
    """
    A result must be true of a field with that path. Two assumptions hold: an update's ``a.b`` lies in ``a`` unless a document
    of the change shows a name with that dot; and a field in the description has a new value. (A server also describes a field
    that was only moved within its document, or that is another type of the same number.)
    """
    documents = (change.full_document_before_change, change.full_document)
    shown = {place for document in documents if document for place, _ in _places(document)}
    was, now = dict(_places(case.before)), dict(_places(case.after))
    alike = [
        told for told, at in case.names.items() for place in at if place in was and _same(was[place], now.get(place, ABSENT))
    ]
    for path, places in _questions(case):
        changes = {not _same(old, new) for old, new in places} or {False}
        answer = _result(partial(change.changed, path))
        beside = any(
            told.startswith(f"{path}.") and _passes_by(place, path) and place not in shown
            for told, at in case.names.items()
            for place in at
        )
        equal = any(told == path or told.startswith(f"{path}.") for told in alike)
        assert answer is None or answer in changes or (answer and (beside or equal)), (path, case)
        for value in (new for _, new in places if new is not ABSENT):
            became = {_same(new, value) and not _same(old, value) for old, new in places}
            answer = _result(partial(change.became, path, value))
            assert answer is None or answer in became or (answer and equal), (path, value, case)


def _passes_by(place: Place, path: str) -> bool:
    return not any(".".join(map(str, place[:depth])) == path for depth in range(1, len(place)))


def _after(change: Change) -> Any:
    try:
        return change.after
    except Uncertain:
        return None


def _readings(case: Case) -> set[bytes]:
    """
    Return the documents that the update may have led to, at most two: each path of the description is split into names in every
    possible way, each choice is applied as the server's documentation says, and choices that no server describes so are
    dropped.
    """
    described = case.change.update_description
    assert described is not None
    steps = [
        *(("cut", array["field"], array["newSize"]) for array in described.truncated_arrays),
        *(("remove", path, None) for path in described.removed_fields),
        *(("set", path, value) for path, value in described.updated_fields.items()),
    ]
    documents: set[bytes] = set()
    for choice in _choices(case.before, steps, []):
        after = _plain(case.before)
        for (kind, _, value), (_, names) in zip(steps, choice, strict=True):
            _carry_out(after, names, kind, value)
        documents.add(canonical(after))
        if len(documents) > 1:
            break
    return documents


Choice = list[tuple[str, list[str]]]


def _choices(before: Any, steps: list[tuple[str, str, Any]], chosen: Choice) -> Iterator[Choice]:
    if len(chosen) == len(steps):
        yield chosen
        return
    kind, path, value = steps[len(chosen)]
    for names in _partitions(path):
        more = [*chosen, (kind, names)]
        if _leads(before, names, kind, value) and not _overlap(more):
            yield from _choices(before, steps, more)


def _partitions(path: str) -> Iterator[list[str]]:
    parts = path.split(".")
    for count in range(len(parts)):
        for cuts in combinations(range(1, len(parts)), count):
            ends = [0, *cuts, len(parts)]
            yield [".".join(parts[begin:end]) for begin, end in pairwise(ends)]


def _holder(document: Any, names: list[str]) -> Any:
    for name in names[:-1]:
        if isinstance(document, list):
            document = document[int(name)] if name in map(str, range(len(document))) else None
        else:
            document = document.get(name) if isinstance(document, dict) else None
    return document


def _leads(before: Any, names: list[str], kind: str, value: Any) -> bool:
    holder, last = _holder(before, names), names[-1]
    if isinstance(holder, list):
        inside = last in map(str, range(len(holder)))
        if kind == "cut":
            return inside and isinstance(holder[int(last)], list) and len(holder[int(last)]) >= value
        return kind == "set" and last in map(str, range(50))
    if not isinstance(holder, dict):
        return False
    if kind == "cut":
        return isinstance(holder.get(last), list) and len(holder[last]) >= value
    return kind == "set" or last in holder


def _overlap(choice: Choice) -> bool:
    return any(
        one[: len(other)] == other and not (kind == "cut" and len(one) > len(other))
        for number, (_, one) in enumerate(choice)
        for another, (kind, other) in enumerate(choice)
        if number != another
    )


def _carry_out(document: Any, names: list[str], kind: str, value: Any) -> None:
    holder, last = _holder(document, names), names[-1]
    if kind == "cut":
        array = holder[int(last)] if isinstance(holder, list) else holder[last]
        del array[value:]
    elif kind == "remove":
        del holder[last]
    elif isinstance(holder, list):
        holder += [None] * (int(last) + 1 - len(holder))
        holder[int(last)] = value
    else:
        holder[last] = value
