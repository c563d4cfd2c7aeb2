"""Changes of collections that the mapper table does not have: counted for each stream, and named once in the log."""

import logging
from collections import Counter
from collections.abc import Mapping
from typing import Any

from lambda_forwarder.mapping.mapper_keys import nearest
from lambda_forwarder.mapping.named import is_known, is_mapped
from lambda_forwarder.metrics.metrics import Metrics
from lambda_forwarder.model.parked import legible
from tailrace.events import Mappers
from tailrace.message import ChangeMessage
from tailrace.wire.change import Namespace

NAMES = 20  # collections that are named in the log of one execution environment: whoever may send can make up any number

ASKED = 1_000  # collections in one question

log = logging.getLogger(__name__)


class Unmapped:
    """Remembers which collections the log has named."""

    def __init__(self) -> None:
        self._named: set[Namespace] = set()

    def note(self, run: ChangeMessage, mappers: Mappers, metrics: Metrics) -> None:
        """Count the changes of this run that no mapper reads, and name their collections if that was not done before."""
        collections = Counter(change.ns for change in run.changes if not is_mapped(change, mappers))
        if not collections:
            return
        metrics.unmapped(run.stream, collections.total())
        for collection in collections:
            if collection not in self._named and len(self._named) <= NAMES:
                self._named.add(collection)
                self._name(collection, mappers)

    def _name(self, collection: Namespace, mappers: Mappers) -> None:
        if len(self._named) > NAMES:
            log.warning(
                "no mapper reads more than %s collections; the others are only counted", NAMES, extra={"action": "unmapped"}
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
    return f"no mapper reads {name}{meant}: its changes become no event. Is that on purpose? Give it an entry without mappers"
