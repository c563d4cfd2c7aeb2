"""
Every right of every role of the messaging part and of the tailer. The name of a statement says what the right is for.

A statement allows the actions that the code calls, on the resources that it calls them on, and nothing else. SQS checks a batch
call as a single call: ``SendMessageBatch`` needs ``sqs:SendMessage``.
"""

from collections.abc import Iterable, Iterator, Mapping, Sequence

from aws_cdk import aws_iam as iam
from aws_cdk import aws_kms as kms
from aws_cdk import aws_lambda as lambda_
from aws_cdk import aws_logs as logs
from aws_cdk import aws_sqs as sqs

from tailrace_cdk.config import EVENTS, PARKED, Stream, StreamTable
from tailrace_cdk.key import DATA
from tailrace_cdk.messaging.bus import Delivery, EventBus
from tailrace_cdk.messaging.functions import STREAMS_FAILED
from tailrace_cdk.messaging.ordered_bus import is_ordered
from tailrace_cdk.messaging.queues import Queues
from tailrace_cdk.messaging.state import State
from tailrace_cdk.policies import Statement, allow, numbered

LANES = "lane/*"  # partition keys of the watermarks: lambda_forwarder.watermarks.dynamodb.PREFIX
STREAMS = "stream/"  # prefix of the partition keys of the checkpoints: tailer.stores.dynamodb
STATES = "state/*"  # partition keys of the last states: lambda_forwarder.states.dynamodb.PREFIX
DOCTOR = "stream/~doctor"  # partition key of the record that the doctor writes: tailer.stores.checks.PROBE


def logging(group: logs.ILogGroup) -> Iterator[Statement]:
    yield allow("WriteItsOwnLog", "logs", ("CreateLogStream", "PutLogEvents"), group.log_group_arn)


def publishing(bus: EventBus, queues: Queues, state: State, streams: Sequence[Stream]) -> Iterator[Statement]:
    """Allow the forwarder, redrive and the forwarders of DynamoDB streams to publish and to park."""
    yield allow("PublishEvents", "events", ("PutEvents", "DescribeEventBus"), bus.arn)
    yield allow("ParkWhatCannotBePublished", "sqs", ("SendMessage", "GetQueueAttributes"), queues.parking.queue_arn)
    yield allow(
        "RememberWhatWasPublished",
        "dynamodb",
        ("BatchGetItem", "UpdateItem"),
        state.table.table_arn,
        conditions=_keys(LANES),
    )
    yield allow("TellAMissingClaimFromAForbiddenOne", "s3", ("ListBucket",), state.bucket.bucket_arn)
    yield allow("FetchClaimedChanges", "s3", ("GetObject",), *_claims(state, streams))
    large = [state.bucket.arn_for_objects(f"{prefix}/*") for prefix in (EVENTS, PARKED)]
    yield allow("StoreWhatIsTooLargeForTheBusOrTheParkingQueue", "s3", ("PutObject",), *large)


def remembering(state: State) -> Iterator[Statement]:
    """Allow the forwarder and redrive to remember the last states of documents, if there is a table for them."""
    if table := state.last_states:
        actions = ("BatchGetItem", "UpdateItem")
        yield allow("RememberTheLastStateOfDocuments", "dynamodb", actions, table.table_arn, conditions=_keys(STATES))


def consuming(changes: sqs.IQueue) -> Iterator[Statement]:
    """Allow Lambda, in the forwarder's role, to receive messages, and the forwarder to set when a message is received again."""
    actions = ("ReceiveMessage", "DeleteMessage", "ChangeMessageVisibility", "GetQueueAttributes")
    yield allow("ReceiveChanges", "sqs", actions, changes.queue_arn)
    yield allow("SayWhenAMessageComesAgain", "sqs", ("ChangeMessageVisibility", "GetQueueUrl"), changes.queue_arn)


def redriving(queues: Queues, state: State) -> Iterator[Statement]:
    """Allow redrive to receive parked changes and dead letters."""
    actions = ("ReceiveMessage", "DeleteMessage", "ChangeMessageVisibility", "GetQueueAttributes")
    yield allow("TakeWhatIsToBeRedriven", "sqs", actions, queues.parking.queue_arn, queues.dead_letters.queue_arn)
    yield allow("FetchWhatWasTooLargeForTheParkingQueue", "s3", ("GetObject",), state.bucket.arn_for_objects(f"{PARKED}/*"))


def scheduling(function: lambda_.IFunction) -> Iterator[Statement]:
    """Allow the scheduler to invoke redrive."""
    yield allow("WakeRedrive", "lambda", ("InvokeFunction",), function.function_arn)


def streaming(table: StreamTable, state: State) -> Iterator[Statement]:
    """Allow Lambda, in the role of a DynamoDB stream's forwarder, to read records for it and to store failed records."""
    yield allow("ReadTheStream", "dynamodb", ("DescribeStream", "GetRecords", "GetShardIterator"), table.stream_arn)
    yield allow("FindTheStream", "dynamodb", ("ListStreams",), "*")  # DynamoDB has no narrower resource for it
    if table.key_arn:
        yield allow("DecryptTheStream", "kms", ("Decrypt", "DescribeKey"), table.key_arn)
    yield allow("KeepRecordsThatWereGivenUp", "s3", ("PutObject",), state.bucket.arn_for_objects(f"{STREAMS_FAILED}*"))


