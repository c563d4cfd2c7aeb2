"""
Whether what a stream watches by name exists, and is of a kind that has changes.

A change stream over a misspelt name, or over a view among collections, opens without an error, and no change ever arrives.
"""

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

from pymongo import MongoClient

from tailer.checks import Finding, fail, ok, skip, warn
from tailer.mongodb.connection.errors import mongodb_errors
from tailer.mongodb.listing import Listing, similar
from tailer.mongodb.scopes import WHOLE, Scope
from tailer.mongodb.watch import Watch

MOST_DATABASES = 100  # searched for a collection that may be in any of them
_WITHOUT_CHANGES = {
    "view": "a view, and a view has no changes of its own: watch the collection behind it",
    "timeseries": "a time series collection, which has no change stream: watch an ordinary collection",
}


@dataclass(frozen=True, kw_only=True, slots=True)
class Presence:
    """
    One sentence for each name that can never have changes, for each that does not exist yet, and for each list that the user
    may not read.
    """

    impossible: list[str] = field(default_factory=list)
    absent: list[str] = field(default_factory=list)
    unseen: list[str] = field(default_factory=list)


def named(client: "MongoClient[Any]", watch: Watch) -> Finding:
    """Check all that is watched by name."""
    found = presence(client, watch)
    remedy = "correct TAILER_DATABASE or TAILER_COLLECTIONS"
    if found.impossible:
        return fail("; ".join(found.impossible), remedy)
    if found.absent:
        return warn("; ".join([*found.absent, *found.unseen]), f"{remedy}, or create it")
    if found.unseen:
        return skip("; ".join(found.unseen), "it would need the action listCollections (role read)")
    return ok(", ".join(map(str, watch.scopes)))


def presence(client: "MongoClient[Any]", watch: Watch) -> Presence:
    """Return what is wrong with the names that are watched."""
    found, listing = Presence(), Listing(client)
    with mongodb_errors():
        for scope in watch.scopes:
            if scope.database and scope.collection:
                _of_a_collection(scope, listing, watch, found)
            elif scope.database:
                _of_a_database(scope, listing, found)
            elif scope.collection:
                _of_every_database(scope, listing, found)
    return found


def _of_a_database(scope: Scope, listing: Listing, found: Presence) -> None:
    databases = listing.databases()
    if databases is None:
        _unseen("databases", found)
    elif scope.database not in databases:
        found.absent.append(f"{_absent(scope)}: {_no_database(scope.database, listing)}")


def _of_a_collection(scope: Scope, listing: Listing, watch: Watch, found: Presence) -> None:
    kinds = listing.kinds(scope.database)
    if kinds is None:
        _unseen(f"collections of {scope.database}", found)
    elif (kind := kinds.get(scope.collection, "")) in _WITHOUT_CHANGES:
        behind = listing.view_on(scope) if kind == "view" else ""
        found.impossible.append(f"TAILER_COLLECTIONS: {scope} is {_WITHOUT_CHANGES[kind]}{behind and f', {behind}'}")
    elif not kind and (elsewhere := _elsewhere(scope, listing, watch)):
        found.impossible.append(elsewhere)
    elif not kind:
        found.absent.append(_absent(scope) + _meant(scope, kinds, listing, watch))


def _of_every_database(scope: Scope, listing: Listing, found: Presence) -> None:
    databases = listing.databases()
    if databases is None:
        _unseen("databases", found)
        return
    if len(databases) > MOST_DATABASES:
        found.unseen.append(
            f"could not look for {scope}: it may be in any of {len(databases)} databases, and at most {MOST_DATABASES} are "
            "looked through; write each collection with its database"
        )
        return
    listed = [listing.kinds(name) or {} for name in databases]
    kinds = {names[scope.collection] for names in listed if scope.collection in names}
    if not kinds:
        close = similar(scope.collection, {name for names in listed for name in names})
        found.absent.append(_absent(scope) + (f"; did you mean {close}?" if close else ""))
    elif kinds <= _WITHOUT_CHANGES.keys():
        found.impossible.append(f"TAILER_COLLECTIONS: {scope} is {_WITHOUT_CHANGES[min(kinds)]}")


def _elsewhere(scope: Scope, listing: Listing, watch: Watch) -> str:
    """Return the sentence on a name that is a collection of another database, where one database is watched."""
    database, _, collection = scope.collection.partition(".")
    if watch.database == WHOLE or database not in (listing.databases() or ()):
        return ""
    if collection not in (listing.kinds(database) or ()):
        return ""
    return (
        f"TAILER_COLLECTIONS: {scope.collection} lies in the database {database}, and TAILER_DATABASE is {watch.database}. For "
        f"several databases set TAILER_DATABASE to {WHOLE}, and write each collection with its own"
    )


def _meant(scope: Scope, kinds: Mapping[str, str], listing: Listing, watch: Watch) -> str:
    """Return what may have been meant by a collection that does not exist."""
    databases = listing.databases()
    if databases is not None and scope.database not in databases:
        for name in sorted(databases)[:MOST_DATABASES]:
            if str(scope) in (listing.kinds(name) or ()):
                return f"; did you mean {name}.{scope}, the collection {scope} of the database {name}?"
        return f": {_no_database(scope.database, listing)}"
    if str(scope) in kinds:
        return f"; did you mean {scope.database}.{scope}, the collection {scope} of the database {scope.database}?"
    if close := similar(scope.collection, kinds):
        return f"; did you mean {close}?"
    if set(scope.collection) & set("; \t\n|"):
        return "; names are separated by commas"
    if "." in scope.collection and watch.database != WHOLE:
        return f"; within one database a dot belongs to the name: for another database set TAILER_DATABASE to {WHOLE}"
    return ""


def _no_database(name: str, listing: Listing) -> str:
    close = similar(name, listing.databases() or ())
    return f"there is no database {name}{f'; did you mean {close}?' if close else ''}"


def _absent(scope: Scope) -> str:
    return f"{scope} does not exist yet, and no change arrives until it does"


def _unseen(what: str, found: Presence) -> None:
    if (sentence := f"could not look for what is watched: the user may not list the {what}") not in found.unseen:
        found.unseen.append(sentence)
