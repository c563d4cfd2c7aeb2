"""
Which change streams a DocumentDB cluster keeps: none, until someone with the right to do so says which.

A stream over what is not kept opens there without an error, and nothing ever arrives. MongoDB keeps them all and knows none of
these commands.
"""

from collections.abc import Collection, Sequence
from typing import Any

from pymongo import MongoClient
from pymongo.errors import OperationFailure

from tailer.errors import Misconfigured
from tailer.mongodb.connection.errors import mongodb_errors
from tailer.mongodb.watch import Scope

ENABLE = "tailer change-streams enable"
_UNKNOWN = {59, 40324}  # no such command, no such stage: the server is MongoDB
_DENIED = "the user may not list and modify change streams: sign in as the cluster's primary user, or one with clusterAdmin"


def needed(watched: Sequence[Scope]) -> list[Scope]:
    """What change streams must be kept for. One collection of every database cannot be said there: it takes the cluster."""
    return [one if one.database else Scope("", "") for one in watched]


def enabled(client: "MongoClient[Any]") -> list[Scope] | None:
    """
    What change streams are kept for; nothing where that is not a question, because the server is MongoDB.

    Raises:
        Misconfigured: the user may not ask.
        Unavailable: nobody answers.
    """
    with mongodb_errors(denied=_DENIED):
        try:
            rows = list(client.admin.aggregate([{"$listChangeStreams": 1}]))
        except OperationFailure as error:
            if error.code in _UNKNOWN:
                return None
            raise
    return sorted(Scope(row["database"], row["collection"]) for row in rows)


def switch(client: "MongoClient[Any]", scope: Scope, *, on: bool) -> None:
    """
    Begin or cease to keep change streams for exactly this. What is kept for something wider stays as it is.

    Raises: as ``enabled``.
    """
    words = {"modifyChangeStreams": 1, "database": scope.database, "collection": scope.collection, "enable": on}
    with mongodb_errors(denied=_DENIED):
        client.admin.command(words)


def by(scope: Scope, kept: Collection[Scope]) -> Scope | None:
    """Of what is kept, the narrowest that covers the scope."""
    return max((one for one in kept if one.covers(scope)), default=None)


def check_enabled(client: "MongoClient[Any]", needed: Sequence[Scope]) -> None:
    """
    Return where change streams are kept for all of it, and where the user may not ask.

    Raises:
        Misconfigured: they are not; the message names the command that enables them.
        Unavailable: nobody answers.
    """
    try:
        kept = enabled(client)
    except Misconfigured:
        return
    if missing := [str(scope) for scope in needed if kept is not None and not by(scope, kept)]:
        raise Misconfigured(f"change streams are not enabled for {', '.join(missing)}, so no change would arrive: {ENABLE}")
