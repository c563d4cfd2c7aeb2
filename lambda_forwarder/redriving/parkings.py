"""What redrive parks, and why, for its report."""

from collections.abc import Sequence

from lambda_forwarder.model.parked import Parked
from lambda_forwarder.ports import Parking, TimeLeft
from lambda_forwarder.redriving.backlog import Taken


class NotedParking:
    """Parks in another parking place what comes from this message, and takes note of the first of it."""

    def __init__(self, parking: Parking, taken: Taken) -> None:
        self._parking = parking
        self._taken = taken

    def park(self, parked: Sequence[Parked], time_left: TimeLeft) -> None:
        """See ``Parking``."""
        self._parking.park(parked, time_left)
        for item in parked[:1]:
            self._taken.goes_without(f"parked: {item.reason}", item.document, item.sequence)
