"""The application: numbered entries on many documents, at a given pace, each of them known to be committed or not."""

import random
import threading
import time
from collections.abc import Callable, Sequence
from typing import Any

from pymongo import DeleteOne, MongoClient, ReplaceOne, UpdateOne, WriteConcern
from pymongo.client_session import ClientSession
from pymongo.errors import PyMongoError

from tests.faults.entries import NUMBER, Kind, Ledger

DATABASE = "ledger"
COLLECTION = "accounts"
DOCUMENTS = 600
BATCH = (10, 120)  # documents in one bulk write, each at most once, so that it can be repeated
TRANSACTION = (2, 8)  # documents
TRANSACTIONS = 0.15  # the share of batches
GIVE_UP = 60.0  # seconds in which one batch must be committed
PADS = (0, 60, 200, 600, 6_000)  # bytes that an entry carries beside its number
_AGAIN = 0.1  # seconds

Step = tuple[str, Kind]
Write = UpdateOne | ReplaceOne[dict[str, Any]] | DeleteOne


class Writer:
    """
    A thread that writes ``pace`` entries a second until stopped. ``ledger`` holds the entries that a majority has acknowledged.
    Every write names the entry that it follows, so a batch with a lost response is written again: what had been applied matches
    no longer.
    """

    def __init__(self, client: "MongoClient[dict[str, Any]]", chance: random.Random, pace: float) -> None:
        self._client = client
        self._collection = client[DATABASE].get_collection(COLLECTION, write_concern=WriteConcern("majority", wtimeout=10_000))
        self._chance = chance
        self._names = [f"account-{number:03}" for number in range(DOCUMENTS)]
        self._stopping = threading.Event()
        self._thread = threading.Thread(target=self._run, name="writer", daemon=True)
        self._hurry_until = 0
        self.pace = pace
        self.ledger = Ledger()
        self.repeated = 0  # batches that were written again
        self.transactions = 0
        self.failure: Exception | None = None

    def start(self) -> None:
        self._thread.start()

    def hurry(self, entries: int) -> None:
        """Write this many more entries as fast as the database accepts them, like a bulk import."""
        self._hurry_until = self.ledger.count + entries

    @property
    def hurrying(self) -> bool:
        return self.ledger.count < self._hurry_until and self._thread.is_alive()

    def stop(self) -> None:
        """Finish the current batch and end. Raises: the error that ended the thread early."""
        self._stopping.set()
        self._thread.join(GIVE_UP)
        if self.failure:
            raise self.failure

    def _run(self) -> None:
        due = time.monotonic()
        try:
            while not self._stopping.is_set():
                written = self._batch()
                if self.hurrying:
                    due = time.monotonic()
                    continue
                due = max(due + written / self.pace, time.monotonic() - 1)
                self._stopping.wait(due - time.monotonic())
        except Exception as failure:  # `stop` raises it.
            self.failure = failure

    def _batch(self) -> int:
        """Write one bulk write or one transaction until it is committed, and record it in the ledger."""
        together = self._chance.random() < TRANSACTIONS
        size = self._chance.randint(*(TRANSACTION if together else BATCH))
        steps = [(name, self._kind(name)) for name in self._chance.sample(self._names, size)]
        writes = [self._write(*step) for step in steps]
        self._surely(lambda: self._together(writes) if together else self._collection.bulk_write(writes, ordered=False))
        self.transactions += together
        for document, kind in steps:
            self.ledger.commit(document, kind)
        return size

    def _surely(self, write: Callable[[], object]) -> None:
        deadline = time.monotonic() + GIVE_UP
        while True:
            try:
                write()
            except PyMongoError:
                self.repeated += 1
                if time.monotonic() > deadline:
                    raise
                time.sleep(_AGAIN)
            else:
                return

    def _together(self, writes: Sequence[Write]) -> None:
        def all_of_them(session: ClientSession) -> None:
            self._client[DATABASE][COLLECTION].bulk_write(writes, session=session)

        with self._client.start_session() as session:
            session.with_transaction(all_of_them, write_concern=WriteConcern("majority", wtimeout=10_000))

    def _kind(self, document: str) -> Kind:
        if not self.ledger.exists(document):
            return "insert"
        kinds: tuple[Kind, ...] = ("update", "replace", "delete")
        return self._chance.choices(kinds, (75, 15, 10))[0]

    def _write(self, document: str, kind: Kind) -> Write:
        number = self.ledger.next_number(document)
        follows = {"_id": document, NUMBER: number - 1}
        fields = {NUMBER: number, "pad": "x" * self._chance.choices(PADS, (20, 40, 30, 9, 1))[0]}
        match kind:
            case "insert":
                return UpdateOne({"_id": document}, {"$setOnInsert": fields}, upsert=True)
            case "update":
                return UpdateOne(follows, {"$set": fields})
            case "replace":
                return ReplaceOne(follows, fields)
            case "delete":
                return DeleteOne(follows)
