"""What an event contains."""

from devstack.documentdb.bson_fields import Fields
from devstack.documentdb.exchange import Exchange
from devstack.documentdb.profiles import Value

_OBJECT = b"\x03"
UNDOCUMENTED = ("wallTime", "lsid", "txnNumber")


def event_fields(exchange: Exchange, value: Value) -> None:
    for event in exchange.reply.events:
        event.remove(*UNDOCUMENTED)


def update_description(exchange: Exchange, value: Value) -> None:
    if value == "absent":
        for event in exchange.reply.events:
            event.remove("updateDescription")


def nested_updates(exchange: Exchange, value: Value) -> None:
    """With "field", describe an update within an object or array by the whole field, where the event has the document."""
    if value == "path":
        return
    for event in exchange.reply.events:
        if all(name in event and event.kind(name) == _OBJECT for name in ("updateDescription", "fullDocument")):
            description = Fields(event.raw("updateDescription"))
            _whole_fields(description, Fields(event.raw("fullDocument")))
            event.set_raw("updateDescription", _OBJECT, description.encode())


def _whole_fields(description: Fields, document: Fields) -> None:
    updated = Fields(description.raw("updatedFields"))
    removed: list[str] = description.get("removedFields") or []
    truncated = [one["field"] for one in description.get("truncatedArrays") or []]
    nested = [path for path in [*updated.names, *removed] if "." in path] + truncated
    updated.remove(*nested)
    for name in {path.partition(".")[0] for path in nested} & set(document.names):
        updated.set_raw(name, document.kind(name), document.raw(name))
    description.set_raw("updatedFields", _OBJECT, updated.encode())
    description.set("removedFields", [path for path in removed if path not in nested])
    if truncated:
        description.set("truncatedArrays", [])
