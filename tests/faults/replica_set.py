"""The state of a replica set, asked from each member, and how to make it elect another primary."""

from collections.abc import Callable
from typing import Any

from pymongo import MongoClient
from pymongo.errors import PyMongoError

from tailrace.dev.loopback import HOST
from tailrace.dev.mongod import Mongod

_TIMEOUT = {"serverSelectionTimeoutMS": 300, "socketTimeoutMS": 5_000}
_HEALTHY = ("PRIMARY", "SECONDARY")


def primary(mongod: Mongod) -> int | None:
    """Return the number of the primary, or None during an election."""
    for number in range(len(mongod.ports)):
        if _asked(mongod, number, lambda client: client.admin.command("hello").get("isWritablePrimary")):
            return number
    return None


def whole(mongod: Mongod) -> bool:
    """Whether there is a primary that every other member follows."""
    number = primary(mongod)
    if number is None:
        return False
    members = _asked(mongod, number, lambda client: client.admin.command("replSetGetStatus")["members"]) or []
    return bool(members) and all(member["stateStr"] in _HEALTHY for member in members)


def step_down(mongod: Mongod, number: int) -> None:
    """Make the primary step down for a few seconds."""
    order = {"replSetStepDown": 3, "secondaryCatchUpPeriodSecs": 2, "force": True}
    _asked(mongod, number, lambda client: client.admin.command(order))


def _asked(mongod: Mongod, number: int, question: Callable[["MongoClient[dict[str, Any]]"], Any]) -> Any:
    """Return the member's response, or None."""
    client: MongoClient[dict[str, Any]]
    with MongoClient(HOST, mongod.ports[number], directConnection=True, **_TIMEOUT) as client:  # type: ignore[arg-type]
        try:
            return question(client)
        except PyMongoError:
            return None
