"""The parts of one stream: the only place that chooses adapters and builds clients from settings."""

import os
import socket
import time
import uuid
from collections.abc import Callable
from dataclasses import dataclass, replace
from functools import cached_property, partial
from typing import Any, Self

from pymongo import MongoClient

from tailer.aws.checks.access import quick_client
from tailer.aws.clients import aws_client
from tailer.aws.lanes import LaneOf, lanes
from tailer.aws.s3_claims import S3Claims
from tailer.aws.unmapped import shown
from tailer.checkpoints.candidate import LeaseCandidate
from tailer.encoded import encoder
from tailer.model import Start
from tailer.mongodb import change_streams
from tailer.mongodb.capabilities import Capabilities, capabilities
from tailer.mongodb.cluster_facts import ClusterFacts
from tailer.mongodb.connection.client import QUICK, Reader, connect, connect_reader
from tailer.mongodb.connection.errors import WATCHED
from tailer.mongodb.scopes import OWN_DATABASE, WHOLE, Scope
from tailer.mongodb.source import MongodbSource
from tailer.mongodb.watch import Watch
from tailer.poison import PARK, OnPoison
from tailer.ports import CheckpointStore, Claims
from tailer.settings.settings import Settings
from tailer.stores.kind import Clients
from tailer.stores.table import kind_of
from tailrace.wire.change import Namespace


@dataclass(frozen=True, eq=False)
class Parts:
    """
    Everything that one stream is read, sent and remembered with. Each part is built on first use, and kept.

    ``aws`` returns the boto3 client of a service, and ``connect`` the client of a cluster: ``tailer doctor`` passes clients
    that give up sooner, and a test passes its own.
    """

    settings: Settings
    aws: Callable[[str], Any] = aws_client
    connect: "Callable[..., MongoClient[Any]]" = connect

    def impatient(self) -> Self:
        """Return the same parts, whose clients give up sooner: before a check of the doctor does."""
        return replace(self, aws=quick_client, connect=partial(self.connect, timeouts=QUICK))

    @cached_property
    def watch(self) -> Watch:
        """What the stream watches, and which documents its changes contain."""
        return Watch(
            database=self.settings.database,
            collections=self.settings.collections,
            pipeline=self.settings.pipeline,
            full_document=self.settings.full_document,
            full_document_before_change=self.settings.full_document_before_change,
            but_not=OWN_DATABASE,
        )

    @cached_property
    def scopes_to_enable(self) -> list[Scope]:
        """What DocumentDB must keep change streams for, so that the stream receives changes."""
        return change_streams.needed(self.watch.scopes)

    @cached_property
    def namespace(self) -> Namespace:
        """What the stream watches, as far as one namespace can describe it."""
        target = self.watch.target
        return Namespace(db=target.database or WHOLE, coll=target.collection)

    @cached_property
    def client(self) -> "MongoClient[Any]":
        """The client of the watched cluster for everything but change streams. Streams of one process share it."""
        return self.connect(*self._sign_in)

    @cached_property
    def reader(self) -> Reader:
        """The client that reads change streams of the watched cluster, and nothing else."""
        return connect_reader(*self._sign_in, seconds=self.settings.scan_seconds)

    @property
    def _sign_in(self) -> tuple[str, str, str, str]:
        uri, password = self.settings.mongodb_uri, self.settings.mongodb_password
        return uri.get_secret_value(), WATCHED, self.settings.mongodb_username, password.get_secret_value()

    @cached_property
    def source(self) -> MongodbSource:
        """The change stream for commands and checks, which send nothing: no change stops it, and none is stored in S3."""
        return self.source_with(PARK)

    def source_with(self, on_poison: OnPoison, start: Start | None = None) -> MongodbSource:
        """The change stream, with this treatment of changes that cannot be delivered, and its own first start if given."""
        encode = encoder(self.lane_of, on_poison)
        return MongodbSource(self.client, self.watch, start or self.settings.first_position, self.reader, on_poison, encode)

    @property
    def capabilities(self) -> Capabilities:
        """What the watched server can do."""
        return capabilities(self.client)

    @cached_property
    def cluster(self) -> ClusterFacts:
        return ClusterFacts(lambda: self.client)

    @cached_property
    def store(self) -> CheckpointStore:
        url = self.settings.checkpoints.get_secret_value()
        return kind_of(url).of(url, Clients(aws=self.aws, watched=lambda: self.client, connect=self.connect))

    @cached_property
    def candidate(self) -> LeaseCandidate:
        return LeaseCandidate(
            self.store,
            stream=self.settings.stream,
            identity=self.settings.identity,
            owner=f"{socket.gethostname()}/{os.getpid()}/{uuid.uuid4().hex[:8]}",
            seconds=self.settings.lease_seconds,
            clock=time.monotonic,
            cluster=self.cluster,
        )

    @cached_property
    def sqs(self) -> Any:
        """The boto3 client of the queue."""
        return self.aws("sqs")

    @cached_property
    def lane_of(self) -> LaneOf:
        return lanes(self.settings.lanes, self.settings.order_by)

    @cached_property
    def claims(self) -> Claims | None:
        """Where changes that are too large for a message are stored; None without ``TAILER_CLAIM_BUCKET``."""
        return S3Claims(self.aws("s3"), self.settings.claim_bucket) if self.settings.claim_bucket else None

    def unmapped(self) -> dict[str, Any]:
        """What no mapper reads of the stream. Known only where the checkpoints are in the forwarder's table."""
        kind, _, table = self.settings.checkpoints.get_secret_value().partition("://")
        return shown(self.aws("dynamodb"), table.rstrip("/"), self.settings.stream) if kind == "dynamodb" else {}
