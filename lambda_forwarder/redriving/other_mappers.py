"""Checks whether a message was parked by other mappers than the ones configured here. These must not remove it."""

from lambda_forwarder.forwarding.forwarder import Forwarder
from lambda_forwarder.mapping.events import is_mapped, mappers_for
from lambda_forwarder.model.parked import legible
from lambda_forwarder.redriving.backlog import Kept
from tailrace.change import Change
from tailrace.events import mapper_name

WAY_OUT = (
    "set FORWARDER_MAPPERS to the value of the deployed function. If a mapper or collection was renamed or removed on "
    "purpose, redrive --discard-unmapped publishes the events that the mappers here produce, and removes the message"
)


def stranger(kept: Kept, forwarder: Forwarder) -> tuple[str, Change | None]:
    """Why the forwarder's mappers are not to judge this message; with its first change that none of them reads, if any."""
    ours = f"FORWARDER_MAPPERS={forwarder.table}" if forwarder.table else "the table here"
    theirs = f" of FORWARDER_MAPPERS={kept.mappers}" if kept.mappers else ""
    by = f"; it was parked by {kept.mapper}{theirs}" if kept.mapper else ""
    for change in kept.message.changes:
        if not is_mapped(change, forwarder.mappers):
            return f"no mapper of {ours} reads {legible(str(change.ns))}{by}", change
        names = (legible(mapper_name(mapper)) for mapper in mappers_for(change, forwarder.mappers))
        if kept.mapper and kept.mapper not in names:
            return (
                f"it was parked by the mapper {kept.mapper}{theirs}, which {ours} does not have for {legible(str(change.ns))}",
                None,
            )
    if not kept.mapper and kept.mappers and forwarder.table not in ("", kept.mappers):
        return f"it was parked where FORWARDER_MAPPERS was {kept.mappers}; here it is {forwarder.table}", None
    return "", None


def elsewhere(kept: Kept, forwarder: Forwarder) -> str:
    """
    Why the mappers here are perhaps others than those that parked it, although they read its collection: two tables may have
    mappers of one name, as of one class. Their events are taken for the right ones. "No event" is not.
    """
    if forwarder.table in ("", kept.mappers) or not kept.change_id:
        return ""
    if kept.mappers:
        return f"it was parked where FORWARDER_MAPPERS was {legible(kept.mappers)}; here it is {forwarder.table}"
    return "" if kept.mapper else "it does not say by which mapper, or of which FORWARDER_MAPPERS, it was parked"
