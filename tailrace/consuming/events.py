"""Reads events. Any sender may write to a queue: what is not an event is refused, and no text of it reaches a log unescaped."""

import re
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from typing import Any, Generic, overload

import msgspec
from msgspec import Raw, Struct
from msgspec.structs import replace

from tailrace.consuming.errors import NotAnEvent, UnknownEvent
from tailrace.consuming.event import D, Event
from tailrace.consuming.messages import Body, Message, messages
from tailrace.events import DomainEvent
from tailrace.metadata import Metadata
from tailrace.text.legible import legible
from tailrace.wire.bounds import NESTING_LIMIT, nesting
from tailrace.wire.change import Claim, Document

BODY_LIMIT = 1_048_576  # bytes, SQS and EventBridge
DEPTH_LIMIT = NESTING_LIMIT + 10  # an event may contain a whole document, inside its data, detail and envelope
DOCUMENT_LIMIT = 2_000  # bytes of a document and its stream, which are in a key of an inbox; DynamoDB allows 2,048
TEXT_LIMIT = 200  # characters of a foreign text in an error
INT64 = range(2**63)
ABSENT = Raw(b"")

_is_id = re.compile(r"[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}").fullmatch


class _Body(Struct, frozen=True):
    """An event as EventBridge delivers it, or its detail alone."""

    name: str = msgspec.field(name="detail-type", default="")
    source: str = ""
    detail: Raw = ABSENT
    replay: str = msgspec.field(name="replay-name", default="")


class _Detail(Struct, frozen=True):
    metadata: Metadata
    data: Raw = ABSENT
    claim: Claim | None = None


_body = msgspec.json.Decoder(_Body).decode
_detail = msgspec.json.Decoder(_Detail).decode


class Events(Generic[D]):
    """
    Reads the events of these classes. Without classes it reads every event, and the data is a dict.

    An event has the class with its name, its source and its version. The class may be the producer's, or the consumer's own
    with only the fields that it needs: other fields are ignored. ``claims`` fetches data that was too large for the bus.
    """

    @overload
    def __init__(self: "Events[Document]", *, claims: Callable[[Claim], bytes] | None = None) -> None: ...
    @overload
    def __init__(self, *classes: type[D], claims: Callable[[Claim], bytes] | None = None) -> None: ...
    def __init__(self, *classes: Any, claims: Callable[[Claim], bytes] | None = None) -> None:
        for cls in classes:
            if not (isinstance(cls, type) and issubclass(cls, DomainEvent)):
                raise TypeError(f"{cls!r} is not a class of events: derive it from tailrace.DomainEvent, with its source")
        self._classes: dict[tuple[str, str, str], type[DomainEvent]] = {
            (cls.__source__, cls.__name__, cls.__version__): cls for cls in classes
        }
        self._claims = claims

    def of(self, payload: Mapping[str, Any]) -> list[Event[D]]:
        """
        Return the events of a payload, in order: what a Lambda function receives, or a response of ReceiveMessage. If some of
        several messages may be no events, read each ``Message`` by itself, as ``handle`` does.

        Raises:
            NotAnEvent: the payload has another form, or a message in it is not an event.
        """
        return [self.read(message) for message in messages(payload)]

    def read(self, body: Body | Message) -> Event[D]:
        """
        Return the event of a message, of JSON text or of what was decoded from it: the event as EventBridge delivers it, or its
        detail, if a rule passes on the detail alone. A detail does not name its event, so there must be exactly one class.

        Raises:
            NotAnEvent: it is not an event, or exceeds a limit.
            UnknownEvent: none of the classes is that of the event.
        """
        json = _json(body.body if isinstance(body, Message) else body)
        with _refused("an event of EventBridge or its detail"):
            outer = _body(json)
            detail = _detail(json if outer.detail is ABSENT else outer.detail)
            _check(detail.metadata)
        if outer.detail is ABSENT:
            cls: type[DomainEvent] | None = self._only_class()
            outer = replace(outer, name=cls.__name__, source=cls.__source__) if cls else outer
        else:
            cls = self._class_of(outer, detail.metadata.version)
        data = self._data(detail)
        with _refused(f"the data of {_shown(outer.name)}"):
            value: Any = msgspec.json.decode(data, type=cls or Document)
        return Event(name=outer.name, source=outer.source, metadata=detail.metadata, data=value, replay=outer.replay)

    def _class_of(self, event: _Body, version: str) -> type[DomainEvent] | None:
        """Return the class of an event, or None if every event is read."""
        if not event.name or not event.source:
            raise NotAnEvent("the event has no detail-type or no source")
        if not self._classes:
            return None
        if cls := self._classes.get((event.source, event.name, version)):
            return cls
        known = ", ".join(f"{name} version {number} of {source}" for source, name, number in self._classes)
        raise UnknownEvent(
            f"the event {_shown(event.name)} version {_shown(version)} of {_shown(event.source)} has no class here, only "
            f"{known}: narrow the rule, or add the class"
        )

    def _only_class(self) -> type[DomainEvent]:
        if len(self._classes) == 1:
            return next(iter(self._classes.values()))
        raise UnknownEvent(
            "the body is the detail alone, which does not name its event: remove the InputPath of the rule's target, or read "
            "the queue with exactly one class"
        )

    def _data(self, detail: _Detail) -> bytes:
        if detail.claim is None:
            if detail.data is ABSENT:
                raise NotAnEvent("the detail has neither data nor a claim")
            return bytes(detail.data)
        if self._claims is None:
            raise NotAnEvent("the data of the event is in S3, because it was too large for the bus: pass Events(claims=…)")
        return self._claims(detail.claim)


def _json(body: Body) -> bytes:
    with _refused("JSON"):
        json = body if isinstance(body, bytes) else body.encode() if isinstance(body, str) else msgspec.json.encode(body)
        if len(json) > BODY_LIMIT:
            raise NotAnEvent(f"the event has {len(json)} bytes; the limit is {BODY_LIMIT}")
        if (depth := nesting(json)) > DEPTH_LIMIT:
            raise NotAnEvent(f"the event is nested {depth} deep; the limit is {DEPTH_LIMIT}")
        return json


def _check(metadata: Metadata) -> None:
    """Raise ``NotAnEvent`` if Tailrace writes no such metadata: a consumer uses them as the keys of its tables."""
    if not _is_id(metadata.id):
        raise NotAnEvent("metadata.id is not a UUID")
    if metadata.generation not in INT64 or metadata.sequence not in INT64:
        raise NotAnEvent("metadata.generation and metadata.sequence are not both between 0 and 2^63 - 1")
    if not metadata.stream or not metadata.document:
        raise NotAnEvent("metadata.stream or metadata.document is empty")
    if len(f"{metadata.stream}{metadata.document}".encode()) > DOCUMENT_LIMIT:
        raise NotAnEvent(f"metadata.stream and metadata.document have more than {DOCUMENT_LIMIT} bytes")


@contextmanager
def _refused(kind: str) -> Iterator[None]:
    """Raise ``NotAnEvent`` if the text in this block is not ``kind``."""
    try:
        yield
    except NotAnEvent:
        raise
    except RecursionError as error:
        raise NotAnEvent("the event is nested too deeply") from error
    except (
        ValueError,
        TypeError,
    ) as error:  # JSON and UTF-8 each have a ValueError of their own; TypeError: a value beyond JSON
        raise NotAnEvent(f"not {kind}: {_shown(str(error))}") from error


def _shown(text: str) -> str:
    return legible(text[:TEXT_LIMIT])
