"""The list of all checks, in the order of the report. A new check is one line here."""

from collections.abc import Callable, Hashable, Sequence
from contextlib import ExitStack
from dataclasses import dataclass
from datetime import datetime
from functools import partial

from tailer.doctor import names, pipeline, process, unmapped
from tailer.doctor.aws import Clients, Identity
from tailer.doctor.claims import Claims
from tailer.doctor.database import Database
from tailer.doctor.encryption import Encryption, of_a_store
from tailer.doctor.finding import Check, Clock, out_of_reach
from tailer.doctor.forwarder import START_SECONDS, Forwarder
from tailer.doctor.history import OPENING, STILL_LOOKING, History
from tailer.doctor.network import Network
from tailer.doctor.queues import Queue
from tailer.doctor.records import WATCHED, Records
from tailer.doctor.remedies import SAME_CLUSTER
from tailer.parts import Parts
from tailer.settings.settings import Settings

Streams = Sequence[Parts]


@dataclass(frozen=True, kw_only=True)
class CheckContext:
    """What the checks need: boto3 clients, the time of day, a monotonic clock, and the stack that closes what they opened."""

    clients: Clients
    now: Callable[[], datetime]
    clock: Clock
    undo: ExitStack


def all_checks(streams: Streams, context: CheckContext) -> list[Check]:
    """Every check of these streams: once for each process, cluster, store, stream and queue."""
    checks = [
        Check(name="settings", look=partial(process.settings, [one.settings for one in streams])),
        Check(name="http.port", look=partial(process.port, streams[0].settings.http_host, streams[0].settings.http_port)),
    ]
    for cluster in _grouped(streams, lambda one: (one.mongodb_uri, one.mongodb_username)):
        checks += _of_cluster(cluster, context, "" if len(cluster) == len(streams) else _named(cluster))
    for sharing in _grouped(streams, lambda one: one.checkpoints):
        stored = next(one for one in checks if (one.name, one.stream) == ("checkpoints.read", sharing[0].settings.stream))
        tls = partial(of_a_store, sharing[0].settings.checkpoints.get_secret_value())
        checks.append(Check(name="checkpoints.tls", look=tls, stream=stored.stream, kind=stored.kind))
        write = Records(sharing[0], clock=context.clock).write
        checks.append(Check(name="checkpoints.write", look=write, needs=(stored,), kind=stored.kind))
    checks.append(Check(name="aws.identity", look=Identity(context.clients).known))
    for sharing in _grouped(streams, lambda one: one.queue_url):
        checks += _of_queue(sharing, context, "" if len(sharing) == len(streams) else _named(sharing))
    return sorted(checks, key=lambda check: check.name == "stream.lease")  # those wait; meanwhile the rest is looked at


def _of_cluster(cluster: Streams, context: CheckContext, named: str) -> list[Check]:
    check, uri = partial(Check, stream=named), cluster[0].settings.mongodb_uri.get_secret_value()
    network = Network(uri)
    database = Database(cluster[0].settings, network, now=context.now)
    context.undo.callback(database.close)
    reachable = check(name="database.reachable", look=network.reachable)
    tls = check(name="database.tls", look=Encryption(uri, network, now=context.now).tls, needs=(reachable,))
    server = check(name="database.server", look=database.server, needs=(tls,))
    signed_in = check(name="database.sign-in", look=database.sign_in, needs=(server,))
    checks = [reachable, tls, server, signed_in, check(name="database.clock", look=database.clock, needs=(signed_in,))]
    for parts in cluster:
        checks += _of_stream(parts, database, signed_in, context)
    return checks


