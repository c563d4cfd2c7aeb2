"""
The keys of a mapper table, and the collections that each key means.

A key without a dot is the name of a collection in any database. A key with a dot is always ``database.collection``: the name of
a database contains no dot, so the first dot ends it. ``*.collection`` is that collection in any database; a collection whose
name contains a dot needs this form.
"""

import difflib
from collections.abc import Iterable, Iterator
from typing import Any

from tailrace.wire.change import Namespace

ANY_DATABASE = "*"
COMPARED = 255  # characters of a name, compared to find a similar key; MongoDB's limit for a namespace in bytes
_NOT_IN_A_DATABASE = frozenset('/\\ "$\0')  # MongoDB, in the name of a database


def key_of(ns: Namespace, keys: Iterable[str]) -> str | None:
    """Return the most exact of these keys that means the collection, or None."""
    if not ns.coll or "." in ns.db:
        return None
    exact, everywhere = f"{ns.db}.{ns.coll}", f"{ANY_DATABASE}.{ns.coll}"
    candidates = (exact, everywhere) if "." in ns.coll else (exact, ns.coll, everywhere)
    return next((key for key in candidates if key in keys), None)


def bad_keys(keys: Iterable[Any]) -> Iterator[str]:
    """Yield a sentence for each key that is wrong."""
    found = {key for key in keys if isinstance(key, str)}
    for key in keys:
        if not isinstance(key, str):
            yield f"the key {key!r} is not a string"
            continue
        database, dot, collection = key.partition(".")
        if not key or (dot and (not database or not collection or not _NOT_IN_A_DATABASE.isdisjoint(database))):
            yield f"the key {key!r} is neither collection nor database.collection"
        elif database == ANY_DATABASE and "." not in collection and collection in found:
            yield f"the keys {collection!r} and {key!r} mean the same collections"


def similar_key(ns: Namespace, keys: Iterable[str]) -> str:
    """Return the key that is most similar to the collection's name, else to its full name; an empty string if none is."""
    for wanted, part in ((ns.coll, lambda key: key.partition(".")[2] or key), (f"{ns.db}.{ns.coll}", str)):
        names = {part(key).casefold()[:COMPARED]: key for key in keys}
        if close := difflib.get_close_matches(wanted.casefold()[:COMPARED], names, n=1):
            return names[close[0]]
    return ""
