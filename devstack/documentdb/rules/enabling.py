"""Change streams are off until they are enabled."""

from devstack.documentdb.bson_fields import Fields
from devstack.documentdb.cluster import Document
from devstack.documentdb.enablement import Enablement, Names
from devstack.documentdb.exchange import Exchange, error, no_documents
from devstack.documentdb.profiles import Value


def enabling(exchange: Exchange, value: Value) -> Document | None:
    """Handle the commands that enable, disable and list."""
    enablement, command = exchange.cluster.enablement, exchange.command
    if exchange.name == "modifyChangeStreams":
        scope = (command["database"], command["collection"])
        exchange.cluster.seen.append({"scope": scope, "enable": command["enable"]})
        change = enablement.begin if command["enable"] else enablement.end
        change(scope, exchange.cluster.now())
        return {}
    if exchange.name == "aggregate" and "$listChangeStreams" in (exchange.stages or [{}])[0]:
        rows = [{"database": database, "collection": name} for database, name in sorted(enablement.scopes)]
        return no_documents(exchange, rows)
    return None


def not_enabled(exchange: Exchange, value: Value) -> Document | None:
    watched = exchange.watched
    if watched is not None and value != "silent" and not exchange.cluster.enablement.touches(watched):
        return _not_enabled(int(value), watched)
    return None


def database_cursor(exchange: Exchange, value: Value) -> Document | None:
    watched, enablement = exchange.watched, exchange.cluster.enablement
    if watched is not None and isinstance(value, int) and enablement.touches(watched) and not enablement.covers(watched):
        return _not_enabled(value, watched)
    return None


def only_enabled(exchange: Exchange, value: Value) -> None:
    """Remove the events that were not written, because their collection was not enabled at their time."""
    enablement = exchange.cluster.enablement
    exchange.reply.events = [event for event in exchange.reply.events if _written(event, enablement)]


def only_whole(exchange: Exchange, value: Value) -> None:
    """Remove the events of a stream over more than what is enabled."""
    cursor = exchange.cursor
    if value == "silent" and cursor and cursor.watched and not exchange.cluster.enablement.covers(cursor.watched):
        exchange.reply.events = []


def enablement_after_drop(exchange: Exchange, value: Value) -> None:
    time = exchange.reply.fields.get("operationTime")
    if value == "lost" and time and exchange.name in ("drop", "dropDatabase") and exchange.reply.fields.get("ok"):
        dropped = exchange.command["drop"] if exchange.name == "drop" else None
        for database, collection in exchange.cluster.enabled:
            if database == exchange.database and collection and dropped in (None, collection):
                exchange.cluster.enablement.end((database, collection), time)


def _written(event: Fields, enablement: Enablement) -> bool:
    names, time = event.get("ns"), event.get("clusterTime")
    if not isinstance(names, dict) or "db" not in names or time is None:  # removed by a pipeline
        return True
    return enablement.written((names["db"], names.get("coll", "")), time)


def _not_enabled(code: int, watched: Names) -> Document:
    return error(code, f"change streams are not enabled for {'.'.join(filter(None, watched)) or 'the cluster'}")
