"""What a change stream may be opened with."""

from collections.abc import Callable

from devstack.documentdb.cluster import Document
from devstack.documentdb.exchange import Exchange, error
from devstack.documentdb.profiles import Value

_STAGES = {"$match", "$project", "$redact", "$replaceRoot"}
_SPLIT = "$changeStreamSplitLargeEvent"
_WITH_A_ROW = {"$addFields", _SPLIT}


def unknown_option(name: str) -> Callable[[Exchange, Value], Document | None]:
    """Return the rule that refuses this option of ``$changeStream``."""

    def rule(exchange: Exchange, value: Value) -> Document | None:
        if name in (exchange.watching or {}) and value != "accepted":
            return error(int(value), f"BSON field '$changeStream.{name}' is an unknown field.")
        return None

    return rule


def full_document_images(exchange: Exchange, value: Value) -> Document | None:
    wanted = (exchange.watching or {}).get("fullDocument")
    if wanted in ("whenAvailable", "required"):
        return error(int(value), f"Enumeration value '{wanted}' for field '$changeStream.fullDocument' is not a valid value.")
    return None


def stages(exchange: Exchange, value: Value) -> Document | None:
    return _unsupported(value, [name for name in _names(exchange) if name not in _STAGES | _WITH_A_ROW])


def add_fields(exchange: Exchange, value: Value) -> Document | None:
    return _unsupported(value, [name for name in _names(exchange) if name == "$addFields"])


def split_large_event(exchange: Exchange, value: Value) -> Document | None:
    if value == "accepted" and _SPLIT in _names(exchange):
        exchange.command["pipeline"] = [stage for stage in exchange.stages if _SPLIT not in stage]
        exchange.changed = True
    return _unsupported(value, [name for name in _names(exchange) if name == _SPLIT])


def _names(exchange: Exchange) -> list[str]:
    """Return the names of the stages after ``$changeStream``."""
    return [name for stage in exchange.stages[1:] for name in stage] if exchange.watching is not None else []


def _unsupported(value: Value, names: list[str]) -> Document | None:
    return error(int(value), f"Aggregation stage not supported: '{names[0]}'") if names and value != "accepted" else None
