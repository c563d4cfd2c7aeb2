"""
Finds the differences by which a new schema of an event breaks consumers of the old one.

A difference is breaking if an event of the new schema can be invalid under the old one: a field was removed, can now be missing
or null, or has another type or a new value. A new field is not breaking: consumers ignore unknown fields.
"""

from collections.abc import Iterator
from typing import Any

Schema = dict[str, Any]

_BOUNDS = {
    *("format", "pattern", "minLength", "maxLength", "minItems", "maxItems", "uniqueItems", "multipleOf"),
    *("minimum", "maximum", "exclusiveMinimum", "exclusiveMaximum", "prefixItems", "propertyNames"),
}


def breaks(old: Schema, new: Schema) -> list[str]:
    """
    Return the breaking differences from ``old`` to ``new``, each with the path of its field first.

    Both schemas have the form of ``schema.json_schema``.
    """
    return list(_Comparison(old, new).breaks(old, new, ""))


class _Comparison:
    def __init__(self, old: Schema, new: Schema) -> None:
        self._old, self._new = old, new
        self._compared: set[tuple[str, str]] = set()  # pairs of references: a type can contain itself

    def breaks(self, old: Schema, new: Schema, path: str) -> Iterator[str]:
        pair = (old.get("$ref", ""), new.get("$ref", ""))
        if all(pair):
            if pair in self._compared:
                return
            self._compared.add(pair)
        old, new = _resolved(self._old, old), _resolved(self._new, new)
        if "anyOf" in new and "properties" not in new:
            for branch in new["anyOf"]:
                yield from self.breaks(old, branch, path)
        elif "anyOf" in old and "properties" not in old:
            found = [list(self.breaks(branch, new, path)) for branch in old["anyOf"]]
            if all(found):
                yield f"{path} may now be {_kind(new)}" if len(found) > 1 else found[0][0]
        else:
            yield from self._without_choice(old, new, path)

    def _without_choice(self, old: Schema, new: Schema, path: str) -> Iterator[str]:
        if not _accepts(old, new):
            yield f"{path} may now be {_kind(new)}; it was {_kind(old)}"
            return
        for bound in sorted(_BOUNDS & old.keys()):
            if new.get(bound) != old[bound]:
                yield f"{path} has another {bound}; it was {old[bound]}"
        yield from self._members(old, new, path)

    def _members(self, old: Schema, new: Schema, path: str) -> Iterator[str]:
        fields: Schema = new.get("properties", {})
        for name, field in old.get("properties", {}).items():
            if name in fields:
                yield from self.breaks(field, fields[name], f"{path}.{name}".lstrip("."))
            else:
                yield f"{path}.{name} was removed".lstrip(".")
        for name in old.get("required", ()):
            if name in fields and name not in new.get("required", ()):
                yield f"{path}.{name} may now be missing".lstrip(".")
        for part in ("items", "additionalProperties"):
            if isinstance(old.get(part), dict):
                yield from self.breaks(old[part], new[part] if isinstance(new.get(part), dict) else {}, f"{path}[]")


def _resolved(whole: Schema, schema: Schema) -> Schema:
    found: Schema = schema
    if "$ref" in schema:
        found = whole["$defs"][schema["$ref"].rpartition("/")[2]]
    return found


def _values(schema: Schema) -> list[Any] | None:
    return [schema["const"]] if "const" in schema else schema.get("enum")


_NAMES = {str: "string", bool: "boolean", int: "integer", float: "number", type(None): "null"}


def _accepts(old: Schema, new: Schema) -> bool:
    """Whether every new value has an old value or the old type. An old schema without a type accepts any value."""
    possible, now, wanted = _values(old), _values(new), old.get("type")
    if possible is not None:
        return now is not None and all(value in possible for value in now)
    types = {new.get("type")} if now is None else {_NAMES.get(type(value)) for value in now}
    return wanted is None or all(found == wanted or (found, wanted) == ("integer", "number") for found in types)


def _kind(schema: Schema) -> str:
    values = _values(schema)
    return f"one of {values}" if values is not None else str(schema.get("type", "anything"))
