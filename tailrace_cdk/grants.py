"""
Who may do what: every right that a role of the stack has, each named for why it has it.

A statement allows what the code calls, on what it calls it, and nothing else. SQS checks a batch call as the single one:
``SendMessageBatch`` is ``sqs:SendMessage``. What a resource's own policy says is with the resource.
"""

from collections.abc import Iterator, Sequence

from aws_cdk import aws_iam as iam
from aws_cdk import aws_kms as kms
from aws_cdk import aws_lambda as lambda_
from aws_cdk import aws_logs as logs
from aws_cdk import aws_sqs as sqs

from tailrace_cdk.config import EVENTS, PARKED, Bus, Stream, StreamTable
from tailrace_cdk.key import DATA
from tailrace_cdk.messaging.bus import Delivery, EventBus
from tailrace_cdk.messaging.functions import STREAMS_FAILED
from tailrace_cdk.messaging.ordered_bus import is_ordered
from tailrace_cdk.messaging.queues import Queues
from tailrace_cdk.messaging.state import State
from tailrace_cdk.policies import Statement, allow

LANES = "lane/*"  # partition keys of the watermarks: lambda_forwarder.watermarks.dynamodb.PREFIX
STREAMS = "stream/"  # of the checkpoints, before the stream's name: tailer.stores.dynamodb
DOCTOR = "stream/~doctor"  # of the record that the doctor tries the store with: tailer.doctor.records.PROBE


def logging(group: logs.ILogGroup) -> Iterator[Statement]:
    """A function's own log."""
    yield allow("WriteItsOwnLog", "logs", ("CreateLogStream", "PutLogEvents"), group.log_group_arn)


def publishing(bus: EventBus, queues: Queues, state: State, streams: Sequence[Stream]) -> Iterator[Statement]:
    """What every function does that publishes: the forwarder, redrive, and the forwarders of DynamoDB streams."""
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


def consuming(changes: sqs.IQueue) -> Iterator[Statement]:
    """What Lambda does as the forwarder to bring it messages."""
    yield allow(
        "ReceiveChanges",
        "sqs",
        ("ReceiveMessage", "DeleteMessage", "ChangeMessageVisibility", "GetQueueAttributes"),
        changes.queue_arn,
    )


def postponing(changes: sqs.IQueue) -> Iterator[Statement]:
    """The forwarder itself sets when a failed message is retried."""
    yield allow("SayWhenAMessageComesAgain", "sqs", ("ChangeMessageVisibility", "GetQueueUrl"), changes.queue_arn)


def redriving(queues: Queues, state: State) -> Iterator[Statement]:
    """What redrive does besides publishing."""
    actions = ("ReceiveMessage", "DeleteMessage", "ChangeMessageVisibility", "GetQueueAttributes")
    yield allow("TakeWhatIsToBeRedriven", "sqs", actions, queues.parking.queue_arn, queues.dead_letters.queue_arn)
    yield allow("FetchWhatWasTooLargeForTheParkingQueue", "s3", ("GetObject",), state.bucket.arn_for_objects(f"{PARKED}/*"))


def scheduling(function: lambda_.IFunction) -> Iterator[Statement]:
    """What the scheduler does as its role."""
    yield allow("WakeRedrive", "lambda", ("InvokeFunction",), function.function_arn)


def streaming(table: StreamTable, state: State) -> Iterator[Statement]:
    """What Lambda does as the forwarder of a DynamoDB stream to bring it records, and to keep those it had to give up."""
    yield allow("ReadTheStream", "dynamodb", ("DescribeStream", "GetRecords", "GetShardIterator"), table.stream_arn)
    yield allow("FindTheStream", "dynamodb", ("ListStreams",), "*")  # DynamoDB knows no narrower resource for it
    if table.key_arn:
        yield allow("DecryptTheStream", "kms", ("Decrypt", "DescribeKey"), table.key_arn)
    yield allow("KeepRecordsThatWereGivenUp", "s3", ("PutObject",), state.bucket.arn_for_objects(f"{STREAMS_FAILED}*"))


