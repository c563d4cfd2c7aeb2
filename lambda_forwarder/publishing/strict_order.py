"""Strict order: after an event that cannot be published, no later event of its document is published."""

from collections.abc import Iterator, Sequence

from lambda_forwarder.model.entry import Entry
from lambda_forwarder.partial import note_done
from lambda_forwarder.ports import Published, Publisher, Refused, TimeLeft


def in_strict_order(publisher: Publisher, entries: Sequence[Entry], time_left: TimeLeft) -> Published:
    """Publish in runs in which each document occurs once. After the run with the first refusal, refuse all later entries."""
    deduplicated = published = 0
    for run in runs(entries):
        try:
            part = publisher.publish(run, time_left)
        except Exception as error:
            note_done(error, (entry.id for entry in entries[:published]))
            raise
        published += len(run)
        deduplicated += part.deduplicated
        if part.refused:
            later = (Refused(entry, "an earlier event of its document was refused") for entry in entries[published:])
            return Published(refused=(*part.refused, *later), deduplicated=deduplicated)
    return Published(deduplicated=deduplicated)


def runs(entries: Sequence[Entry]) -> Iterator[Sequence[Entry]]:
    """Split the entries, in order, before each entry whose document the run already contains."""
    start = 0
    documents: set[str] = set()
    for end, entry in enumerate(entries):
        if entry.document in documents:
            yield entries[start:end]
            start, documents = end, set()
        documents.add(entry.document)
    if entries:
        yield entries[start:]
