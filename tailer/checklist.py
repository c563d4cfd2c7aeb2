"""All checks of some streams, in the order of the doctor's report: each adapter's own, from the adapter's room."""

from collections.abc import Callable, Hashable, Sequence
from dataclasses import replace
from functools import partial

from tailer.aws.checks.access import identity
from tailer.aws.checks.claims import claims
from tailer.aws.checks.destinations import forwarder_checks
from tailer.aws.checks.forwarder import Forwarder
from tailer.aws.checks.queue import Queue
from tailer.checkpoints.checks import StoredRecord
from tailer.checks import Check
from tailer.health.checks import port_check
from tailer.mongodb.checks.encryption import tls_at_start
from tailer.mongodb.checks.server import SIGN_IN, Server
from tailer.mongodb.checks.stream import WatchedStream
from tailer.mongodb.connection.errors import STORE
from tailer.mongodb.source import MongodbSource
from tailer.parts import Parts
from tailer.settings.checks import settings_check
from tailer.settings.settings import Settings
from tailer.stores.checks import takes_a_record
from tailer.stores.table import kind_of
from tailer.times import now

Streams = Sequence[Parts]


def all_checks(streams: Streams) -> list[Check]:
    """Return every check once for each process, cluster, store, stream and queue."""
    first = streams[0].settings
    checks = [settings_check([parts.settings for parts in streams]), port_check(first.http_host, first.http_port)]
    for cluster in _sharing(streams, lambda settings: (settings.mongodb_uri, settings.mongodb_username)):
        checks += _of_cluster(cluster, whole=len(cluster) == len(streams))
    for sharing in _sharing(streams, lambda settings: settings.checkpoints):
        checks += _about(sharing, _of_store(sharing[0]))
    checks.append(identity(streams[0].aws))
    for sharing in _sharing(streams, lambda settings: settings.queue_url):
        checks += _about(sharing, _of_queue(sharing), whole=len(sharing) == len(streams))
    return sorted(checks, key=lambda check: check.name == "stream.lease")  # it waits for a renewal, so the others go first


def _of_cluster(cluster: Streams, *, whole: bool) -> list[Check]:
    parts, settings = cluster[0], cluster[0].settings
    uri, username = settings.mongodb_uri.get_secret_value(), settings.mongodb_username
    server = Server(uri, username, lambda: parts.client, now=now)
    checks = _about(cluster, server.checks(), whole=whole)
    for parts in cluster:
        checks += _about([parts], _of_stream(parts, server))
    return checks


def _of_stream(parts: Parts, server: Server) -> list[Check]:
    settings, kind = parts.settings, kind_of(parts.settings.checkpoints.get_secret_value())

    def source() -> MongodbSource:
        return MongodbSource(parts.client, parts.watch, settings.first_position)

    record = StoredRecord(
        stream=settings.stream,
        identity=settings.identity,
        store=lambda: parts.store,
        source=source,
        watched=parts.cluster,
        now=now,
    )
    watched = WatchedStream(
        server=server,
        watch=parts.watch,
        source=source,
        position=record,
        history_seconds=settings.history_seconds,
        now=now,
    )
    needs = (SIGN_IN,) if kind.in_watched_cluster else ()
    stored = Check(name="checkpoints.read", run=record.read, outage=kind.outage, mistake=kind.mistake, needs=needs)
    return [stored, *watched.checks(), *record.checks(stored)]


def _of_store(parts: Parts) -> list[Check]:
    url = parts.settings.checkpoints.get_secret_value()
    kind, at_start = kind_of(url), partial(tls_at_start, url, STORE)
    check = partial(Check, outage=kind.outage, mistake=kind.mistake)
    return [
        check(name="checkpoints.tls", run=partial(kind.tls, url), at_start=at_start),
        check(name="checkpoints.write", run=lambda: takes_a_record(parts.store), needs=("checkpoints.read",)),
    ]


def _of_queue(sharing: Streams) -> list[Check]:
    first, aws = sharing[0].settings, sharing[0].aws
    watched = sorted({str(scope) for parts in sharing for scope in parts.watch.scopes if scope.collection})
    queue = Queue(first.queue_url, aws, now=now)
    forwarder = Forwarder(queue, first.claim_bucket, aws, watched, [parts.settings.stream for parts in sharing])
    return [*queue.checks(), claims(first.claim_bucket, first.stream, aws), *forwarder_checks(forwarder)]


def _about(streams: Streams, checks: Sequence[Check], *, whole: bool = False) -> list[Check]:
    """Return the checks with the names of the streams; without names if these are all streams."""
    names = () if whole else tuple(parts.settings.stream for parts in streams)
    return [replace(check, streams=names) for check in checks]


def _sharing(streams: Streams, key: Callable[[Settings], Hashable]) -> list[Streams]:
    """Group the streams by what they share, in order."""
    groups: dict[Hashable, list[Parts]] = {}
    for parts in streams:
        groups.setdefault(key(parts.settings), []).append(parts)
    return list(groups.values())
