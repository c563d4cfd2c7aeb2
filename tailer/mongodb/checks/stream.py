"""One stream: enabled, over names that exist, open to the user, and with history enough."""

from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime
from functools import partial
from typing import Any, Protocol

from pymongo import MongoClient
from pymongo.errors import OperationFailure

from tailer.checks import Check, Finding, NotChecked, fail, not_allowed, ok, warn
from tailer.errors import HistoryLost, Misconfigured, Unavailable
from tailer.history import headroom, history
from tailer.model import Checkpoint
from tailer.mongodb.change_streams import ENABLE, by, enabled, needed
from tailer.mongodb.checks.images import images
from tailer.mongodb.checks.names import named
from tailer.mongodb.checks.pipeline import selects_the_same
from tailer.mongodb.checks.server import NETWORK, SIGN_IN, Server
from tailer.mongodb.connection.errors import mongodb_errors
from tailer.mongodb.watch import Watch
from tailer.ports import Source

ASSERTIONS = 15_000  # MongoDB: codes from here on name one check of a command, which fails at every try
OPENING = 15.0  # seconds; a server may scan much history before it responds
STILL_SCANNING = warn(
    f"the server has scanned its history for more than {OPENING:g} s and found no change that matches",
    "wait: a tailer that starts now reports 'scanning since' until then; if its log names TAILER_SCAN_SECONDS, raise it",
)
_OF_DOCUMENTDB = "set TAILER_HISTORY_SECONDS to the value of change_stream_log_retention_duration"
_OF_MONGODB = (
    "let the user read the oplog (read on the database local), or set TAILER_HISTORY_SECONDS to how long it lasts at least"
)
_LITTLE = 0.2  # of the history


def opens(client: "MongoClient[Any]", watch: Watch) -> Finding:
    """
    Open the stream at now, read nothing and close it. The server may refuse the pipeline, an option, a name or the user.

    Not at a stored position: only the owner of the lease decides about history that is lost.
    """
    database = client[watch.target.database or "admin"]
    command = partial(database.command, read_preference=database.read_preference)
    try:
        with mongodb_errors(), client.start_session(causal_consistency=False) as session:
            cursor = command(watch.command({}), session=session)["cursor"]
            command({"killCursors": cursor["ns"].partition(".")[2], "cursors": [cursor["id"]]}, session=session)
    except HistoryLost as error:  # DocumentDB may respond so about a collection that is not enabled
        raise Misconfigured(f"change streams are not enabled here: run {ENABLE}, then start again ({error})") from error
    except Unavailable as error:
        if isinstance(error.__cause__, OperationFailure) and (error.__cause__.code or 0) >= ASSERTIONS:
            raise Misconfigured(f"the server refuses this change stream: check TAILER_PIPELINE ({error})") from error
        raise
    return ok("opens at now")


class Position(Protocol):
    """The stored position of a stream. A running tailer does not notice that it is read."""

    def checkpoint(self) -> Checkpoint | None:
        """Return it; None before the first start."""

    def readable(self) -> Finding:
        """Check that the change stream opens there."""

    def cluster(self) -> Finding:
        """Check that it is a position in the history of the watched cluster."""


@dataclass(frozen=True, kw_only=True)
class WatchedStream:
    """The change stream of one stream on its server."""

    server: Server
    watch: Watch
    source: Callable[[], Source]
    position: Position
    history_seconds: int
    now: Callable[[], datetime]

    def checks(self) -> list[Check]:
        check = partial(
            Check,
            outage=f"check that the database is up, not overloaded, and reachable from here: {NETWORK}",
            mistake="correct the stream's settings, or let the user read what they name",
            needs=(SIGN_IN,),
        )
        stored = ("checkpoints.read", SIGN_IN)
        return [
            check(name="stream.enabled", run=self.enabled, at_start=self.enabled),
            check(name="stream.names", run=self.names, at_start=self.names),
            check(
                name="stream.readable",
                run=self.readable,
                at_start=self.opens,
                needs=stored,
                seconds=OPENING,
                late=STILL_SCANNING,
            ),
            check(name="stream.documents", run=partial(images, self.server, self.watch)),
            check(name="stream.pipeline", run=partial(selects_the_same, self.watch), needs=()),
            check(name="stream.history", run=self.reaches_back, needs=stored),
            check(name="stream.cluster", run=self.position.cluster, needs=stored),
        ]

    def enabled(self) -> Finding:
        """Check that DocumentDB keeps change streams for all that is watched. MongoDB keeps them for everything."""
        if not self.server.capabilities.documentdb:
            return ok("MongoDB keeps change streams for everything")
        try:
            kept = enabled(self.server.client)
        except Misconfigured:
            right = "the action listChangeStreams (role readAnyDatabase); a tailer does not need it"
            raise NotChecked(not_allowed(right)) from None
        if kept is None:
            return ok("the server keeps change streams for everything")
        if missing := [str(scope) for scope in needed(self.watch.scopes) if not by(scope, kept)]:
            found = f"change streams are not enabled for {', '.join(missing)}, so no change would arrive"
            return fail(found, f"run {ENABLE}, as a user who may")
        return ok("enabled")

    def names(self) -> Finding:
        """Check that what is watched by name exists and has changes."""
        return named(self.server.client, self.watch)

    def opens(self) -> Finding:
        """Check that the server opens the stream, with its pipeline, options and user."""
        return opens(self.server.client, self.watch)

    def readable(self) -> Finding:
        """Check that the stream opens, also where the next tailer opens it."""
        self.opens()
        return self.position.readable()

    def reaches_back(self) -> Finding:
        """Check how long the stream may stand still before it loses changes."""
        now, checkpoint = self.now(), self.position.checkpoint()
        kept = history(self.source(), history_seconds=self.history_seconds, now=now)
        if kept is None:
            remedy = _OF_MONGODB if self.server.capabilities.oplog else _OF_DOCUMENTDB
            return warn("the server does not report how long it keeps history", remedy)
        if checkpoint is None:
            return ok(f"{kept:.0f} s of history")
        if (left := headroom(kept, checkpoint, now)) is None:
            found = f"{kept:.0f} s of history; how much of it is left is unknown, like the checkpoint's time"
            return warn(found, "wait: the stream's next change reports it")
        found = f"{left:.0f} s left of {kept:.0f} s, {max(0.0, left / kept if kept else 0.0):.0%}"
        if left >= _LITTLE * kept:
            return ok(found)
        if left > 0:
            return warn(found, "let a tailer catch up, and keep history for longer")
        return warn(found, "no tailer can catch up: see stream.readable for the ways out, and keep history for longer")
