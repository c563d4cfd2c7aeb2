"""
The settings of one stream. A task reads them from variables (``TAILER_LANES``) or from a table of its TOML (``lanes``), a
deployment from ``[[streams]]`` of an environment's file.
"""

import json
from typing import Annotated, Any, Literal

from pydantic import AfterValidator, BeforeValidator, Field, ValidationInfo, field_validator
from pydantic_settings import NoDecode

from tailer.model import At, Start
from tailer.mongodb.scopes import WHOLE, refusal, short
from tailer.settings.forms import moment, names, stages
from tailer.settings.names import PREFIX
from tailer.settings.table import Table
from tailer.times import cluster_time_of, is_cluster_time

PARKED = "parked"  # prefix in the claim bucket of what is too large for the parking queue: lambda_forwarder.parking.sqs.PREFIX
EVENTS = "events"  # prefix of what is too large for the bus: the forwarder writes it, consumers read it
INSERTS = {"$match": {"operationType": "insert"}}


def _not_a_prefix(name: str) -> str:
    if name in (EVENTS, PARKED):
        used = "consumers may read" if name == EVENTS else "the forwarder writes parked changes to"
        raise ValueError(f"rename the stream: its claims would be below {name}/ of the claim bucket, which {used}")
    return name


StreamName = Annotated[
    str,
    Field(
        pattern=r"^[A-Za-z0-9_-]{1,80}$",
        description="name of the stream: letters, digits, - and _, at most 80; not events and not parked",
    ),
    AfterValidator(_not_a_prefix),
]


class StreamSettings(Table):
    """What a stream watches, how its changes are ordered, and where it starts."""

    database: str = Field(min_length=1, description=f"database to watch, or {WHOLE} for the whole cluster")
    collections: Annotated[tuple[str, ...], NoDecode, BeforeValidator(names)] = Field(
        default=(),
        description="collections to watch, in a variable separated by commas; leave it out for all of the database. With "
        "database *: shop.orders for a collection, shop.* for a database, orders for that collection of every database",
    )
    pipeline: Annotated[tuple[dict[str, Any], ...], NoDecode, BeforeValidator(stages)] = Field(
        default=(), description=f"further stages, as JSON or as a list of TOML, e.g. {json.dumps([INSERTS])}"
    )
    full_document: Literal["default", "updateLookup", "whenAvailable", "required"] = Field(
        default="updateLookup",
        description="document of an update: default, updateLookup (a post-image if pre-images are required), whenAvailable or "
        "required",
    )
    full_document_before_change: Literal["off", "whenAvailable", "required"] = Field(
        default="off", description="pre-images: off, whenAvailable or required; they need MongoDB 6.0, DocumentDB has none"
    )
    lanes: int = Field(default=128, ge=1, le=100_000, description="lanes (SQS message groups) of the stream, 1 to 100000")
    order_by: str = Field(
        default="document",
        min_length=1,
        description="what is kept in order: document, stream (one lane), or the path of a field, which needs pre-images or a "
        "pipeline of inserts only",
    )
    on_poison: Literal["park", "stop"] = Field(
        default="park",
        description="for a change that can never be delivered: park to send a stub in its place, or stop to stop the stream",
    )
    start: Annotated[str, BeforeValidator(moment)] = Field(
        default="now", description="now, beginning or an RFC 3339 time; for the first start of the stream only"
    )

    @field_validator("database")
    @classmethod
    def _watchable(cls, database: str) -> str:
        if why := refusal(database, ()):
            raise ValueError(why)
        return database

    @field_validator("collections")
    @classmethod
    def _watchable_by_name(cls, collections: tuple[str, ...], info: ValidationInfo) -> tuple[str, ...]:
        """Return the short names, which the checkpoint is bound to, however they were written."""
        database = info.data.get("database", "")
        if database and (why := refusal(database, collections)):
            raise ValueError(why)
        return short(database, collections)

    @field_validator("order_by")
    @classmethod
    def _recorded_with_the_change(cls, order_by: str, info: ValidationInfo) -> str:
        """Refuse a field whose value the server does not record with each change: a looked-up document may be newer."""
        before, pipeline = info.data.get("full_document_before_change", "required"), info.data.get("pipeline", ())
        if order_by in ("document", "stream") or before == "required" or pipeline[:1] == (INSERTS,):
            return order_by
        raise ValueError(
            f"to order by a field, every change must contain the field: set {PREFIX}FULL_DOCUMENT_BEFORE_CHANGE=required "
            f"(MongoDB 6.0; DocumentDB has none), begin {PREFIX}PIPELINE with {json.dumps(INSERTS)}, or order by document"
        )

    @field_validator("start")
    @classmethod
    def _cluster_time(cls, start: str) -> str:
        """Return ``now``, ``beginning``, or the cluster time ``"seconds.increment"`` that a time begins with."""
        return start if start in ("now", "beginning") or is_cluster_time(start) else cluster_time_of(start)

    @property
    def first_position(self) -> Start:
        """Where the stream starts if it has no checkpoint."""
        return "now" if self.start == "now" else "beginning" if self.start == "beginning" else At(self.start)
