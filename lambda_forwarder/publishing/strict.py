"""Strict order: behind an event that cannot be published, nothing of its document is published either."""

from collections.abc import Iterator, Sequence

from lambda_forwarder.model.entry import Entry
from lambda_forwarder.partial import note_done
from lambda_forwarder.ports import Published, Publisher, Refused, TimeLeft


class StrictPublisher:
    """
    Publishes through another publisher, in runs in which each document occurs once. The run with the first refusal is the
    last; what is behind it comes back refused as well.
    """

    def __init__(self, publisher: Publisher) -> None:
        self._publisher = publisher

    def publish(self, entries: Sequence[Entry], time_left: TimeLeft) -> Published:
        """See ``Publisher``."""
        deduplicated = begun = 0
        for run in runs(entries):
            try:
                part = self._publisher.publish(run, time_left)
            except Exception as error:
                note_done(error, (entry.id for entry in entries[:begun]))
                raise
            begun += len(run)
            deduplicated += part.deduplicated
            if part.refused:
                behind = (Refused(entry, "an earlier event of its document was refused") for entry in entries[begun:])
                return Published(refused=(*part.refused, *behind), deduplicated=deduplicated)
        return Published(deduplicated=deduplicated)


def runs(entries: Sequence[Entry]) -> Iterator[Sequence[Entry]]:
    """The entries in order, cut wherever a document would occur a second time."""
    start = 0
    documents: set[str] = set()
    for end, entry in enumerate(entries):
        if entry.document in documents:
            yield entries[start:end]
            start, documents = end, set()
        documents.add(entry.document)
    if entries:
        yield entries[start:]
