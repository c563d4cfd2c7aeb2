"""What a replica set says of itself, asked member by member, and how it is told to elect another primary."""

from collections.abc import Callable
from typing import Any

from pymongo import MongoClient
from pymongo.errors import PyMongoError

from devstack.loopback import HOST
from devstack.mongod import Mongod

_TIMEOUT = {"serverSelectionTimeoutMS": 300, "socketTimeoutMS": 5_000}
_HEALTHY = ("PRIMARY", "SECONDARY")


def primary(mongod: Mongod) -> int | None:
    """Which member is the primary; none while they elect one."""
    for number in range(len(mongod.ports)):
        if _asked(mongod, number, lambda client: client.admin.command("hello").get("isWritablePrimary")):
            return number
    return None


def whole(mongod: Mongod) -> bool:
    """Whether there is a primary and every other member follows it."""
    number = primary(mongod)
    if number is None:
        return False
    members = _asked(mongod, number, lambda client: client.admin.command("replSetGetStatus")["members"]) or []
    return bool(members) and all(member["stateStr"] in _HEALTHY for member in members)


def step_down(mongod: Mongod, number: int) -> None:
    """Let the primary give up its office for a few seconds."""
    order = {"replSetStepDown": 3, "secondaryCatchUpPeriodSecs": 2, "force": True}
    _asked(mongod, number, lambda client: client.admin.command(order))


def _asked(mongod: Mongod, number: int, question: Callable[["MongoClient[dict[str, Any]]"], Any]) -> Any:
    """The member's answer; nothing where it has none."""
    client: MongoClient[dict[str, Any]]
    with MongoClient(HOST, mongod.ports[number], directConnection=True, **_TIMEOUT) as client:  # type: ignore[arg-type]
        try:
            return question(client)
        except PyMongoError:
            return None
