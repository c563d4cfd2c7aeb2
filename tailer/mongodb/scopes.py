"""The names that a stream may watch, in its settings: collections, databases, or the whole cluster."""

from collections.abc import Sequence
from dataclasses import dataclass

WHOLE = "*"  # in a setting: every database, or every collection
OWN_DATABASE = "tailrace"
_INTERNAL = {"admin", "config", "local"}  # databases of the server, which have no change streams
_NOT_IN_A_DATABASE = '/\\. "$,\0'  # MongoDB allows a comma, but it means that the user named two databases
_ADVICE = (
    f"Name one database; for several set TAILER_DATABASE to {WHOLE}, and TAILER_COLLECTIONS to shop.orders for a "
    f"collection, shop.{WHOLE} for a database"
)


@dataclass(frozen=True, order=True, slots=True)
class Scope:
    """A collection; the whole database if ``collection`` is empty; every database, or the cluster, if ``database`` is empty."""

    database: str
    collection: str

    def covers(self, other: "Scope") -> bool:
        """Whether a stream over this scope also watches the other."""
        return self.database in ("", other.database) and self.collection in ("", other.collection)

    def __str__(self) -> str:
        if not self.database:
            return f"{WHOLE}.{self.collection}" if self.collection else WHOLE
        return f"{self.database}.{self.collection or WHOLE}"


def short(database: str, collections: Sequence[str]) -> tuple[str, ...]:
    """Return the names without the database that they repeat; empty for every collection."""
    names = tuple(name.removeprefix(f"{database}.") for name in collections)
    return () if WHOLE in names else names


def scopes(database: str, collections: Sequence[str]) -> tuple[Scope, ...]:
    """
    Return what is watched, sorted, without scopes that a wider one covers.

    In one database, a name is the name of a collection, which may contain dots, with or without the database before it. With
    ``WHOLE``, the database ends at the first dot: ``shop.orders``, ``shop.fs.files``, or ``shop.*`` for all of a database. A
    name without a dot is that collection in every database.
    """
    names = short(database, collections)
    if database == WHOLE:
        every = {_scope_of(name) for name in names} or {Scope("", "")}
    else:
        every = {Scope(database, name) for name in names or ("",)}
    return tuple(sorted(scope for scope in every if not any(other.covers(scope) for other in every - {scope})))


def refusal(database: str, collections: Sequence[str]) -> str:
    """Return why no change stream can watch these names; empty if one can. The server is not asked."""
    for name in collections:
        if not name or name[0] == "." or name[-1] == ".":
            return f"{name!r} is not the name of a collection"
    why = next(filter(None, map(_unwatchable, scopes(database, collections))), "")
    return f"{why}. {_ADVICE}" if why and set(database) & set(_NOT_IN_A_DATABASE) else why


def _unwatchable(scope: Scope) -> str:
    database, collection = scope.database, scope.collection
    if database == OWN_DATABASE:
        return f"no stream may watch {OWN_DATABASE}, the database of the checkpoints"
    if database in _INTERNAL:
        return f"{database} is the server's own database, and has no change stream"
    if found := sorted(set(database) & set(_NOT_IN_A_DATABASE)):
        return f"{database!r} is not the name of a database: {found[0]!r} cannot be in one"
    if collection.startswith("system."):
        return f"{collection} is the server's own collection, and has no change stream"
    if found := sorted(set(collection) & {"$", "\0"}):
        return f"{collection!r} is not the name of a collection: {found[0]!r} cannot be in one"
    return ""


def _scope_of(name: str) -> Scope:
    database, dot, collection = name.partition(".")
    if not dot:
        return Scope("", name)
    return Scope(database, "" if collection == WHOLE else collection)
