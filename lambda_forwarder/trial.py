"""Shows the events that a change would produce, for those who write a mapper. Nothing is published, parked or deleted."""

import json
from collections.abc import Iterable, Iterator, Mapping
from typing import Any

import msgspec
from msgspec import Struct

from lambda_forwarder.aws.clients import client
from lambda_forwarder.forwarding.reading import check, read_message
from lambda_forwarder.handlers.recorded import recorded
from lambda_forwarder.mapping.events import is_mapped, map_changes, mappers_for
from lambda_forwarder.mapping.unmapped import no_mapper
from lambda_forwarder.model.delivery import Delivery
from lambda_forwarder.model.entry import Entry
from lambda_forwarder.model.parked import Parked
from lambda_forwarder.redriving.sqs import SqsBacklog
from tailrace.change import Change
from tailrace.events import Mappers
from tailrace.message import ChangeMessage
from tailrace.wire.bounds import NESTING_LIMIT, nesting
from tailrace.wire.message import UnreadableMessage

RECEIVE_SECONDS = 5.0  # a received message is hidden from the forwarder for so long if it cannot be returned to the queue
PERMISSIONS = "the permissions sqs:ReceiveMessage and ChangeMessageVisibility"  # to read a queue and leave it unchanged
KINDS = "a change, the body of a queue message, a Lambda event, the response of receive-message or a parked item"


class Trial(Struct, frozen=True, kw_only=True):
    """
    One change and what the forwarder would do with it.

    ``mappers`` are the names of its mappers. ``unmapped`` is the warning if the table has no entry for its collection.
    """

    change: Change
    entries: tuple[Entry, ...]
    parked: tuple[Parked, ...]
    mappers: tuple[str, ...]
    unmapped: str = ""


def tried(message: ChangeMessage, mappers: Mappers, source: str | None = None) -> Iterator[Trial]:
    """Map each change by itself, in order."""
    for change in message.changes:
        entries, parked = map_changes(msgspec.structs.replace(message, changes=(change,)), mappers, source)
        names = tuple(getattr(mapper, "__name__", repr(mapper)) for mapper in mappers_for(change, mappers))
        unmapped = "" if is_mapped(change, mappers) else no_mapper(change.ns, mappers)
        yield Trial(change=change, entries=tuple(entries), parked=tuple(parked), mappers=names, unmapped=unmapped)


def read(text: str) -> Iterator[ChangeMessage]:
    """Yield the messages in a JSON text, or in a text with one JSON value in each line. ``KINDS`` lists the accepted values."""
    if nesting(text.encode("utf-8", "surrogatepass")) > NESTING_LIMIT:
        raise UnreadableMessage("the input is nested too deeply")
    try:
        values = [_parsed(text)]
    except ValueError:
        try:
            values = [_parsed(line) for line in text.splitlines() if line.strip()]
        except ValueError as error:
            raise UnreadableMessage(f"the input is not JSON: {error}") from error
    for value in values:
        yield from _messages(value)


def received(queue_url: str) -> Iterator[ChangeMessage]:
    """Receive up to ten messages of a queue and return them to it at once. Each counts as received once more."""
    queue = SqsBacklog(client("sqs"), queue_url, "--queue", permissions=PERMISSIONS)
    deliveries = queue.take(10, RECEIVE_SECONDS)
    queue.give_back(deliveries, lambda: RECEIVE_SECONDS)
    yield from map(_read, deliveries)


def as_sample(entry: Entry) -> dict[str, Any]:
    """The entry of PutEvents in readable form, as a sample has it."""
    return {
        "Source": entry.source,
        "DetailType": entry.detail_type,
        "Time": f"{entry.time:%Y-%m-%dT%H:%M:%SZ}",  # EventBridge keeps whole seconds
        "Detail": json.loads(entry.detail),
    }


def as_text(trial: Trial) -> Iterator[str]:
    """Yield the lines that describe a trial to a person."""
    change = trial.change
    yield f"{change.document}  {change.operation_type}  #{change.sequence}"
    for entry in trial.entries:
        yield f"  {entry.detail_type}  {entry.source}"
        detail = json.dumps(json.loads(entry.detail), indent=2, ensure_ascii=False)
        yield from (f"    {line}" for line in detail.split("\n"))  # splitlines would split at U+2028 too
    for parked in trial.parked:
        yield f"  {verdict(parked)}"
        yield f"    {parked.reason}"
        yield f"    what to do: {parked.remedy}"
    if not trial.entries and not trial.parked:
        returned_none = (
            f"{', '.join(trial.mappers)} returned none" if trial.mappers else "this change has no mapper, as intended"
        )
        yield f"  no event: {trial.unmapped or returned_none}"
    if change.claim is not None:
        yield f"  its documents are stored in s3://{change.claim.bucket}/{change.claim.key}: download that object and try it"


def verdict(parked: Parked) -> str:
    return f"would be parked because of {parked.mapper}" if parked.mapper else "would be parked"


def _parsed(text: str) -> Any:
    value = json.loads(text)
    json.dumps(value, ensure_ascii=False).encode()  # raises for a lone surrogate, which no database and no queue accepts
    return value


def _messages(value: Any) -> Iterable[ChangeMessage]:
    if (deliveries := recorded(value)) is not None:
        return map(_read, deliveries)
    match value:
        case {"operationType": _}:
            return [_of_change(value)]
        case {"changes": _}:
            return [read_message(json.dumps(value))]
        case {"message": Mapping() as message}:
            return [read_message(json.dumps(message))]
        case _:
            raise UnreadableMessage(f"the input is none of these: {KINDS}")


def _read(delivery: Delivery) -> ChangeMessage:
    if delivery.problem:
        raise UnreadableMessage(delivery.problem)
    return delivery.message or read_message(delivery.body)


def _of_change(value: Any) -> ChangeMessage:
    """A message with this change alone. Its stream, generation and lane are invented."""
    try:
        change = msgspec.convert(value, Change)
    except msgspec.ValidationError as error:
        raise UnreadableMessage(f"the input is not a change as the tailer writes it: {error}") from error
    message = ChangeMessage(stream=change.ns.db, generation=1, lane=0, changes=(change,))
    check(message)
    return message
