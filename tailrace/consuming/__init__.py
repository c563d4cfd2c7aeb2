"""
For the consumers of events: reads them as typed values, recognizes repeats, and keeps the newest state of a document.

    from tailrace.consuming import Events, MemoryInbox, NotAnEvent

It needs only msgspec. ``DynamodbInbox`` and ``S3Claims`` take a boto3 client.
"""

from tailrace.consuming.batches import handle as handle
from tailrace.consuming.claims import S3Claims as S3Claims
from tailrace.consuming.dynamodb import DynamodbInbox as DynamodbInbox
from tailrace.consuming.errors import NotAnEvent as NotAnEvent
from tailrace.consuming.errors import UnknownEvent as UnknownEvent
from tailrace.consuming.event import Event as Event
from tailrace.consuming.events import Events as Events
from tailrace.consuming.inbox import Inbox as Inbox
from tailrace.consuming.memory import MemoryInbox as MemoryInbox
from tailrace.consuming.messages import Message as Message
from tailrace.consuming.messages import messages as messages
from tailrace.metadata import Metadata as Metadata

__all__ = [
    "DynamodbInbox",
    "Event",
    "Events",
    "Inbox",
    "MemoryInbox",
    "Message",
    "Metadata",
    "NotAnEvent",
    "S3Claims",
    "UnknownEvent",
    "handle",
    "messages",
]
