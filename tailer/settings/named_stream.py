"""A stream in a file that names several: ``[[streams]]`` of an environment, or of a project."""

from pydantic import Field, field_validator

from tailer.settings.stream import StreamName, StreamSettings
from tailer.settings.table import Section

PARKED = "parked"  # prefix in the claim bucket of what is too large for the parking queue: lambda_forwarder.parking.sqs.PREFIX
EVENTS = "events"  # prefix of what is too large for the bus: the forwarder writes it, consumers read it


class _Name(Section):
    """The name of a stream, which comes first in its table."""

    name: StreamName = Field(description="name of the stream: letters, digits, - and _, at most 80; not events and not parked")


class Stream(StreamSettings, _Name):
    """One change stream. Its settings are those of the tailer."""

    @field_validator("name")
    @classmethod
    def _not_a_prefix(cls, name: str) -> str:
        if name in (EVENTS, PARKED):
            used = "consumers may read" if name == EVENTS else "the forwarder writes parked changes to"
            raise ValueError(f"rename the stream: its claims would be below {name}/ of the claim bucket, which {used}")
        return name
