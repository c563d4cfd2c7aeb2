"""Whether a change was parked by other mappers than the ones configured here, which must then not remove it."""

from lambda_forwarder.forwarding.forwarder import Forwarder
from lambda_forwarder.mapping.events import is_mapped, mappers_for
from lambda_forwarder.model.parked import legible
from lambda_forwarder.redriving.queues import Content
from tailrace.change import Change
from tailrace.events import mapper_name

WAY_OUT = (
    "set FORWARDER_MAPPERS to the value of the deployed function. If a mapper or collection was renamed or removed on "
    "purpose, redrive --discard-unmapped publishes the events that the mappers here produce, and removes the message"
)


def no_mapper(content: Content, forwarder: Forwarder) -> tuple[str, Change | None]:
    """
    Return why the forwarder's mappers must not decide about this content, or nothing. If no mapper reads a collection, return
    the first change of that collection too.
    """
    ours = f"FORWARDER_MAPPERS={forwarder.table}" if forwarder.table else "the table here"
    theirs = f" of FORWARDER_MAPPERS={content.mappers}" if content.mappers else ""
    for change in content.message.changes:
        collection = legible(str(change.ns))
        if not is_mapped(change, forwarder.mappers):
            parked_by = f"; it was parked by {content.mapper}{theirs}" if content.mapper else ""
            return f"no mapper of {ours} reads {collection}{parked_by}", change
        names = (legible(mapper_name(mapper)) for mapper in mappers_for(change, forwarder.mappers))
        if content.mapper and content.mapper not in names:
            return f"it was parked by the mapper {content.mapper}{theirs}, which {ours} does not have for {collection}", None
    if not content.mapper and content.mappers and forwarder.table not in ("", content.mappers):
        return f"it was parked where FORWARDER_MAPPERS was {content.mappers}; here it is {forwarder.table}", None
    return "", None


def other_table(content: Content, forwarder: Forwarder) -> str:
    """
    Return why the mappers here may be others than those that parked the change, although they read its collection: two tables
    may have mappers of the same name. Their events count as right. If they produce no event, the change stays.
    """
    if forwarder.table in ("", content.mappers) or not content.change_id:
        return ""
    if content.mappers:
        return f"it was parked where FORWARDER_MAPPERS was {legible(content.mappers)}; here it is {forwarder.table}"
    return "" if content.mapper else "it does not say by which mapper, or of which FORWARDER_MAPPERS, it was parked"
