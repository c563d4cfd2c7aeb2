"""
What a stream watches: the names in its settings, resolved into one command and one ``$match``, whatever its shape.

One collection is watched at the collection, several at their database, several databases at the cluster. A change is told the
same whichever it is: a rename also by the name that it gives, as a collection's own stream does.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from tailer.mongodb.events.change_events import INVALIDATE

WHOLE = "*"  # in place of a name: every database, or every collection
OWN_DATABASE = "tailrace"
_INTERNAL = {"admin", "config", "local"}  # of the server itself; a change stream never shows them
_NOT_IN_A_DATABASE = '/\\. "$,\0'  # a comma could be, and means that two were meant
_ADVICE = (
    f"One database goes there; for several set TAILER_DATABASE to {WHOLE}, and TAILER_COLLECTIONS to shop.orders for a "
    f"collection, shop.{WHOLE} for a database"
)


@dataclass(frozen=True, order=True, slots=True)
class Scope:
    """A collection; without one the whole database; without a database the collection in each of them, or the whole cluster."""

    database: str
    collection: str

    def covers(self, other: "Scope") -> bool:
        """Whether whoever watches this watches the other too."""
        return self.database in ("", other.database) and self.collection in ("", other.collection)

    def __str__(self) -> str:
        if not self.database:
            return f"{WHOLE}.{self.collection}" if self.collection else WHOLE
        return f"{self.database}.{self.collection or WHOLE}"


def short(database: str, collections: Sequence[str]) -> tuple[str, ...]:
    """The names without the database that they repeat. None where every collection is meant."""
    names = tuple(name.removeprefix(f"{database}.") for name in collections)
    return () if WHOLE in names else names


def scopes(database: str, collections: Sequence[str]) -> tuple[Scope, ...]:
    """
    What is watched, in order and without what something wider covers.

    Within one database a name is a collection's, dots and all, and may be written with that database before it. Within
    ``WHOLE`` the database ends at the first dot: ``shop.orders``, ``shop.fs.files``, or ``shop.*`` for all of one; a name
    without a dot is that collection in every database.
    """
    names = short(database, collections)
    if database == WHOLE:
        every = {_within_the_cluster(name) for name in names} or {Scope("", "")}
    else:
        every = {Scope(database, name) for name in names or ("",)}
    return tuple(sorted(one for one in every if not any(other.covers(one) for other in every - {one})))


def refusal(database: str, collections: Sequence[str]) -> str:
    """Why no change stream can watch this, as far as the names tell; empty where one can."""
    for name in collections:
        if not name or name[0] == "." or name[-1] == ".":
            return f"{name!r} is not the name of a collection"
    why = next(filter(None, map(_unwatchable, scopes(database, collections))), "")
    return f"{why}. {_ADVICE}" if why and set(database) & set(_NOT_IN_A_DATABASE) else why


def _unwatchable(scope: Scope) -> str:
    database, collection = scope.database, scope.collection
    if database == OWN_DATABASE:
        return f"no stream may watch the database the checkpoints are kept in, {OWN_DATABASE}"
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
    """What to watch, by the names in the settings, and what each event shall carry."""

    database: str = WHOLE
    collections: tuple[str, ...] = ()
    pipeline: Sequence[Mapping[str, Any]] = ()
    full_document: str = "updateLookup"
    full_document_before_change: str = "off"
    but_not: str = ""  # a database of our own, which a stream over every database must not see
    first: Sequence[Mapping[str, Any]] = ()  # stages of our own, before the pipeline and after it
    last: Sequence[Mapping[str, Any]] = ()

    @property
    def bare(self) -> bool:
        """Whether events carry nothing but the change itself."""
        return (self.full_document, self.full_document_before_change) == ("default", "off")

    @property
    def document_of_updates(self) -> str:
        """
        What the server is asked for. Where every change must have its pre-image, its post-image is there as well: it is exact,
        never gone, and costs no lookup.
        """
        required = (self.full_document, self.full_document_before_change) == ("updateLookup", "required")
        return "whenAvailable" if required else self.full_document

    @property
    def post_images(self) -> bool:
        """Whether the document of an update is the one just after it."""
        return self.document_of_updates in ("whenAvailable", "required")

    @property
    def scopes(self) -> tuple[Scope, ...]:
        """What is watched; see ``scopes``."""
        return scopes(self.database, self.collections)

    @property
    def target(self) -> Scope:
        """What the stream is opened on: the narrowest that holds all of it."""
        first, *more = self.scopes
        if not first.database or any(one.database != first.database for one in more):
            return Scope("", "")
        return Scope(first.database, "") if more else first

    def command(self, position: Mapping[str, Any]) -> dict[str, Any]:
        """The command that opens the stream at a position, ``{"resumeAfter": …}`` or the like, without reading from it."""
        options = dict(position)
        if self.full_document != "default":
            options["fullDocument"] = self.document_of_updates
        if self.full_document_before_change != "off":
            options["fullDocumentBeforeChange"] = self.full_document_before_change
        if not self.target.database:
            options["allChangesForCluster"] = True
        stages = [
            {"$changeStream": options},
            *map(_letting_invalidate_pass, self.first),
            *self._chosen(),
            *map(_letting_invalidate_pass, self.pipeline),
            *self.last,
        ]
        return {"aggregate": self.target.collection or 1, "pipeline": stages, "cursor": {"batchSize": 0}}

    def _chosen(self) -> list[Mapping[str, Any]]:
        """Of what the target shows, what is watched."""
        stages: list[Mapping[str, Any]] = []
        if self.scopes != (self.target,):
            stages.append(_letting_invalidate_pass({"$match": {"$or": [*self._named("ns"), *self._named("to")]}}))
        if self.but_not and not self.scopes[0].database:
            stages.append({"$match": {"ns.db": {"$ne": self.but_not}}})
        return stages

    def _named(self, field: str) -> list[Mapping[str, Any]]:
        """A condition for each database whose names may stand in this field: ``ns``, or the new name, ``to``."""
        conditions: list[Mapping[str, Any]] = []
        for database in sorted({one.database for one in self.scopes}):
            names = [one.collection for one in self.scopes if one.database == database]
            condition: dict[str, Any] = {f"{field}.db": database} if database else {}
            conditions.append(condition | ({f"{field}.coll": {"$in": names}} if names != [""] else {}))
        return conditions


def _within_the_cluster(name: str) -> Scope:
    database, dot, collection = name.partition(".")
    if not dot:
        return Scope("", name)
    return Scope(database, "" if collection == WHOLE else collection)


def _letting_invalidate_pass(stage: Mapping[str, Any]) -> Mapping[str, Any]:
    """A ``$match`` lets through, besides what it says, that what is watched is gone: without it nothing goes on."""
    return {"$match": {"$or": [stage["$match"], {"operationType": INVALIDATE}]}} if "$match" in stage else stage
