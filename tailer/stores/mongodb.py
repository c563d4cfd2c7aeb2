"""Records in a MongoDB or DocumentDB collection: the watched cluster itself, or another one."""

from functools import partial
from typing import Any

from pymongo import MongoClient, ReadPreference, WriteConcern
from pymongo.errors import DuplicateKeyError
from pymongo.read_concern import ReadConcern

from tailer.model import Record
from tailer.mongodb.connection.errors import WATCHED, mongodb_errors
from tailer.mongodb.watch import OWN_DATABASE
from tailer.ports import Conflict
from tailer.stored_form import record_from, stored_record

_DURABLE_READS = ReadConcern("majority")
_DURABLE = WriteConcern("majority", wtimeout=5_000)  # ms; a fail-over must not bring an older record back


class MongodbCheckpoints:
    """
    One document per stream in ``tailrace.checkpoints``, replaced only where its version is the expected one.

    It reads from the primary whatever the URI says: a record on a secondary may be older than the one that a write replaced.
    ``setting`` names the server: what is wrong with it is said of that setting.
    """

    def __init__(self, client: "MongoClient[Any]", setting: str = WATCHED) -> None:
        denied = f"the user of {setting} may not keep checkpoints: grant it readWrite on the database {OWN_DATABASE}"
        self._errors = partial(mongodb_errors, denied, setting, stream=False)
        self._records = client[OWN_DATABASE].get_collection(
            "checkpoints", read_preference=ReadPreference.PRIMARY, read_concern=_DURABLE_READS, write_concern=_DURABLE
        )

    def read(self, stream: str) -> Record | None:
        """See ``CheckpointStore``."""
        with self._errors():
            found = self._records.find_one({"_id": stream})
        return record_from(found) if found else None

    def write(self, record: Record) -> None:
        """See ``CheckpointStore``."""
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
