"""
The keys of a mapper table: which collection each means.

A key without a dot is a collection's name, in any database. A key with a dot is always ``database.collection``: the name of a
database holds no dot, so the first one ends it, and the collection's own name may have more. ``*.collection`` is the collection
of that name in any database; a name with a dot needs it.
"""

import difflib
from collections.abc import Iterable, Iterator
from typing import Any

from tailrace.wire.change import Namespace

ANY_DATABASE = "*"
LONGEST = 255  # bytes, MongoDB, of a collection with its database: no more of a made-up name is compared
_NOT_IN_A_DATABASE = frozenset('/\\ "$\0')  # MongoDB, in the name of a database


def keys_of(ns: Namespace) -> tuple[str, ...]:
    """The keys that mean this collection, the most exact first."""
    if not ns.coll or "." in ns.db:
        return ()
    everywhere = f"{ANY_DATABASE}.{ns.coll}"
    return (f"{ns.db}.{ns.coll}", everywhere) if "." in ns.coll else (f"{ns.db}.{ns.coll}", ns.coll, everywhere)


def bad_keys(keys: Iterable[Any]) -> Iterator[str]:
    """What is wrong with the keys, one text each."""
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


def nearest(ns: Namespace, keys: Iterable[str]) -> str:
    """The key that is most like the collection's name, by its own name first; nothing where none is like it."""
    for wanted, part in ((ns.coll, _collection), (f"{ns.db}.{ns.coll}", str)):
        names = {part(key).casefold()[:LONGEST]: key for key in keys}
        if close := difflib.get_close_matches(wanted.casefold()[:LONGEST], names, n=1):
            return names[close[0]]
    return ""


def _collection(key: str) -> str:
    return key.partition(".")[2] or key
