"""What events a change would give, and what would be parked: for whoever writes a mapper. Nothing is published or deleted."""

import json
import time
from collections.abc import Iterable, Iterator, Mapping
from typing import Any

import msgspec
from msgspec import Struct

from lambda_forwarder.aws.clients import client
from lambda_forwarder.dynamodb import records
from lambda_forwarder.errors import translated
from lambda_forwarder.forwarding.reading import check, read_message
from lambda_forwarder.mapping.events import is_mapped, map_changes, mappers_for
from lambda_forwarder.mapping.unmapped import no_mapper
from lambda_forwarder.model.entry import Entry
from lambda_forwarder.model.parked import Parked
from tailrace.change import Change
from tailrace.events import Mappers
from tailrace.message import ChangeMessage
from tailrace.wire.bounds import NESTING_LIMIT, nesting
from tailrace.wire.message import UnreadableMessage

RECEIVE_SECONDS = 5  # how long a message that was only looked at is hidden from the forwarder, should giving it back fail
KINDS = "a change, the body of a queue message, a Lambda event, the response of receive-message or a parked item"


class Trial(Struct, frozen=True, kw_only=True):
    """One change, and all that the forwarder would do about it. ``unread`` says that the table does not have its collection."""

    change: Change
    entries: tuple[Entry, ...]
    parked: tuple[Parked, ...]
    mappers: tuple[str, ...]
    unread: str = ""


def tried(message: ChangeMessage, mappers: Mappers, source: str | None = None) -> Iterator[Trial]:
    """Each change by itself, in order."""
    for change in message.changes:
        entries, parked = map_changes(msgspec.structs.replace(message, changes=(change,)), mappers, source)
        names = tuple(getattr(mapper, "__name__", repr(mapper)) for mapper in mappers_for(change, mappers))
        missing = "" if is_mapped(change, mappers) else no_mapper(change.ns, mappers)
        yield Trial(change=change, entries=tuple(entries), parked=tuple(parked), mappers=names, unread=missing)


def read(text: str) -> Iterator[ChangeMessage]:
    """
    The messages in a JSON text, or in one JSON text a line.

    Raises:
        UnreadableMessage: there is something else; it says what.
    """
    if nesting(text.encode("utf-8", "surrogatepass")) > NESTING_LIMIT:
        raise UnreadableMessage("it is nested too deeply")
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
    """
    The messages that a queue hands out now, at most ten. They are given back at once; each counts as received once more.

    Raises:
        Unavailable, Rejected, Misconfigured: the queue did not answer.
        UnreadableMessage: a message is not one of ours.
    """
    queue = client("sqs")
    with translated(f"receiving from {queue_url}"):
        response = queue.receive_message(
            QueueUrl=queue_url, MaxNumberOfMessages=10, VisibilityTimeout=RECEIVE_SECONDS, WaitTimeSeconds=1
        )
        messages = response.get("Messages", [])
        for message in messages:
            queue.change_message_visibility(QueueUrl=queue_url, ReceiptHandle=message["ReceiptHandle"], VisibilityTimeout=0)
    for message in messages:
        yield read_message(message["Body"])


def as_put(entry: Entry) -> dict[str, Any]:
    """An entry as EventBridge is asked to publish it, readable: the form of the samples."""
    return {
        "Source": entry.source,
        "DetailType": entry.detail_type,
        "Time": f"{entry.time:%Y-%m-%dT%H:%M:%SZ}",  # EventBridge keeps whole seconds
        "Detail": json.loads(entry.detail),
    }


def shown(trial: Trial) -> Iterator[str]:
    """A trial for a person, in lines."""
    change = trial.change
    yield f"{change.document}  {change.operation_type}  #{change.sequence}"
    for entry in trial.entries:
        yield f"  {entry.detail_type}  {entry.source}"
        detail = json.dumps(json.loads(entry.detail), indent=2, ensure_ascii=False)
        yield from (f"    {line}" for line in detail.split("\n"))  # and at nothing else: a text may hold U+2028
    for parked in trial.parked:
        yield f"  parked by {parked.mapper}"
        yield from (f"    {line}" for line in (parked.reason, f"what to do: {parked.remedy}"))
    if not trial.entries and not trial.parked:
        yield f"  no event: {trial.unread or (', '.join(trial.mappers) or 'no mapper, as intended,') + ' produced no event'}"
    if change.claim is not None:
        yield f"  its documents are stored in s3://{change.claim.bucket}/{change.claim.key}: download that object and try it"


def _parsed(text: str) -> Any:
    value = json.loads(text)
    json.dumps(value, ensure_ascii=False).encode()  # raises for a lone surrogate, which neither a database nor a queue holds
    return value


def _messages(value: Any) -> Iterable[ChangeMessage]:
    match value:
        case {"operationType": _}:
            return [_alone(value)]
        case {"changes": _}:
            return [read_message(json.dumps(value))]
        case {"message": Mapping() as message}:
            return [read_message(json.dumps(message))]
        case {"Records": list(records)}:
            return map(_recorded, records)
        case {"Messages": list(messages)}:
            return [read_message(message["Body"]) for message in messages]
        case _:
            raise UnreadableMessage(f"the input is none of these: {KINDS}")


def _recorded(record: Any) -> ChangeMessage:
    """A record of either of the Lambda's events."""
    match record:
        case {"body": str(body)}:
            return read_message(body)
        case {"dynamodb": _}:
            try:
                return records.read(record, time.time())
            except records.UnreadableRecord as error:
                raise UnreadableMessage(str(error)) from error
        case _:
            raise UnreadableMessage("a record comes from neither SQS nor a DynamoDB stream")


def _alone(value: Any) -> ChangeMessage:
    """A change that came without its message: what the message would say of it is made up."""
    try:
        change = msgspec.convert(value, Change)
    except msgspec.ValidationError as error:
        raise UnreadableMessage(f"the input is not a change as the tailer writes it: {error}") from error
    message = ChangeMessage(stream=change.ns.db, generation=1, lane=0, changes=(change,))
    check(message)
    return message
