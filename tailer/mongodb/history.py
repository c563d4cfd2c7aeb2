"""The history that a server keeps: where it begins, and where a stream without a checkpoint starts in it."""

from datetime import UTC
from typing import Any

from pymongo import MongoClient, ReadPreference
from pymongo.errors import OperationFailure

from tailer.errors import Misconfigured
from tailer.model import At, Checkpoint, Start
from tailer.mongodb.capabilities import capabilities
from tailer.mongodb.connection.errors import mongodb_errors
from tailer.mongodb.events.positions import next_time, reply_time, time_of, time_text
from tailer.times import rfc3339, seconds


class History:
    """The history of one server, for a stream that starts at ``start``."""

    def __init__(self, client: "MongoClient[Any]", start: Start) -> None:
        self._client = client
        self._start = start

    def first(self) -> Checkpoint:
        """
        Return the checkpoint of a stream that has none.

        Its generation is the server's time in seconds. So it is higher than at every start before, even if that checkpoint was
        lost, and the forwarder does not take new changes for repeats.
        """
        with mongodb_errors():
            reply = self._client.admin.command("hello")
        clock = f"{int(reply['localTime'].replace(tzinfo=UTC).timestamp())}.0"
        now = reply_time(reply) or clock
        return Checkpoint(generation=seconds(now), position=self._first(now, clock))

    def _first(self, now: str, clock: str) -> At:
        """``now``: the time of the last write. On an idle server its ``clock`` is seconds ahead of that."""
        if self._start == "now":
            return At(next_time(now))
        if isinstance(self._start, At):
            if time_of(self._start.time) > max(time_of(next_time(now)), time_of(clock)):
                raise Misconfigured(
                    f"TAILER_START={rfc3339(self._start.time)} is in the future: what is committed until then would be skipped"
                )
            return self._start
        if (oldest := self.oldest()) is None:
            raise Misconfigured(
                "TAILER_START=beginning needs the right to read local.oplog.rs; DocumentDB has no oplog: give a time"
            )
        return At(oldest)

    def oldest(self) -> str | None:
        """Return the time of the oldest entry of the oplog; None if there is no oplog, or the user may not read it."""
        if not capabilities(self._client).oplog:  # an attempt to read one would be a line in DocumentDB's audit log
            return None
        with mongodb_errors():
            oplog = self._client.local.get_collection("oplog.rs", read_preference=ReadPreference.PRIMARY)
            try:
                entry = oplog.find_one(sort=[("$natural", 1)], projection={"ts": 1})
            except OperationFailure:
                return None
        return time_text(entry["ts"]) if entry else None
