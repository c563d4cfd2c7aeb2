"""What a server can do: asked once, by commands that only some servers know, before anything depends on it."""

import re
import threading
from dataclasses import dataclass
from typing import Any
from weakref import WeakKeyDictionary

from pymongo import MongoClient
from pymongo.errors import OperationFailure

from tailer.mongodb.connection.errors import mongodb_errors

_UNKNOWN_COMMAND = {59, 8000}  # MongoDB; Atlas
_UNKNOWN_STAGE = {40324, 59, 8000}
_TOKENS_SINCE = (3, 0, 11800)  # the engine patch of DocumentDB 5.0 that added post-batch resume tokens
_IMAGES_SINCE = (6, 0)


@dataclass(frozen=True, kw_only=True)
class Capabilities:
    """
    ``version`` is the version of the API, ``engine`` the engine patch of DocumentDB; empty if the user may not read it. ``str``
    says what follows for a tailer.
    """

    documentdb: bool
    version: str
    engine: str = ""

    @property
    def name(self) -> str:
        return f"{'DocumentDB' if self.documentdb else 'MongoDB'} {self.version}"

    @property
    def api(self) -> tuple[int, ...]:
        """The version of the API as numbers: major, minor."""
        return tuple(map(int, re.findall(r"\d+", self.version)[:2]))

    @property
    def images(self) -> bool:
        """Whether it can keep pre- and post-images."""
        return not self.documentdb and self.api >= _IMAGES_SINCE

    @property
    def oplog(self) -> bool:
        """Whether its history is an oplog, whose oldest entry says how far it reaches back."""
        return not self.documentdb

    @property
    def post_batch_tokens(self) -> bool:
        """Whether an idle stream gets tokens. Assumed if the engine patch is unknown."""
        patch = tuple(map(int, re.findall(r"\d+", self.engine.rpartition("+")[2])))
        return not self.documentdb or not patch or patch >= _TOKENS_SINCE

    def __str__(self) -> str:
        if not self.documentdb:
            return f"the server is {self.name}"
        facts = [
            "it keeps change streams only for what is enabled",
            "it has neither pre- nor post-images",
            "it does not report how far its history reaches back: TAILER_HISTORY_SECONDS does",
        ]
        if not self.post_batch_tokens:
            facts.append("an idle stream gets no resume tokens: update the cluster to engine patch 3.0.11800 or newer")
        engine = f" with engine patch {self.engine}" if self.engine else ""
        return f"the server is {self.name}{engine}; {'; '.join(facts)}"


_asking, _known = threading.Lock(), WeakKeyDictionary[Any, Capabilities]()


def capabilities(client: "MongoClient[Any]") -> Capabilities:
    """Return what the server of this client can do. The server is asked once, because DocumentDB logs refused commands."""
    with _asking:
        if (known := _known.get(client)) is None:
            with mongodb_errors():
                known = _known[client] = _ask(client)
        return known


def _ask(client: "MongoClient[Any]") -> Capabilities:
    version = str(client.admin.command("buildInfo")["version"])
    try:
        reply = client.admin.command("getEngineVersion")
    except OperationFailure as error:
        unknown = error.code in _UNKNOWN_COMMAND
        return Capabilities(documentdb=not unknown and _lists_change_streams(client), version=version)
    return Capabilities(documentdb=True, version=version, engine=str(reply.get("engineVersion", "")))


def _lists_change_streams(client: "MongoClient[Any]") -> bool:
    """Whether the server knows the stage that lists what is enabled: also one that the user may not run."""
    try:
        client.admin.command({"aggregate": 1, "pipeline": [{"$listChangeStreams": 1}], "cursor": {}})
    except OperationFailure as error:
        return error.code not in _UNKNOWN_STAGE
    return True
