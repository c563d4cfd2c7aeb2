"""Whether the server has the pre- and post-images that a stream asks for."""

from collections.abc import Sequence
from typing import Any

from pymongo import MongoClient
from pymongo.errors import PyMongoError

from tailer.checks import Finding, NotChecked, fail, not_allowed, ok, skip, warn
from tailer.mongodb.checks.server import Server
from tailer.mongodb.connection.errors import mongodb_errors
from tailer.mongodb.scopes import Scope
from tailer.mongodb.watch import Watch

_STUCK = "an update committed before that stops the stream, until you set whenAvailable instead of required"


def images(server: Server, watch: Watch) -> Finding:
    """Check that each watched collection keeps images, if the settings ask for them."""
    asked = {watch.full_document_before_change, watch.full_document} & {"whenAvailable", "required"}
    if not asked:
        return ok(f"fullDocument {watch.full_document}, no pre-images")
    if not server.capabilities.images:
        return fail(
            f"{server.capabilities.name} has neither pre- nor post-images",
            "set TAILER_FULL_DOCUMENT to updateLookup and TAILER_FULL_DOCUMENT_BEFORE_CHANGE to off",
        )
    if not watch.scopes[0].database:
        return skip("pre- and post-images are not looked up for a whole cluster")
    databases = sorted({scope.database for scope in watch.scopes})
    without = [collection for name in databases for collection in _without_images(server.client, name, watch.scopes)]
    if not without:
        return ok("pre- and post-images are kept")
    found = f"no pre- and post-images of {', '.join(without)}"
    remedy = "collMod with changeStreamPreAndPostImages: {enabled: true}"
    return fail(found, f"{remedy}; {_STUCK}") if "required" in asked else warn(found, remedy)


def _without_images(client: "MongoClient[Any]", database: str, scopes: Sequence[Scope]) -> list[str]:
    """Return the watched collections of a database that keep no images."""
    with mongodb_errors():
        try:
            found = {listed["name"]: listed.get("options", {}) for listed in client[database].list_collections()}
        except PyMongoError as error:
            raise NotChecked(not_allowed("the action listCollections (role read)")) from error
    return [
        collection
        for collection, options in sorted(found.items())
        if any(scope.covers(Scope(database, collection)) for scope in scopes)
        and not collection.startswith("system.")
        and not options.get("changeStreamPreAndPostImages", {}).get("enabled")
    ]
