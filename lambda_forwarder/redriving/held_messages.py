"""The messages that a redrive holds until its end, and then releases to their queues."""

import logging
from collections.abc import Iterable, Sequence

import msgspec

from lambda_forwarder.deadline import one_call_more
from lambda_forwarder.errors import ForwarderError
from lambda_forwarder.ports import TimeLeft, Waiting
from lambda_forwarder.redriving.backlog import Shelf, Taken

RECEIPTS = 20_000  # of messages that stay, kept in memory: about 12 MB

log = logging.getLogger(__name__)


class HeldMessages:
    """
    Messages that were worked on and stay. They are held until the end, so that each is tried once in a run, and then given
    back. Of those beyond ``RECEIPTS`` nothing is kept: they come back by themselves, once the time is over for which they are
    held.
    """

    def __init__(self) -> None:
        self._kept: dict[str, tuple[Shelf, list[Waiting]]] = {}
        self._count = 0

    def keep(self, one: Taken) -> None:
        """Until ``give_back``."""
        if self._count < RECEIPTS:
            self._count += 1
            _, kept = self._kept.setdefault(one.shelf.name, (one.shelf, []))
            kept.append(msgspec.structs.replace(one.waiting, body="", group=""))

    def give_back(self, time_left: TimeLeft) -> None:
        """All of them. See ``give_back``."""
        for shelf, kept in self._kept.values():
            _give_back(shelf, kept, time_left)
        self._kept.clear()


def give_back(taken: Iterable[Taken], time_left: TimeLeft) -> None:
    """They can be taken again at once: by the next run, by a person, or, of what there was no room for, by this one."""
    for shelf, some in by_shelf(taken):
        _give_back(shelf, [one.waiting for one in some], time_left)


def by_shelf(taken: Iterable[Taken]) -> Iterable[tuple[Shelf, Sequence[Taken]]]:
    """The same, by the shelf that they are from."""
    shelves: dict[str, list[Taken]] = {}
    for one in taken:
        shelves.setdefault(one.shelf.name, []).append(one)
    return [(some[0].shelf, some) for some in shelves.values()]


def _give_back(shelf: Shelf, waiting: Sequence[Waiting], time_left: TimeLeft) -> None:
    try:
        shelf.backlog.give_back(waiting, one_call_more(time_left))
    except ForwarderError as error:  # they come back by themselves, a little later
        log.warning(
            "messages were not released; they return when their visibility timeout ends: %s",
            error,
            extra={"action": "not_given_back", "messages": len(waiting)},
        )
