"""The backlog that each run reads: inserts and updates of payments of about 1.2 kB."""

import random
from collections.abc import Callable, Iterator
from datetime import UTC, datetime, timedelta
from typing import Any

from bson import Decimal128, ObjectId
from pymongo import MongoClient, UpdateOne
from pymongo.collection import Collection

from benchmarks.results import COLLECTION, DATABASE
from tailer.mongodb.events.positions import next_time, time_text

BLOCK = 500  # payments in one write
OPLOG = 990  # MB, the least a running server can be given; devstack's own would forget a long backlog
_OPENED = datetime(2026, 1, 1, tzinfo=UTC)
_CANCELLED = {"$set": {"status": "cancelled", "updated": _OPENED + timedelta(days=200)}}
_WORDS = [
    "annual",
    "basic",
    "direct",
    "debit",
    "family",
    "fee",
    "instalment",
    "monthly",
    "plan",
    "premium",
    "renewal",
    "service",
]

Document = dict[str, Any]


def collection(client: MongoClient[Document]) -> Collection[Document]:
    return client[DATABASE][COLLECTION]


def write(client: MongoClient[Document], changes: int, progress: Callable[[int], None]) -> str:
    """
    Write this many changes, every other one an update of a payment from before the backlog.

    The cluster time from which they are found, as text.
    """
    client.admin.command("replSetResizeOplog", 1, size=float(OPLOG))
    chance = random.Random(2_026)
    old = [document["_id"] for block in _blocks(changes // 2, chance) for document in _insert(client, block)]
    begin, written = next_moment(client), 0
    for block in _blocks(changes - len(old), chance):
        updates = [UpdateOne({"_id": _id}, _CANCELLED) for _id in old[written // 2 :][: len(block)]]
        _insert(client, block)
        if updates:
            collection(client).bulk_write(updates)
        written += len(block) + len(updates)
        progress(written)
    return begin


def next_moment(client: MongoClient[Document]) -> str:
    """Return the cluster time after everything that was written so far."""
    return next_time(time_text(client.admin.command("hello")["operationTime"]))


def payments(count: int, chance: random.Random) -> list[Document]:
    """Return this many payments, as an application stores them."""
    return [_payment(chance) for _ in range(count)]


def _blocks(count: int, chance: random.Random) -> Iterator[list[Document]]:
    for begin in range(0, count, BLOCK):
        yield payments(min(BLOCK, count - begin), chance)


def _insert(client: MongoClient[Document], block: list[Document]) -> list[Document]:
    collection(client).insert_many(block)
    return block


def _payment(chance: random.Random) -> Document:
    """Return a payment with the fields of the example and further fields."""
    created = _OPENED + timedelta(milliseconds=chance.randrange(10**10))
    return {
        "_id": ObjectId(),
        "subscriptionId": f"sub-{chance.getrandbits(64):016x}",
        "accountNumber": str(chance.randrange(10**9, 10**10)),
        "status": "created",
        "created": created,
        "updated": created,
        "amount": Decimal128(f"{chance.randrange(100, 100_000) / 100:.2f}"),
        "currency": "EUR",
        "attempt": 0,
        "mandate": {"reference": f"{chance.getrandbits(128):032x}", "signed": created, "sequence": "RCUR"},
        "debtor": {
            "name": _text(chance, 2),
            "iban": f"DE{chance.randrange(10**19, 10**20)}",
            "address": {
                "street": _text(chance, 3),
                "number": chance.randrange(300),
                "postcode": f"{chance.randrange(10**5):05}",
            },
        },
        "lines": [
            {"text": _text(chance, 5), "quantity": 1, "price": chance.random() * 100, "tax": 0.19, "due": created}
            for _ in range(4)
        ],
        "remittance": _text(chance, 40),
        "trace": f"{chance.getrandbits(256):064x}",
    }


def _text(chance: random.Random, words: int) -> str:
    return " ".join(chance.choices(_WORDS, k=words))
