"""
For what a DocumentDB cluster keeps change streams: for nothing, until a user with the right to do so enables it.

A stream over anything else opens there without an error, and no change ever arrives. MongoDB keeps change streams for
everything and knows none of these commands.
"""

from collections.abc import Collection, Sequence
from typing import Any

from pymongo import MongoClient
from pymongo.errors import OperationFailure

from tailer.mongodb.connection.errors import mongodb_errors
from tailer.mongodb.scopes import Scope

ENABLE = "tailer change-streams enable"
_UNKNOWN = {59, 40324}  # no such command, no such stage: the server is MongoDB
_DENIED = "the user may not list and modify change streams: sign in as the cluster's primary user, or one with clusterAdmin"


def needed(watched: Sequence[Scope]) -> list[Scope]:
    """Return what must be enabled. One collection of every database cannot be enabled, only the whole cluster."""
    return [scope if scope.database else Scope("", "") for scope in watched]


def enabled(client: "MongoClient[Any]") -> list[Scope] | None:
    """Return what is enabled; None if the server is MongoDB."""
    with mongodb_errors(denied=_DENIED):
        try:
            rows = list(client.admin.aggregate([{"$listChangeStreams": 1}]))
        except OperationFailure as error:
            if error.code in _UNKNOWN:
                return None
            raise
    return sorted(Scope(row["database"], row["collection"]) for row in rows)


def switch(client: "MongoClient[Any]", scope: Scope, *, on: bool) -> None:
    """Enable or disable exactly this scope. A wider scope stays as it is."""
    words = {"modifyChangeStreams": 1, "database": scope.database, "collection": scope.collection, "enable": on}
    with mongodb_errors(denied=_DENIED):
        client.admin.command(words)


def by(scope: Scope, kept: Collection[Scope]) -> Scope | None:
    """Return the narrowest scope of ``kept`` that covers the scope."""
    return max((one for one in kept if one.covers(scope)), default=None)
