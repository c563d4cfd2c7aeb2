"""The names in a new project that follow from those of its collection and its event."""

import re

from tailer.settings.stream import EVENTS, PARKED

EVENT = re.compile(r"([A-Z][a-z0-9]+)+")
EVENT_LIMIT = 32  # characters of its mapper's name, order_placed


def noun_of(collection: str) -> list[str]:
    """Return the words of what a document of this collection is: ``["Order", "Item"]`` for ``order_items``."""
    words = [word.capitalize() for word in re.findall(r"[A-Za-z0-9]+", re.sub(r"([a-z0-9])([A-Z])", r"\1 \2", collection))]
    if words and len(words[-1]) > 3:
        last = words[-1]
        words[-1] = f"{last[:-3]}y" if last.endswith("ies") else last[:-1] if re.search(r"[^su]s$", last) else last
    return words


def default_event(collection: str) -> str:
    """Return the name of the event that is proposed: ``OrderCreated`` for ``orders``."""
    noun = "".join(noun_of(collection))
    name = f"{noun}Created"
    return name if noun and EVENT.fullmatch(name) and len(mapper_name(name)) <= EVENT_LIMIT else "DocumentCreated"


def default_database(name: str) -> str:
    """Return the name of the database that is proposed for a project."""
    return name.replace("-", "_")


def stream_name(database: str, collection: str) -> str:
    """Return the name of a stream over this collection."""
    name = re.sub(r"[^A-Za-z0-9_-]", "-", collection)
    return f"{database}-{name}" if name in (EVENTS, PARKED) else name


def mapper_name(event: str) -> str:
    """Return the name of a mapper: ``order_placed`` for ``OrderPlaced``."""
    return re.sub(r"(?<=[a-z0-9])(?=[A-Z])", "_", event).lower()


def key_field(collection: str) -> str:
    """Return the name of the event's field with the key of the document: ``order_id`` for ``orders``."""
    noun = "_".join(noun_of(collection)).lower()
    return f"{noun}_id" if noun.isidentifier() else "document_id"
