"""The databases and collections that a server lists to this user."""

import difflib
from collections.abc import Collection, Mapping
from functools import cache
from typing import Any

from pymongo import MongoClient
from pymongo.errors import OperationFailure

from tailer.mongodb.scopes import Scope

_READABLE = {"nameOnly": True, "authorizedCollections": True}  # names and types of what the user may read
_SIMILARITY = 0.75  # difflib's ratio, 0 to 1


class Listing:
    """Reads each list once. A list is None if the user may not read it."""

    def __init__(self, client: "MongoClient[Any]") -> None:
        self._client = client
        self.databases = cache(self._databases)
        self.kinds = cache(self._kinds)

    def _databases(self) -> Collection[str] | None:
        try:
            return self._client.list_database_names()
        except OperationFailure:
            return None

    def _kinds(self, database: str) -> Mapping[str, str] | None:
        """The kind of each collection by its name: ``collection``, ``view`` or ``timeseries``."""
        for options in (_READABLE, {"nameOnly": True}):  # a server may not know the first
            try:
                listed = list(self._client[database].list_collections(None, None, None, **options))
            except OperationFailure:
                continue
            return {entry["name"]: str(entry.get("type", "collection")) for entry in listed}
        return None

    def view_on(self, view: Scope) -> str:
        """The collection that a view reads. Empty if unknown."""
        try:
            [listed] = self._client[view.database].list_collections(filter={"name": view.collection})
        except (OperationFailure, ValueError):
            return ""
        on = listed.get("options", {}).get("viewOn", "")
        return f"{view.database}.{on}" if on else ""


def similar(name: str, names: Collection[str]) -> str:
    """The name that differs only in case, else the most similar one. Empty if none is similar."""
    same = [other for other in names if other.casefold() == name.casefold()]
    return next(iter(same or difflib.get_close_matches(name, sorted(names), n=1, cutoff=_SIMILARITY)), "")
