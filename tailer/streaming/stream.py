"""One configured stream and everything it needs."""

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field

from tailer.checkpoints.candidate import LeaseCandidate
from tailer.cluster import Cluster
from tailer.errors import TailerError
from tailer.metrics.prometheus import Metrics
from tailer.poison import OnPoison
from tailer.ports import Sink, Source
from tailrace.wire.change import Namespace


@dataclass(frozen=True, kw_only=True)
class Stream:
    """
    ``ready`` runs the checks of the start, once, before the lease is acquired. ``cluster`` returns the identity of the watched
    cluster. ``rename_settings`` replaces each setting in a message by the name that the user wrote for this stream.
    ``on_poison`` is the one of the source and the sink.
    """

    name: str
    ns: Namespace
    source: Source
    sink: Sink
    candidate: LeaseCandidate
    metrics: Metrics
    ready: Callable[[], None] = lambda: None
    history_seconds: int = 0
    cluster: Callable[[], Cluster | None] = lambda: None
    rename_settings: Callable[[str], str] = str
    on_poison: OnPoison = field(default_factory=OnPoison)

    @contextmanager
    def errors(self) -> Iterator[None]:
        """Raise the tailer's own errors with each setting under the name that the user wrote."""
        try:
            yield
        except TailerError as error:
            if (message := self.rename_settings(str(error))) == str(error):
                raise
            raise type(error)(message) from error
