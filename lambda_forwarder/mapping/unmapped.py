"""
Changes of collections that the mapper table does not have: counted for each stream, named once in the log, and kept by name.
"""

import logging
import time
from collections import Counter, defaultdict
from collections.abc import Callable, Collection, Mapping
from math import inf
from typing import Any

from lambda_forwarder.mapping.events import is_known, is_mapped
from lambda_forwarder.mapping.mapper_keys import nearest
from lambda_forwarder.metrics.metrics import Metrics
from lambda_forwarder.model.parked import legible
from lambda_forwarder.ports import TimeLeft, UnmappedCollections
from tailrace.aws.unmapped import NAMES
from tailrace.events import Mappers
from tailrace.message import ChangeMessage
from tailrace.wire.change import Namespace

EVERY = 60.0  # seconds between two writes of one execution environment

ASKED = 1_000  # collections in one question

log = logging.getLogger(__name__)


class Unmapped:
    """
    Names each collection once in the log, at most ``NAMES`` for each execution environment. Counts those of ``streams`` until
    ``kept`` has them; without it none. ``clock`` is monotonic, in seconds.

    Whoever may send to the queue can name a stream as they like, so only ``streams`` are kept.
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
        """Count the changes of this run that no mapper reads, and name their collections if that was not done before."""
        collections = Counter(change.ns for change in run.changes if not is_mapped(change, mappers))
        if not collections:
            return
        metrics.unmapped(run.stream, collections.total())
        if self._kept and run.stream in self._streams:
            counts = self._counts[run.stream]
            counts.update({str(collection): count for collection, count in collections.items()})
            self._counts[run.stream] = Counter(dict(counts.most_common(NAMES)))
        for collection in collections:
            if collection not in self._named and len(self._named) <= NAMES:
                self._named.add(collection)
                self._name(collection, mappers)

    def keep(self, time_left: TimeLeft) -> None:
        """
        Add what was counted to what is kept, once in ``EVERY`` seconds and while there is time. Nothing that goes wrong here
        fails a message: it is tried again the next time, and what an execution environment did not keep ends with it.
        """
        if self._kept is None or not self._counts or time_left() <= 0 or self._clock() < self._due:
            return
        self._due = self._clock() + EVERY
        for stream, counts in list(self._counts.items()):
            try:
                self._kept.add(stream, counts, time_left)
            except Exception as error:
                extra = {"action": "unmapped_not_kept", "stream": stream}
                log.warning("the collections without a mapper were not kept for tailer status: %s", error, extra=extra)
            else:
                del self._counts[stream]

    def _name(self, collection: Namespace, mappers: Mappers) -> None:
        if len(self._named) > NAMES:
            log.warning(
                "more than %s collections have no mapper; the others are counted and not named",
                NAMES,
                extra={"action": "unmapped"},
            )
            return
        name = legible(str(collection))
        log.warning(unread(collection, mappers), extra={"action": "unmapped", "collection": name})


def asked(event: Mapping[str, Any], mappers: Mappers) -> dict[str, list[str]]:
    """
    The answer to whoever asks in an event which of these ``collections`` (``database.collection``) no mapper reads: a sentence
    for each. Lambda itself never asks.
    """
    names = event.get("collections")
    if not isinstance(names, list):
        return {}
    parts = (str(name).partition(".") for name in names[:ASKED])
    collections = (Namespace(db=db, coll=coll) for db, _, coll in parts)
    return {"unmapped": [unread(one, mappers) for one in collections if not is_known(one, mappers)]}


def unread(collection: Namespace, mappers: Mappers) -> str:
    """What is said of a collection that the table does not have."""
    name, like = legible(str(collection)), nearest(collection, mappers)
    meant = f" (did you mean the key {legible(like)!r}?)" if like else ""
    return f"no mapper reads {name}{meant}: its changes produce no event. If that is intended, give it an entry without mappers"
