"""What databases and collections a server lists to this user."""

import difflib
from collections.abc import Collection, Mapping
from functools import cache
from typing import Any

from pymongo import MongoClient
from pymongo.errors import OperationFailure

from tailer.mongodb.watch import Scope

_AS_FAR_AS_ALLOWED = {"nameOnly": True, "authorizedCollections": True}  # names and types, of what the user may read
_ALIKE = 0.75  # of difflib's 0 to 1


class Listing:
    """Each list is asked for once. It is nothing where the user may not ask."""

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
        """Each collection's name, and its kind: ``collection``, ``view`` or ``timeseries``."""
        for options in (_AS_FAR_AS_ALLOWED, {"nameOnly": True}):  # a server may not know the first
            try:
                listed = list(self._client[database].list_collections(None, None, None, **options))
            except OperationFailure:
                continue
            return {one["name"]: str(one.get("type", "collection")) for one in listed}
        return None

    def behind(self, view: Scope) -> str:
        """The collection behind a view; empty where it cannot be told."""
        try:
            [listed] = self._client[view.database].list_collections(filter={"name": view.collection})
        except (OperationFailure, ValueError):
            return ""
        on = listed.get("options", {}).get("viewOn", "")
        return f"{view.database}.{on}" if on else ""


def near(name: str, names: Collection[str]) -> str:
    """The name that differs only in case, else the one most like it; empty where none is like it."""
    same = [one for one in names if one.casefold() == name.casefold()]
    return next(iter(same or difflib.get_close_matches(name, sorted(names), n=1, cutoff=_ALIKE)), "")