def _of_stream(parts: Parts, database: Database, signed_in: Check, context: CheckContext) -> list[Check]:
    settings = parts.settings
    check = partial(Check, stream=settings.stream)
    records = Records(parts, clock=context.clock, now=context.now)
    history = History(parts, database, records, now=context.now)
    kind = _kind(settings.checkpoints.get_secret_value())
    stored = check(name="checkpoints.read", look=records.read, needs=(signed_in,) if kind == SAME_CLUSTER else (), kind=kind)
    kept = check(name="stream.enabled", look=history.kept, needs=(signed_in,))
    readable = check(
        name="stream.readable", look=history.readable, needs=(stored, signed_in), seconds=OPENING, late=STILL_LOOKING
    )
    return [
        stored,
        kept,
        check(name="stream.names", look=partial(names.present, parts, database), needs=(signed_in,)),
        readable,
        check(name="stream.documents", look=history.documents, needs=(signed_in,)),
        check(name="stream.pipeline", look=partial(pipeline.steady, settings)),
        check(name="stream.history", look=history.reaches_back, needs=(stored, signed_in)),
        check(name="stream.cluster", look=history.cluster, needs=(stored, signed_in)),
        check(name="stream.settings", look=records.settings, needs=(stored,)),
        check(name="stream.problem", look=records.problem, needs=(stored,)),
        check(name="stream.lease", look=records.lease, needs=(stored,), seconds=WATCHED + 2),
    ]


def _of_queue(sharing: Streams, context: CheckContext, named: str) -> list[Check]:
    check, bucket = partial(Check, stream=named), sharing[0].settings.claim_bucket
    queue = Queue(sharing[0].settings.queue_url, context.clients, now=context.now)
    watched = sorted({str(one) for each in sharing for one in each.watch.scopes if one.collection})
    forwarder = Forwarder(queue, bucket, context.clients, watched)
    exists = check(name="queue.exists", look=queue.exists)
    mapping = check(name="forwarder.mapping", look=forwarder.mapping, needs=(exists,), late=out_of_reach("lambda"))
    function = check(name="forwarder.function", look=forwarder.function, needs=(mapping,), late=out_of_reach("lambda"))
    bus = check(name="forwarder.bus", look=forwarder.bus, needs=(function,), late=out_of_reach("events"))
    unread = partial(unmapped.noted, forwarder, context.clients, [one.settings.stream for one in sharing])
    start = check(name="forwarder.start", look=forwarder.start, needs=(bus,), seconds=START_SECONDS)
    return [
        exists,
        check(name="aws.clock", look=queue.clock, needs=(exists,)),
        check(name="queue.fifo", look=queue.fifo, needs=(exists,)),
        check(name="queue.size", look=queue.size, needs=(exists,)),
        check(name="queue.encryption", look=queue.encryption, needs=(exists,)),
        check(name="queue.send", look=queue.send, needs=(exists,)),
        check(name="queue.dead-letters", look=queue.dead_letters, needs=(exists,)),
        check(name="claims.bucket", look=Claims(bucket, sharing[0].settings.stream, context.clients).writable),
        mapping,
        function,
        check(name="queue.visibility", look=forwarder.visibility, needs=(function,)),
        bus,
        start,
        check(name="forwarder.mapped", look=forwarder.mapped, needs=(start,)),
        check(name="forwarder.unmapped", look=unread, needs=(function,), late=out_of_reach("dynamodb")),
        check(name="forwarder.watermarks", look=forwarder.watermarks, needs=(function,)),
        check(name="forwarder.parking", look=forwarder.parking, needs=(function,)),
    ]


def _kind(checkpoints: str) -> str:
    """Of a store, as its remedies are called: the watched cluster itself is one of its own."""
    return SAME_CLUSTER if checkpoints == "mongodb:" else f"checkpoints.{checkpoints.partition(':')[0].partition('+')[0]}"


def _grouped(streams: Streams, key: Callable[[Settings], Hashable]) -> list[Streams]:
    """The streams that share something, in their order."""
    groups: dict[Hashable, list[Parts]] = {}
    for parts in streams:
        groups.setdefault(key(parts.settings), []).append(parts)
    return list(groups.values())


def _named(streams: Streams) -> str:
    return ", ".join(parts.settings.stream for parts in streams)
