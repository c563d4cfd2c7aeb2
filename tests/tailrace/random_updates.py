"""Random documents with every legal kind of name, and random updates of them."""

from random import Random
from typing import Any

Document = dict[str, Any]

NAMES = ["a", "b", "0", "1", "", "a.b", "a.0", "b.a", ".a", "a.", "a.b.0", "$x", "x/y", "~1"]
PLAIN = ["a", "b", "0", "1"]
PADDING = {"padding": "x" * 600}  # This makes the server describe an update instead of sending the whole document.


def document(random: Random, number: int) -> Document:
    return {"_id": number, **_object(random, 4), **PADDING}


def random_update(random: Random, before: Document) -> tuple[Any, Document]:
    """An update and its options. The server may refuse it."""
    kind = random.choice(
        [_set, _set, _unset, _array, _elements, _rename, _pipeline_set, _field, _field, _field, _merge, _merge]
    )
    return kind(random, before)


def _value(random: Random, depth: int) -> Any:
    if depth and random.random() < 0.6:
        return (
            _object(random, depth) if random.random() < 0.6 else [_value(random, depth - 1) for _ in range(random.randrange(4))]
        )
    return random.choice([0, 1, 2, "x", None, True, 1.5])


def _object(random: Random, depth: int) -> Document:
    return {name: _value(random, depth - 1) for name in random.sample(NAMES, random.randrange(1, 6))}


def path_in(random: Random, value: Any) -> str:
    """A path through plain names that mostly exists: classic operators know no other names."""
    names: list[str] = []
    while True:
        inner = {}
        if isinstance(value, dict):
            inner = {name: child for name, child in value.items() if name and "." not in name and name[0] not in "$_"}
        elif isinstance(value, list):
            inner = {str(place): child for place, child in enumerate(value)}
        if inner and random.random() < 0.8:
            name = random.choice(sorted(inner))
            value = inner[name]
        elif names and random.random() < 0.7:
            return ".".join(names)
        else:
            name, value = random.choice(PLAIN), None
        names.append(name)


def _set(random: Random, before: Document) -> tuple[Any, Document]:
    paths = {path_in(random, before): _value(random, 2) for _ in range(random.randrange(1, 4))}
    return {"$set": paths}, {}


def _unset(random: Random, before: Document) -> tuple[Any, Document]:
    return {"$unset": {path_in(random, before): 1}, "$set": {"c": random.randrange(9)}}, {}


def _rename(random: Random, before: Document) -> tuple[Any, Document]:
    return {"$rename": {path_in(random, before): path_in(random, before)}}, {}


def _array(random: Random, before: Document) -> tuple[Any, Document]:
    value = random.choice([0, 1, {"a": 1}, {"a.b": 2}])
    change = random.choice(
        [
            {"$push": {"list": value}},
            {"$push": {"list": {"$each": [value], "$position": 0}}},
            {"$push": {"list": {"$each": [value, 1], "$slice": random.choice([-2, 2])}}},
            {"$pull": {"list": value}},
            {"$pop": {"list": random.choice([-1, 1])}},
            {"$addToSet": {"list": value}},
            {"$set": {f"list.{random.randrange(6)}": value}},
        ]
    )
    return [{"$set": {"list": {"$literal": [value, 0, {"a": 0, "b": [1, 2]}, 1]}}}] if "list" not in before else change, {}


def _elements(random: Random, before: Document) -> tuple[Any, Document]:
    lists = [name for name, value in before.items() if isinstance(value, list) and name in (*PLAIN, "list")] or ["list"]
    name = random.choice(lists)
    if random.random() < 0.5:
        return {"$set": {f"{name}.$[]": _value(random, 1)}}, {}
    return {"$set": {f"{name}.$[e]": _value(random, 1)}}, {"array_filters": [{"e": random.choice([0, 1, 2, "x"])}]}


def _pipeline_set(random: Random, before: Document) -> tuple[Any, Document]:
    stages: list[Any] = [{"$set": {path_in(random, before): {"$literal": _value(random, 2)}}}]
    if random.random() < 0.5:
        stages.append({"$unset": path_in(random, before)})
    return stages, {}


def _field(random: Random, before: Document) -> tuple[Any, Document]:
    """``$setField`` and ``$unsetField`` write a name as it is, with its dots, at the top or within an object."""
    stages: list[Any] = []
    for _ in range(random.randrange(1, 3)):
        objects = [name for name, value in before.items() if isinstance(value, dict)]
        written = _written(random, "$$ROOT")
        if objects and random.random() < 0.5:
            holder = {"$literal": random.choice(objects)}
            inner = _written(random, {"$getField": {"field": holder, "input": "$$ROOT"}})
            written = {"$setField": {"field": holder, "input": "$$ROOT", "value": inner}}
        stages.append({"$replaceWith": written})
    return stages, {}


def _written(random: Random, holder: Any) -> Any:
    field = {"$literal": random.choice(NAMES)}
    if random.random() < 0.3:
        return {"$unsetField": {"field": field, "input": holder}}
    return {"$setField": {"field": field, "input": holder, "value": {"$literal": _value(random, 2)}}}


def _merge(random: Random, before: Document) -> tuple[Any, Document]:
    """Build a document like the one before, with changed values, removed names and new names."""
    after = _altered(random, before) | {"_id": before["_id"]} | PADDING
    return [{"$replaceWith": {"$literal": after}}], {}


def _altered(random: Random, value: Any) -> Any:
    if isinstance(value, dict):
        kept = {name: _altered(random, child) for name, child in value.items() if random.random() < 0.9}
        return kept | ({random.choice(NAMES): _value(random, 1)} if random.random() < 0.3 else {})
    if isinstance(value, list):
        kept_elements = [_altered(random, child) for child in value]
        return kept_elements[: random.randrange(len(value) + 1)] if random.random() < 0.3 else kept_elements
    return value if random.random() < 0.8 else _value(random, 1)
