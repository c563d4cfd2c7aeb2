"""Records in a MongoDB or DocumentDB collection: the watched cluster itself, or another one."""

from functools import partial
from typing import Any, Self

from pymongo import MongoClient, ReadPreference, WriteConcern
from pymongo.errors import DuplicateKeyError
from pymongo.read_concern import ReadConcern

from tailer.checks import Finding
from tailer.model import Record
from tailer.mongodb.checks.encryption import tls_of
from tailer.mongodb.checks.server import NETWORK
from tailer.mongodb.connection.errors import STORE, WATCHED, mongodb_errors
from tailer.mongodb.connection.uri import elastic, mistake
from tailer.mongodb.scopes import OWN_DATABASE
from tailer.ports import Conflict
from tailer.stored_form import record_from, stored_record
from tailer.stores.kind import Clients, Kind

_DURABLE_READS = ReadConcern("majority")
_DURABLE = WriteConcern("majority", wtimeout=5_000)  # ms; a fail-over must not bring an older record back


class MongodbCheckpoints(Kind):
    """
    One document per stream in ``tailrace.checkpoints``, replaced only where its version is the expected one.

    It reads from the primary whatever the URI says: a record on a secondary may be older than the one that a write replaced.
    ``setting`` holds the server's URI; error messages name it.
    """

    form, pattern = "mongodb: (the watched cluster)", r"mongodb:"
    outage = f"check that the database, which TAILER_CHECKPOINTS names too, is up and accepts writes: {NETWORK}"
    mistake = f"grant the user of TAILER_MONGODB_URI readWrite on the database {OWN_DATABASE}, or name another store"
    in_watched_cluster = True

    @classmethod
    def of(cls, url: str, clients: Clients) -> Self:  # noqa: ARG003 - the URL is TAILER_MONGODB_URI
        return cls(clients.watched())

    def __init__(self, client: "MongoClient[Any]", setting: str = WATCHED) -> None:
        denied = f"the user of {setting} may not keep checkpoints: grant it readWrite on the database {OWN_DATABASE}"
        self._errors = partial(mongodb_errors, denied, setting, stream=False)
        self._records = client[OWN_DATABASE].get_collection(
            "checkpoints", read_preference=ReadPreference.PRIMARY, read_concern=_DURABLE_READS, write_concern=_DURABLE
        )

    def read(self, stream: str) -> Record | None:
        with self._errors():
            found = self._records.find_one({"_id": stream})
        return record_from(found) if found else None

    def write(self, record: Record) -> None:
        document = {"_id": record.stream, **stored_record(record)}
        with self._errors():
            if record.version == 1:
                try:
                    self._records.insert_one(document)
                except DuplicateKeyError:
                    raise Conflict from None
                return
            replaced = self._records.replace_one({"_id": record.stream, "version": record.version - 1}, document)
        if not replaced.matched_count:
            raise Conflict


class SeparateMongodb(MongodbCheckpoints):
    """The same on a server of its own."""

    form, pattern = "mongodb://HOST/…", r"mongodb(\+srv)?://.+"
    outage = f"check that the server in TAILER_CHECKPOINTS is up and reachable from here: {NETWORK}"
    mistake = f"correct TAILER_CHECKPOINTS, or grant its user readWrite on the database {OWN_DATABASE}"
    in_watched_cluster = False

    @classmethod
    def of(cls, url: str, clients: Clients) -> Self:
        return cls(clients.connect(url, STORE), STORE)

    @staticmethod
    def refusal(url: str) -> str:
        another = "names an elastic cluster of Amazon DocumentDB, which cannot keep checkpoints: name another store"
        return mistake(url) or (another if elastic(url) else "")

    @staticmethod
    def tls(url: str) -> Finding:
        return tls_of(url, STORE)
