"""The loop of redrive: receive messages, publish their changes in order, remove the accepted messages, release the others."""

import logging
from collections.abc import Sequence
from dataclasses import dataclass, replace

from lambda_forwarder.forwarding.forwarder import Forwarder
from lambda_forwarder.model.entry import Entry
from lambda_forwarder.model.parked import Parked
from lambda_forwarder.ports import Published, TimeLeft
from lambda_forwarder.redriving.queues import RedriveQueue
from lambda_forwarder.redriving.reader import WAY_OUT, Options
from lambda_forwarder.redriving.redrive import Redrive
from lambda_forwarder.redriving.report import COUNTS, Report

DEFAULTS = Options()
HOLD = 30.0  # seconds for which a message is hidden after the time left

log = logging.getLogger(__name__)


@dataclass(frozen=True, kw_only=True)
class Redriver:
    """Publishes the messages of these queues through a forwarder. It reads the watermarks and never advances them."""

    forwarder: Forwarder
    queues: Sequence[RedriveQueue]

    def redrive(self, time_left: TimeLeft, options: Options = DEFAULTS) -> Report:
        """
        Work until the queues are empty, the time is up, or the limit is reached. Try each message once. Return what was done.

        A parked change that is still poison stays in its queue, with the later changes of its document. A dead letter that is
        poison is parked. Changes that other mappers parked, or that no mapper reads, stay unless ``options`` discards them.

        Raises:
            Unavailable, Misconfigured: a queue failed. The accepted events are published; some of them may repeat.
            BusGone: as ``Publisher``. All received messages are released.
        """
        rehearsal = Rehearsal()
        forwarder = self.forwarder
        if options.dry_run:
            remembering = replace(forwarder.remembering, read_only=True) if forwarder.remembering else None
            forwarder = replace(forwarder, publisher=rehearsal, parking=rehearsal, remembering=remembering)
        redrive = Redrive(forwarder, time_left, options)
        queues = list(self.queues)
        try:
            while queues and not redrive.is_full and time_left() > 0 and redrive.counts["messages"] < options.limit:
                redrive.work(redrive.receive(queues, time_left() + HOLD))
        finally:
            redrive.release()
        for reason in sorted(redrive.other_mappers):
            log.warning("messages stay in their queue: %s; %s", reason, WAY_OUT, extra={"action": "left_to_its_mappers"})
        if redrive.is_full:
            log.warning(
                "redrive stops here: too many changes wait for their mappers. Correct the mappers and run redrive again",
                extra={"action": "redrive_full"},
            )
        report = Report(
            dry_run=options.dry_run,
            removals=tuple(redrive.removals),
            leftovers=tuple(redrive.leftovers),
            **{name: redrive.counts[name] for name in COUNTS},
        )
        log.info("redriven", extra={"action": "redriven", **report.counts})
        return report


class Rehearsal:
    """A publisher and a parking queue that accept everything and do nothing."""

    def publish(self, entries: Sequence[Entry], time_left: TimeLeft) -> Published:  # noqa: ARG002
        return Published()

    def park(self, parked: Sequence[Parked], time_left: TimeLeft) -> None:  # noqa: ARG002
        return
