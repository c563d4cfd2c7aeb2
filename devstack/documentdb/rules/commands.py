"""Commands and fields that are refused, and databases that do not exist."""

from collections.abc import Callable

from devstack.documentdb.cluster import Document
from devstack.documentdb.exchange import Exchange, error, no_documents
from devstack.documentdb.profiles import Value

_HIDDEN = ("admin", "local", "config")
_RETRIES = {301: "Retryable writes are not supported", 9: "Unrecognized field: 'txnNumber'"}


def refusing(*names: str) -> Callable[[Exchange, Value], Document | None]:
    """Return the rule that refuses these commands."""

    def rule(exchange: Exchange, value: Value) -> Document | None:
        return error(int(value), f"Feature not supported: {exchange.name}") if exchange.name in names else None

    return rule


def natural_order(exchange: Exchange, value: Value) -> Document | None:
    backwards = exchange.name == "find" and exchange.command.get("sort", {}).get("$natural") == -1
    return error(int(value), "Feature not supported: $natural") if backwards else None


def txn_number(exchange: Exchange, value: Value) -> Document | None:
    retryable = "txnNumber" in exchange.command and "autocommit" not in exchange.command
    return error(int(value), _RETRIES[int(value)]) if retryable and value != "accepted" else None


def error_labels(exchange: Exchange, value: Value) -> None:
    if value == "none":
        exchange.reply.fields.remove("errorLabels")


def no_local_documents(exchange: Exchange, value: Value) -> Document | None:
    collection = exchange.command.get(exchange.name)
    reads = exchange.name in ("find", "aggregate") and isinstance(collection, str)
    return no_documents(exchange) if reads and exchange.database in _HIDDEN else None


def no_local_databases(exchange: Exchange, value: Value) -> None:
    if exchange.name == "listDatabases" and (listed := exchange.reply.fields.get("databases")):
        exchange.reply.fields.set("databases", [one for one in listed if one["name"] not in _HIDDEN])
