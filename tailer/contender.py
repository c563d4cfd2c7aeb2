"""Who may tail a stream now: whoever finds its lease free, or its owner standing still for the lease time."""

from collections.abc import Callable
from datetime import UTC, datetime

from msgspec.structs import replace

from tailer.errors import Misconfigured
from tailer.lease import Clock, Lease
from tailer.model import Record
from tailer.ports import CheckpointStore, Conflict
from tailer.stream_identity import difference


class Contender:
    """
    One task that wants the lease of a stream. ``owner`` is unique to the process; ``clock`` is monotonic, in seconds; ``now``
    is the time of day, which is only written down for people.
    """

    def __init__(
        self,
        store: CheckpointStore,
        *,
        stream: str,
        identity: str,
        owner: str,
        seconds: float,
        clock: Clock,
        now: Callable[[], datetime] = lambda: datetime.now(UTC),
    ) -> None:
        self._store = store
        self._wanted = Record(stream=stream, owner=owner, identity=identity, lease_seconds=seconds)
        self._clock = clock
        self._now = now
        self._seen = -1
        self._since = 0.0

    def try_acquire(self, *, any_identity: bool = False) -> Lease | None:
        """
        The lease if it is free or its owner has stood still for the lease time, by our own clock; else nothing.

        Raises:
            Misconfigured: the checkpoint belongs to a stream that watches something else, and not ``any_identity``.
            Unavailable: the store does not answer.
        """
        found = self._store.read(self._wanted.stream) or Record(stream=self._wanted.stream)
        if not any_identity:  # also while its owner lives: who could not take over is no spare
            self._refuse_another_identity(found)
        if found.owner and not self._stood_still(found):
            return None
        taken = replace(
            found,
            version=found.version + 1,
            fence=found.fence + 1,
            owner=self._wanted.owner,
            lease_seconds=self._wanted.lease_seconds,
            identity=found.identity or self._wanted.identity,
        )
        started = self._clock()
        try:
            self._store.write(taken)
        except Conflict:
            return None
        return Lease(self._store, taken, renewed=started, clock=self._clock, now=self._now)

    def problem(self) -> str:
        """
        Why the stream's last owner stopped for good, as its record says; empty once a person has decided.

        Raises:
            Unavailable: the store does not answer.
            Misconfigured: it does not exist or refuses us.
        """
        found = self._store.read(self._wanted.stream)
        return found.problem if found else ""

    def _stood_still(self, found: Record) -> bool:
        if found.version != self._seen:
            self._seen, self._since = found.version, self._clock()
        return self._clock() - self._since >= found.lease_seconds

    def _refuse_another_identity(self, found: Record) -> None:
        if found.identity and found.identity != self._wanted.identity:
            raise Misconfigured(
                f"the checkpoint of stream {found.stream!r} does not fit: {difference(found.identity, self._wanted.identity)}. "
                "Sequence numbers and lanes would no longer mean the same. Go back to what it was, or let the queue run empty "
                f"and accept the change with: tailer checkpoint accept-settings --stream {found.stream}"
            )
