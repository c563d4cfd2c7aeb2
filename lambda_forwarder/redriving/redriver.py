"""
The loop of redrive: take what waits, publish it in the order of its changes, remove what was accepted, give the rest back.
"""

import logging
from collections.abc import Sequence
from dataclasses import dataclass, replace

from lambda_forwarder.forwarding.forwarder import Forwarder
from lambda_forwarder.model.entry import Entry
from lambda_forwarder.model.parked import Parked
from lambda_forwarder.ports import Published, TimeLeft
from lambda_forwarder.redriving.backlog import Shelf
from lambda_forwarder.redriving.other_mappers import WAY_OUT
from lambda_forwarder.redriving.report import Report, report
from lambda_forwarder.redriving.run import Run

HOLD = 30.0  # seconds that a message is held beyond the time there is
EVERYTHING = 1_000_000_000  # messages

log = logging.getLogger(__name__)


@dataclass(frozen=True, kw_only=True)
class Redriver:
    """Publishes what waits on these shelves through a forwarder, whose watermarks it reads and never moves."""

    forwarder: Forwarder
    shelves: Sequence[Shelf]

    def redrive(
        self,
        time_left: TimeLeft,
        limit: int = EVERYTHING,
        *,
        dry_run: bool = False,
        discard_unmapped: bool = False,
        discard_stubs: bool = False,
    ) -> Report:
        """
        Work until nothing is left to take, the time is up, or ``limit`` messages were taken; report what was done.

        What is still poison stays on the shelf of parked changes, with what is behind it of its document; from the dead
        letters it is parked. What other mappers parked, and what none of these reads, stays; with ``discard_unmapped`` these
        mappers judge it, and it goes. So does a parked stub, with ``discard_stubs``. Each message is taken once. A dry run
        publishes, parks and removes nothing.

        Raises:
            Unavailable, Misconfigured: a queue failed. What was accepted is published; a part of it may come again.
            BusGone: as ``Publisher``. What was taken is given back.
        """
        rehearsal = Rehearsal()
        forwarder = replace(self.forwarder, publisher=rehearsal, parking=rehearsal) if dry_run else self.forwarder
        run = Run(forwarder, time_left, keep=dry_run, discard=discard_unmapped, discard_stubs=discard_stubs)
        shelves = list(self.shelves)
        try:
            while shelves and not run.full and time_left() > 0 and (room := limit - run.done["messages"]) > 0:
                run.work(run.take(shelves, room, time_left() + HOLD))
        finally:
            run.give_back()
        for reason in sorted(run.strangers):
            log.warning("messages stay in their queue: %s; %s", reason, WAY_OUT, extra={"action": "left_to_its_mappers"})
        if run.full:
            log.warning(
                "redrive stops here: too many changes wait for their mappers. Correct the mappers and run redrive again",
                extra={"action": "redrive_full"},
            )
        done = report(run.done, run.removed, run.left, dry_run=dry_run)
        log.info("redriven", extra={"action": "redriven", **done.counts})
        return done


class Rehearsal:
    """A publisher and a parking place that take everything and do nothing."""

    def publish(self, entries: Sequence[Entry], time_left: TimeLeft) -> Published:  # noqa: ARG002
        return Published()

    def park(self, parked: Sequence[Parked], time_left: TimeLeft) -> None:  # noqa: ARG002
        return
