"""A dialect in front of the session's mongod, and the requests that show how it behaves."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any

from bson.timestamp import Timestamp
from pymongo import MongoClient
from pymongo.errors import OperationFailure

from devstack.documentdb.dialect import DocumentdbDialect

Document = dict[str, Any]
Mongo = MongoClient[Document]

ENABLED = ("", "")


@dataclass(frozen=True)
class Server:
    """``client`` is connected to the dialect, ``mongod`` to the server that it is in front of."""

    dialect: DocumentdbDialect
    client: Mongo
    mongod: Mongo
    name: str  # of a database of this test

    def hello(self) -> Document:
        return self.client.admin.command("hello")

    def collection(self) -> Any:
        return self.mongod[self.name].c

    def now(self) -> Timestamp:
        time: Timestamp = self.mongod.admin.command("ping")["operationTime"]
        return time

    def open(
        self, stages: list[Document] | None = None, *, target: str | int = "c", first: bool = False, **options: Any
    ) -> "Stream":
        """Open a change stream; ``first``: do not enable change streams before."""
        if not first:
            self.dialect.enabled = {ENABLED}
        command = {"aggregate": target, "pipeline": [{"$changeStream": options}, *(stages or [])], "cursor": {"batchSize": 0}}
        return Stream(self, self.client[self.name].command(command)["cursor"])


class Stream:
    """An open change stream. ``opened`` is the cursor of the first reply."""

    def __init__(self, server: Server, cursor: Document) -> None:
        self._server = server
        self.opened = cursor

    def read(self) -> Document:
        """Return the cursor of the next reply."""
        more = {"getMore": self.opened["id"], "collection": self.opened["ns"].partition(".")[2], "maxTimeMS": 50}
        cursor: Document = self._server.client[self._server.name].command(more)["cursor"]
        return cursor

    def events(self, count: int = 1) -> list[Document]:
        """Return the next events; fewer if none come within twenty replies."""
        found: list[Document] = []
        for _ in range(20):
            found += self.read()["nextBatch"]
            if len(found) >= count:
                break
        return found


def outcome(request: Callable[[], Any], accepted: str = "accepted") -> str | int:
    """Return the code of the error with which a request is refused, or that it is accepted."""
    try:
        request()
    except OperationFailure as error:
        return error.code or 0
    return accepted


def shows(fields: Mapping[str, Any], *names: str) -> str:
    return "present" if set(names) <= fields.keys() else "absent" if not set(names) & fields.keys() else "some"