def delivering(delivery: Delivery) -> Iterator[Statement]:
    """Allow EventBridge, in the role of a delivery, to send events. An ordered bus accepts them by either action."""
    actions = ("PutEvents", "PutRawEvents") if is_ordered(delivery.consumer.bus_arn) else ("PutEvents",)
    yield allow("SendEventsToTheConsumersBus", "events", actions, delivery.consumer.bus_arn)
    if delivery.ordered:
        yield allow("KeepWhatTheirBusDidNotTake", "sqs", ("SendMessage",), delivery.undelivered.queue_arn)


def leaving(delivery: Delivery) -> Iterator[Statement]:
    """Allow a classic bus to store an event that a consumer's bus did not accept: a statement of the queue's own policy."""
    if not delivery.ordered:
        yield _leave("KeepWhatTheirBusDidNotTake", delivery.undelivered, delivery.arn)


def setting_aside(unreadable: sqs.IQueue, bus: EventBus) -> Iterator[Statement]:
    """Allow a classic bus to store an event that it cannot encrypt or decrypt: a statement of the queue's own policy."""
    yield _leave("KeepWhatTheKeyDoesNotOpen", unreadable, bus.arn)


def fetching(readers: Mapping[str, Sequence[str]], state: State) -> Iterator[Statement]:
    """
    Allow accounts to read their events that were too large for the bus: statements of the bucket's own policy.

    ``readers`` has the names of the events of each account; none are all. Each account decides which of its roles may read.
    """
    for account, events in readers.items():
        yield iam.PolicyStatement(
            sid=f"LetAnAccountFetchEventsTooLargeForTheBus{numbered(account)}",
            principals=[iam.AccountPrincipal(account)],
            actions=["s3:GetObject"],
            resources=[state.bucket.arn_for_objects(f"{EVENTS}/{event}/*") for event in events]
            or [state.bucket.arn_for_objects(f"{EVENTS}/*")],
        )


def tailing(queues: Queues, state: State, streams: Sequence[Stream]) -> Iterator[Statement]:
    yield allow("SendChanges", "sqs", ("SendMessage", "GetQueueAttributes"), queues.changes.queue_arn)
    keys = [*(f"{STREAMS}{stream.name}" for stream in streams), DOCTOR]
    yield allow("KeepLeasesAndCheckpoints", "dynamodb", ("GetItem", "PutItem"), state.table.table_arn, conditions=_keys(*keys))
    unread = _keys(*(f"lane/{stream.name}/unmapped" for stream in streams))  # tailrace.aws.unmapped.key
    yield allow("SeeWhatNoMapperReads", "dynamodb", ("GetItem",), state.table.table_arn, conditions=unread)
    yield allow("StoreChangesTooLargeForAMessage", "s3", ("PutObject",), *_claims(state, streams))


def examining(queues: Queues, bus: EventBus, forwarder: lambda_.IFunction) -> Iterator[Statement]:
    """Allow ``tailer doctor``, which runs in the tailer's role, to check the forwarder, the bus and the other queues."""
    yield allow("FindTheForwarder", "lambda", ("ListEventSourceMappings",), "*")  # Lambda has no narrower resource for it
    yield allow("LookAtTheForwarder", "lambda", ("GetFunctionConfiguration",), forwarder.function_arn)
    yield allow("LookAtTheBus", "events", ("DescribeEventBus",), bus.arn)
    others = queues.dead_letters.queue_arn, queues.parking.queue_arn
    yield allow("CountWhatWasSetAside", "sqs", ("GetQueueAttributes",), *others)


def using_keys(keys: Iterable[kms.IKey | None], *, write: bool = True) -> Iterator[Statement]:
    """Allow a role to read, and to write, what these keys encrypt. What has no key of its own needs no right."""
    if arns := [key.key_arn for key in keys if key]:
        sid, actions = ("UseTheKeyOfTheStack", DATA) if write else ("ReadWithTheKeyOfTheStack", ("Decrypt",))
        yield allow(sid, "kms", actions, *arns)


def _claims(state: State, streams: Sequence[Stream]) -> list[str]:
    """Return where the tailer stores large changes: below the stream's name. If the streams are unknown, that is anywhere."""
    return [state.bucket.arn_for_objects(f"{stream.name}/*") for stream in streams] or [state.bucket.arn_for_objects("*")]


def _leave(sid: str, queue: sqs.IQueue, source_arn: str) -> Statement:
    return Statement(
        sid=sid,
        principals=[iam.ServicePrincipal("events.amazonaws.com")],
        actions=["sqs:SendMessage"],
        resources=[queue.queue_arn],
        conditions={"ArnEquals": {"aws:SourceArn": source_arn}},
    )


def _keys(*allowed: str) -> dict[str, object]:
    """Return the condition for these partition keys. Its first part alone would be true for a call without a key."""
    return {"ForAllValues:StringLike": {"dynamodb:LeadingKeys": list(allowed)}, "Null": {"dynamodb:LeadingKeys": "false"}}
