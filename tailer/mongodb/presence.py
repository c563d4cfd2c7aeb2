"""
Whether what a stream watches by name is there, and of a kind that has changes.

A change stream over a name that is misspelt, or over a view among others, opens without an error, and nothing ever arrives.
"""

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

from pymongo import MongoClient

from tailer.mongodb.connection.errors import mongodb_errors
from tailer.mongodb.listing import Listing, similar
from tailer.mongodb.watch import WHOLE, Scope, Watch

MOST_DATABASES = 100  # that are looked through for a collection which may be in any of them
_WITHOUT_CHANGES = {
    "view": "a view, and a view has no changes of its own: watch the collection behind it",
    "timeseries": "a time series collection, which has no change stream: watch an ordinary collection",
}


@dataclass(frozen=True, kw_only=True, slots=True)
class Presence:
    """
    A sentence each: on names that nothing can ever arrive from, on names that are not there yet, and on what the user may not
    look at.
    """

    impossible: list[str] = field(default_factory=list)
    absent: list[str] = field(default_factory=list)
    unseen: list[str] = field(default_factory=list)


def presence(client: "MongoClient[Any]", watch: Watch) -> Presence:
    """
    What is to be said of all that is watched.

    Raises:
        Unavailable: nobody answers.
        Misconfigured: the user may not sign in.
    """
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
        _not_seen("databases", found)
    elif scope.database not in databases:
        found.absent.append(f"{_absent(scope)}: {_no_database(scope.database, listing)}")


def _of_a_collection(scope: Scope, listing: Listing, watch: Watch, found: Presence) -> None:
    kinds = listing.kinds(scope.database)
    if kinds is None:
        _not_seen(f"collections of {scope.database}", found)
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
        _not_seen("databases", found)
        return
    if len(databases) > MOST_DATABASES:
        found.unseen.append(
            f"could not look for {scope}: it may be in any of {len(databases)} databases, and at most {MOST_DATABASES} are "
            "looked through; write each collection with its database"
        )
        return
    listed = [listing.kinds(name) or {} for name in databases]
    kinds = {one[scope.collection] for one in listed if scope.collection in one}
    if not kinds:
        close = similar(scope.collection, {name for one in listed for name in one})
        found.absent.append(_absent(scope) + (f"; did you mean {close}?" if close else ""))
    elif kinds <= _WITHOUT_CHANGES.keys():
        found.impossible.append(f"TAILER_COLLECTIONS: {scope} is {_WITHOUT_CHANGES[min(kinds)]}")


def _elsewhere(scope: Scope, listing: Listing, watch: Watch) -> str:
    """Of one database's stream: the sentence on a name that is another database's collection."""
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
    """What may have been meant by a collection that is not there."""
    databases = listing.databases()
    if databases is not None and scope.database not in databases:
        for one in sorted(databases)[:MOST_DATABASES]:
            if str(scope) in (listing.kinds(one) or ()):
                return f"; did you mean {one}.{scope}, the collection {scope} of the database {one}?"
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


def _not_seen(what: str, found: Presence) -> None:
    """Once, however many names are among them."""
    if (sentence := f"could not look for what is watched: the user may not list the {what}") not in found.unseen:
        found.unseen.append(sentence)
