"""The keys of a table of mappers beside the collections that a project's streams watch."""

from collections.abc import Iterable, Iterator, Mapping
from typing import Any

from lambda_forwarder.mapping.mapper_keys import ANY_DATABASE, similar_key
from tailer.mongodb.scopes import WHOLE, Scope, scopes
from tailrace.project import Project
from tailrace.wire.change import Namespace

DYNAMODB = "dynamodb"  # the database of the changes of a DynamoDB table


def unwatched(keys: Iterable[str], project: Project) -> Iterator[str]:
    """Yield a sentence for each key whose collection no stream of the project watches."""
    watched = list(_watched(project))
    if not watched:
        return
    for key in keys:
        scope = _scope(key)
        if not any(_meet(scope, other) for other in watched):
            close = _similar(key, watched)
            hint = f"did you mean {close}?" if close else f"they watch {', '.join(sorted(map(str, watched)))}"
            yield f"no stream of {project.file.name} watches the collection {key!r} of the mappers; {hint}"


def _watched(project: Project) -> Iterator[Scope]:
    """Return what the streams of the project and of its environments watch."""
    yield from _scopes({"streams": [{"database": one.database, "collections": one.collections} for one in project.streams]})
    for name in project.environments:
        yield from _scopes(project.environment(name))


def _scopes(tables: Mapping[str, Any]) -> Iterator[Scope]:
    for stream in tables.get("streams", ()):
        yield from scopes(stream.get("database", WHOLE), tuple(stream.get("collections", ())))
    for stream in tables.get("forwarder", {}).get("dynamodb_streams", ()):
        yield Scope(DYNAMODB, stream.get("stream_arn", "").partition(":table/")[2].partition("/")[0])


def _scope(key: str) -> Scope:
    """Return what a key means: a key without a dot is the collection in any database."""
    database, dot, collection = key.partition(".")
    return Scope("" if database == ANY_DATABASE else database, collection) if dot else Scope("", key)


def _meet(one: Scope, other: Scope) -> bool:
    """Whether a collection is in both scopes."""
    return ("" in (one.database, other.database) or one.database == other.database) and (
        "" in (one.collection, other.collection) or one.collection == other.collection
    )


def _similar(key: str, watched: Iterable[Scope]) -> str:
    names = {f"{scope.database or ANY_DATABASE}.{scope.collection}" for scope in watched if scope.collection}
    scope = _scope(key)
    return similar_key(Namespace(db=scope.database, coll=scope.collection), names)
