"""Changes of collections without an entry in the mapper table: counted by stream, named in the log, and kept by name."""

import logging
import time
from collections import Counter, defaultdict
from collections.abc import Callable, Collection, Mapping
from math import inf
from typing import Any

from lambda_forwarder.mapping.events import is_mapped
from lambda_forwarder.mapping.mapper_keys import key_of, similar_key
from lambda_forwarder.metrics.metrics import Metrics
from lambda_forwarder.model.parked import legible
from lambda_forwarder.ports import TimeLeft, UnmappedCollections
from tailrace.aws.unmapped import NAMES
from tailrace.events import Mappers
from tailrace.message import ChangeMessage
from tailrace.wire.change import Namespace

EVERY = 60.0  # seconds between two writes of one execution environment
ASKED = 1_000  # collections in one request of the doctor

log = logging.getLogger(__name__)


class Unmapped:
    """
    Names each collection once in the log, at most ``NAMES`` in each execution environment. Counts the changes of ``streams``
    until ``kept`` has stored them. ``clock`` is monotonic, in seconds.

    Other streams are not stored: any sender to the queue can invent names.
    """

    def __init__(
        self,
        kept: UnmappedCollections | None = None,
        streams: Collection[str] = (),
        *,
        clock: Callable[[], float] = time.monotonic,
    ) -> None:
        self._named: set[Namespace] = set()
        self._kept = kept
        self._streams = streams
        self._clock = clock
        self._due = -inf
        self._counts: defaultdict[str, Counter[str]] = defaultdict(Counter)

    def note(self, run: ChangeMessage, mappers: Mappers, metrics: Metrics) -> None:
        """Count the changes of this run that no mapper reads. Log each of their collections the first time."""
        collections = Counter(change.ns for change in run.changes if not is_mapped(change, mappers))
        if not collections:
            return
        metrics.count(run.stream, "Unmapped", collections.total())
        if self._kept and run.stream in self._streams:
            counts = self._counts[run.stream]
            counts.update({str(collection): count for collection, count in collections.items()})
            self._counts[run.stream] = Counter(dict(counts.most_common(NAMES)))
        for collection in collections:
            if collection not in self._named and len(self._named) <= NAMES:
                self._named.add(collection)
                self._log(collection, mappers)

    def keep(self, time_left: TimeLeft) -> None:
        """
        Store the counts, at most once in ``EVERY`` seconds and while there is time.

        A failure is logged and fails no message: the counts are stored the next time, or lost with the execution environment.
        """
        if self._kept is None or not self._counts or time_left() <= 0 or self._clock() < self._due:
            return
        self._due = self._clock() + EVERY
        for stream, counts in list(self._counts.items()):
            try:
                self._kept.add(stream, counts, time_left)
            except Exception as error:
                extra = {"action": "unmapped_not_kept", "stream": stream}
                log.warning("the collections without a mapper were not stored for tailer status: %s", error, extra=extra)
            else:
                del self._counts[stream]

    def _log(self, collection: Namespace, mappers: Mappers) -> None:
        if len(self._named) > NAMES:
            text, extra = f"more than {NAMES} collections have no mapper; the others are counted and not named", {}
        else:
            text, extra = no_mapper(collection, mappers), {"collection": legible(str(collection))}
        log.warning(text, extra={"action": "unmapped", **extra})


def unmapped_collections(event: Mapping[str, Any], mappers: Mappers) -> dict[str, list[str]]:
    """
    The response to a request of the doctor, which invokes the function with ``collections`` (``database.collection``): a
    sentence for each of them that no mapper reads. Lambda itself never sends ``collections``.
    """
    names = event.get("collections")
    if not isinstance(names, list):
        return {}
    parts = (str(name).partition(".") for name in names[:ASKED])
    collections = [Namespace(db=db, coll=coll) for db, _, coll in parts]
    return {"unmapped": [no_mapper(ns, mappers) for ns in collections if key_of(ns, mappers) is None]}


def no_mapper(collection: Namespace, mappers: Mappers) -> str:
    """Return the warning about a collection without an entry in the table, with the key that was probably meant."""
    name, similar = legible(str(collection)), similar_key(collection, mappers)
    hint = f" (did you mean the key {legible(similar)!r}?)" if similar else ""
    return f"no mapper reads {name}{hint}: its changes produce no event. If this is intended, add an entry without mappers"
