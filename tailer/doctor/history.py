"""The change stream of one stream: kept by the server, open to us, and reaching back to the checkpoint."""

from collections.abc import Callable, Sequence
from datetime import datetime
from typing import Any

from pymongo.errors import PyMongoError

from tailer.checkpoints.gaps import history_lost_message
from tailer.checkpoints.positions import opened
from tailer.doctor.database import Database
from tailer.doctor.finding import NotAllowed, Verdict, fail, ok, skip, warn
from tailer.doctor.records import Records
from tailer.errors import HistoryLost, Misconfigured
from tailer.mongodb.change_streams import ENABLE, by, enabled
from tailer.mongodb.cluster_facts import ClusterFacts
from tailer.mongodb.connection.errors import mongodb_errors
from tailer.mongodb.source import MongodbSource
from tailer.mongodb.watch import Scope
from tailer.parts import Parts
from tailer.streaming.headroom import headroom, history
from tailer.times import rfc3339

OPENING = 15.0  # seconds; a server may look through much history before it answers
STILL_LOOKING = warn(
    f"the server has scanned its history for more than {OPENING:g} s and found no change that matches",
    "wait: a tailer that starts now reports 'scanning since' until then; if its log names TAILER_SCAN_SECONDS, raise it",
)
_TOLD = "set TAILER_HISTORY_SECONDS to the value of change_stream_log_retention_duration"
_READ = "let the user read the oplog (read on the database local), or set TAILER_HISTORY_SECONDS to how long it lasts at least"
_FIRST_EVENT = "wait: the stream's next change reports it"
_GONE = "no tailer can catch up: see stream.readable for the ways out, and keep history for longer"
_LITTLE = 0.2  # of the history: below it somebody is to be called
_IMAGES = (6, 0)  # the MongoDB that brought pre- and post-images
_STUCK = "an update committed before that stops the stream, until you set whenAvailable instead of required"


class History:
    """What a stream reads, read for a moment and let go: a running tailer does not notice."""

    def __init__(self, parts: Parts, database: Database, records: Records, *, now: Callable[[], datetime]) -> None:
        self._parts = parts
        self._settings = parts.settings
        self._database = database
        self._records = records
        self._now = now

    def kept(self) -> Verdict:
        """Whether DocumentDB keeps change streams for all that is watched; MongoDB does for everything."""
        if not self._database.documentdb:
            return ok("MongoDB keeps change streams for everything")
        needed = self._parts.scopes_to_enable
        try:
            kept = enabled(self._database.client)
        except Misconfigured:
            raise NotAllowed("the action listChangeStreams (role readAnyDatabase); a tailer does not need it") from None
        if kept is None:
            return ok("the server keeps change streams for everything")
        missing = [str(scope) for scope in needed if not by(scope, kept)]
        return fail(f"not enabled for {', '.join(missing)}", f"{ENABLE}, as a user who may") if missing else ok("enabled")

    def cluster(self) -> Verdict:
        """Whether the checkpoint belongs to the cluster that answers."""
        return self._records.cluster(ClusterFacts(lambda: self._database.client)())

    def readable(self) -> Verdict:
        """Whether the stream opens where the next tailer opens it: its pipeline, its options, its rights, its position."""
        source = self._source
        checkpoint = self._records.checkpoint
        try:
            opened(source, (checkpoint or source.first()).position)
        except HistoryLost as error:
            return fail(str(error), history_lost_message(self._settings.stream, checkpoint), HistoryLost)
        return ok(f"opens after {rfc3339(checkpoint.reached)}" if checkpoint else f"opens at {self._settings.start}")

    def reaches_back(self) -> Verdict:
        """How long the stream may stand still before it loses something."""
        source, told = self._source, self._settings.history_seconds
        kept = history(source, history_seconds=told, now=self._now())
        if kept is None:
            return warn("the server does not report how long it keeps history", _TOLD if self._database.documentdb else _READ)
        if (checkpoint := self._records.checkpoint) is None:
            return ok(f"{kept:.0f} s of history")
        left = headroom(source, checkpoint, history_seconds=told, now=self._now())
        if left is None:
            return warn(f"{kept:.0f} s of history; how much of it is left is unknown, like the checkpoint's time", _FIRST_EVENT)
        found = f"{left:.0f} s left of {kept:.0f} s, {max(0.0, left / kept if kept else 0.0):.0%}"
        if left >= _LITTLE * kept:
            return ok(found)
        return warn(found, "let a tailer catch up, and keep history for longer" if left > 0 else _GONE)

    def documents(self) -> Verdict:
        """Whether the server can tell the documents that are asked for."""
        before, after = self._settings.full_document_before_change, self._settings.full_document
        wants = [one for one in (before, after) if one in ("whenAvailable", "required")]
        if not wants:
            return ok(f"fullDocument {after}, no pre-images")
        if self._database.documentdb or self._database.version < _IMAGES:
            return fail(
                f"{'DocumentDB' if self._database.documentdb else 'MongoDB before 6.0'} has neither pre- nor post-images",
                "set TAILER_FULL_DOCUMENT to updateLookup and TAILER_FULL_DOCUMENT_BEFORE_CHANGE to off",
            )
        scopes = self._parts.watch.scopes
        if not scopes[0].database:
            return skip("pre- and post-images are not looked up for a whole cluster")
        databases = sorted({one.database for one in scopes})
        without = [collection for name in databases for collection in self._without_images(name, scopes)]
        if not without:
            return ok("pre- and post-images are kept")
        found = f"no pre- and post-images of {', '.join(without)}"
        remedy = "collMod with changeStreamPreAndPostImages: {enabled: true}"
        return fail(found, f"{remedy}; {_STUCK}") if "required" in wants else warn(found, remedy)

    @property
    def _source(self) -> MongodbSource:
        return MongodbSource(self._database.client, self._parts.watch, self._settings.start)

    def _without_images(self, name: str, scopes: Sequence[Scope]) -> list[str]:
        """Of the watched collections of a database that exist."""
        database: Any = self._database.client[name]
        with mongodb_errors():
            try:
                found = {one["name"]: one.get("options", {}) for one in database.list_collections()}
            except PyMongoError as error:
                raise NotAllowed("the action listCollections (role read)") from error
        return [
            collection
            for collection, options in sorted(found.items())
            if any(one.covers(Scope(name, collection)) for one in scopes)
            and not collection.startswith("system.")
            and not options.get("changeStreamPreAndPostImages", {}).get("enabled")
        ]