def delivering(delivery: Delivery) -> Iterator[Statement]:
    """What EventBridge does as the role of one consumer. An ordered bus takes forwarded events by either action."""
    actions = ("PutEvents", "PutRawEvents") if is_ordered(delivery.consumer.bus_arn) else ("PutEvents",)
    yield allow("SendEventsToTheConsumersBus", "events", actions, delivery.consumer.bus_arn)
    if delivery.ordered:
        yield allow("KeepWhatTheirBusDidNotTake", "sqs", ("SendMessage",), delivery.undelivered.queue_arn)


def leaving(delivery: Delivery) -> Iterator[Statement]:
    """What a classic bus does itself with an event that a consumer's bus did not take. It is part of the queue's own policy."""
    if not delivery.ordered:
        yield _leave("KeepWhatTheirBusDidNotTake", delivery.undelivered, delivery.arn)


def setting_aside(unreadable: sqs.IQueue, bus: EventBus) -> Iterator[Statement]:
    """What a classic bus does with an event that its key does not open. It is part of the queue's own policy."""
    yield _leave("KeepWhatTheKeyDoesNotOpen", unreadable, bus.arn)


def fetching(bus: Bus, state: State) -> Iterator[Statement]:
    """
    What other accounts may read: the data of events that were too large for the bus, below the events' own names. It is part
    of the bucket's own policy; who of an account may is for the account to say.
    """
    for account, events in bus.readers.items():
        yield iam.PolicyStatement(
            sid=f"LetAnAccountFetchEventsTooLargeForTheBus{account}",
            principals=[iam.AccountPrincipal(account)],
            actions=["s3:GetObject"],
            resources=[state.bucket.arn_for_objects(f"{EVENTS}/{event}/*") for event in events]
            or [state.bucket.arn_for_objects(f"{EVENTS}/*")],
        )


def tailing(queues: Queues, state: State, streams: Sequence[Stream]) -> Iterator[Statement]:
    """What the tailer does, for these streams."""
    yield allow("SendChanges", "sqs", ("SendMessage", "GetQueueAttributes"), queues.changes.queue_arn)
    keys = [*(f"{STREAMS}{stream.name}" for stream in streams), DOCTOR]
    yield allow("KeepLeasesAndCheckpoints", "dynamodb", ("GetItem", "PutItem"), state.table.table_arn, conditions=_keys(*keys))
    unread = _keys(*(f"lane/{stream.name}/unmapped" for stream in streams))  # tailrace.aws.unmapped.key
    yield allow("SeeWhatNoMapperReads", "dynamodb", ("GetItem",), state.table.table_arn, conditions=unread)
    yield allow("StoreChangesTooLargeForAMessage", "s3", ("PutObject",), *_claims(state, streams))


def examining(queues: Queues, bus: EventBus, forwarder: lambda_.IFunction) -> Iterator[Statement]:
    """``tailer doctor`` also checks the other end of the queue. It runs as the tailer."""
    yield allow("FindTheForwarder", "lambda", ("ListEventSourceMappings",), "*")  # Lambda knows no narrower resource for it
    yield allow("LookAtTheForwarder", "lambda", ("GetFunctionConfiguration",), forwarder.function_arn)
    yield allow("LookAtTheBus", "events", ("DescribeEventBus",), bus.arn)
    others = queues.dead_letters.queue_arn, queues.parking.queue_arn
    yield allow("CountWhatWasSetAside", "sqs", ("GetQueueAttributes",), *others)


def encrypting(key: kms.IKey | None) -> Iterator[Statement]:
    """Of everyone who reads or writes what is encrypted with a key of our own, where there is one."""
    if key:
        yield allow("UseTheKeyOfTheStack", "kms", DATA, key.key_arn)


def decrypting(key: kms.IKey | None) -> Iterator[Statement]:
    """Of who only reads what is encrypted with it."""
    if key:
        yield allow("ReadWithTheKeyOfTheStack", "kms", ("Decrypt",), key.key_arn)


def _claims(state: State, streams: Sequence[Stream]) -> list[str]:
    """Where the tailer leaves what is too large: below its stream's name; unknown streams may have any name."""
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
    """Of a call without any key the first alone would be true."""
    return {"ForAllValues:StringLike": {"dynamodb:LeadingKeys": list(allowed)}, "Null": {"dynamodb:LeadingKeys": "false"}}
