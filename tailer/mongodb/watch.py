"""
What a stream watches, as one command and one ``$match``.

A stream of one collection is opened on the collection, of several on their database, of several databases on the cluster. It
shows the same changes in each case: a rename also by its new name, as the stream of a single collection does.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from tailer.mongodb.events.change_events import INVALIDATE
from tailer.mongodb.scopes import WHOLE, Scope, scopes


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


def _with_invalidate(stage: Mapping[str, Any]) -> Mapping[str, Any]:
    """Return a ``$match`` that also selects invalidate events: after one, the stream has to be opened again."""
    return {"$match": {"$or": [stage["$match"], {"operationType": INVALIDATE}]}} if "$match" in stage else stage
