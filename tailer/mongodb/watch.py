"""
What a stream watches: the names in its settings, as one command and one ``$match``.

A stream of one collection is opened on the collection, of several on their database, of several databases on the cluster. It
shows the same changes in each case: a rename also by its new name, as the stream of a single collection does.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from tailer.mongodb.events.change_events import INVALIDATE

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


@dataclass(frozen=True, kw_only=True, slots=True)
class Watch:
    """The names in the settings, and which documents the events of the stream contain."""

    database: str = WHOLE
    collections: tuple[str, ...] = ()
    pipeline: Sequence[Mapping[str, Any]] = ()
    full_document: str = "updateLookup"
    full_document_before_change: str = "off"
    but_not: str = ""  # the tailer's own database, which a stream over every database must not show
    first: Sequence[Mapping[str, Any]] = ()  # stages of the tailer, before the pipeline and after it
    last: Sequence[Mapping[str, Any]] = ()

    @property
    def bare(self) -> bool:
        """Whether events contain no looked-up document and no image."""
        return (self.full_document, self.full_document_before_change) == ("default", "off")

    @property
    def document_of_updates(self) -> str:
        """
        The value of ``fullDocument``. A change that must have a pre-image also has a post-image, which replaces the lookup: it
        is the document just after the change.
        """
        required = (self.full_document, self.full_document_before_change) == ("updateLookup", "required")
        return "whenAvailable" if required else self.full_document

    @property
    def post_images(self) -> bool:
        """Whether the document of an update is its post-image."""
        return self.document_of_updates in ("whenAvailable", "required")

    @property
    def scopes(self) -> tuple[Scope, ...]:
        return scopes(self.database, self.collections)

    @property
    def target(self) -> Scope:
        """What the stream is opened on: the narrowest scope that contains all that is watched."""
        first, *more = self.scopes
        if not first.database or any(scope.database != first.database for scope in more):
            return Scope("", "")
        return Scope(first.database, "") if more else first

    def command(self, position: Mapping[str, Any]) -> dict[str, Any]:
        """Return the command that opens the stream at a position, e.g. ``{"resumeAfter": …}``, without reading from it."""
        options = dict(position)
        if self.full_document != "default":
            options["fullDocument"] = self.document_of_updates
        if self.full_document_before_change != "off":
            options["fullDocumentBeforeChange"] = self.full_document_before_change
        if not self.target.database:
            options["allChangesForCluster"] = True
        stages = [
            {"$changeStream": options},
            *map(_with_invalidate, self.first),
            *self._selection(),
            *map(_with_invalidate, self.pipeline),
            *self.last,
        ]
        return {"aggregate": self.target.collection or 1, "pipeline": stages, "cursor": {"batchSize": 0}}

    def _selection(self) -> list[Mapping[str, Any]]:
        """Return the stages that select what is watched from what the target shows."""
        stages: list[Mapping[str, Any]] = []
        if self.scopes != (self.target,):
            stages.append(_with_invalidate({"$match": {"$or": [*self._named("ns"), *self._named("to")]}}))
        if self.but_not and not self.scopes[0].database:
            stages.append({"$match": {"ns.db": {"$ne": self.but_not}}})
        return stages

    def _named(self, field: str) -> list[Mapping[str, Any]]:
        """Return a condition for each database; ``field`` is ``ns``, or ``to`` for the new name of a rename."""
        conditions: list[Mapping[str, Any]] = []
        for database in sorted({scope.database for scope in self.scopes}):
            names = [scope.collection for scope in self.scopes if scope.database == database]
            condition: dict[str, Any] = {f"{field}.db": database} if database else {}
            conditions.append(condition | ({f"{field}.coll": {"$in": names}} if names != [""] else {}))
        return conditions


def _scope_of(name: str) -> Scope:
    database, dot, collection = name.partition(".")
    if not dot:
        return Scope("", name)
    return Scope(database, "" if collection == WHOLE else collection)


def _with_invalidate(stage: Mapping[str, Any]) -> Mapping[str, Any]:
    """Return a ``$match`` that also selects invalidate events: after one, the stream has to be opened again."""
    return {"$match": {"$or": [stage["$match"], {"operationType": INVALIDATE}]}} if "$match" in stage else stage
