"""
The denials in the policies of queues, table, bucket and bus: each data action is denied to everybody but the roles that need
it, whatever the account's own policies allow.

Only data actions are denied. Otherwise nobody could repair or delete the stack: administrators and CloudFormation change
settings and policies, and delete resources. A denial gives no right; ``tailrace_cdk.grants`` does.
"""

from collections.abc import Iterable, Iterator, Sequence

from aws_cdk import aws_iam as iam

from tailrace_cdk.config import EVENTS, PARKED, People, Stream
from tailrace_cdk.messaging.bus import Delivery
from tailrace_cdk.messaging.functions import STREAMS_FAILED, Functions
from tailrace_cdk.messaging.queues import Queues
from tailrace_cdk.messaging.state import State

Statement = iam.PolicyStatement
RECEIVE = ("ReceiveMessage", "ChangeMessageVisibility")
READ = ("GetObject", "GetObjectVersion")
REMOVE = ("DeleteObject", "DeleteObjectVersion")
OTHER_ITEMS = (  # no program uses these
    "DeleteItem", "BatchWriteItem", "ConditionCheckItem", "Query", "Scan",
    "PartiQLSelect", "PartiQLInsert", "PartiQLUpdate", "PartiQLDelete",
)  # fmt: skip


class Denials:
    """The denials of each resource. ``tailer`` is the role of the stack's tailer, if the stack has one."""

    def __init__(self, functions: Functions, people: People, tailer: iam.IRole | None) -> None:
        self._people = people
        self._forwarder = _arns(functions.forwarder.role)
        self._redrive = _arns(functions.redrive.role)
        self._streams = _arns(*(function.role for function in functions.streams))
        self._publishing = [*self._forwarder, *self._redrive, *self._streams]
        self._tailers = [*_arns(tailer), *people.tailers]

    def of_changes(self, queues: Queues) -> Iterator[Statement]:
        arn = queues.changes.queue_arn
        yield from self._only_tailers("SendChanges", "sqs", ("SendMessage",), arn)
        yield self._only("ReceiveChanges", "sqs", (*RECEIVE, "DeleteMessage"), self._forwarder, arn)
        yield self._only("PurgeChanges", "sqs", ("PurgeQueue",), (), arn)

    def of_parking(self, queues: Queues) -> Iterator[Statement]:
        arn = queues.parking.queue_arn
        yield self._only("Park", "sqs", ("SendMessage",), self._publishing, arn)
        yield from self._redriven(arn)

    def of_dead_letters(self, queues: Queues) -> Iterator[Statement]:
        """SQS itself sends dead letters. It checks no policy but the ``RedriveAllowPolicy`` of the queue."""
        arn = queues.dead_letters.queue_arn
        yield self._only("SendDeadLetters", "sqs", ("SendMessage",), (), arn)
        yield from self._redriven(arn)

    def of_undelivered(self, delivery: Delivery) -> Iterator[Statement]:
        """A classic bus sends there itself, an ordered bus in the role of the delivery."""
        arn = delivery.undelivered.queue_arn
        senders = _arns(delivery.role) if delivery.ordered else []
        yield self._only("KeepUndelivered", "sqs", ("SendMessage",), senders, arn, services=not delivery.ordered)
        yield from self._inspected(arn)

    def of_unreadable(self, queue_arn: str) -> Iterator[Statement]:
        """A classic bus itself sends the events that it cannot encrypt or decrypt."""
        yield self._only("KeepUnreadable", "sqs", ("SendMessage",), (), queue_arn, services=True)
        yield from self._inspected(queue_arn)

    def of_table(self) -> Iterator[Statement]:
        """``*`` is the table itself: its policy is a part of it, and cannot name it."""
        on_call = self._people.on_call
        yield _tls("dynamodb", "*")
        yield from self._only_tailers("KeepCheckpoints", "dynamodb", ("GetItem", "PutItem"), "*")
        yield self._only("KeepWatermarks", "dynamodb", ("BatchGetItem", "UpdateItem"), [*self._publishing, *on_call], "*")
        yield self._only("TouchItemsOtherwise", "dynamodb", OTHER_ITEMS, (), "*")

    def of_last_states(self) -> Iterator[Statement]:
        """As ``of_table``. The values are those of documents: nobody else reads them."""
        yield _tls("dynamodb", "*")
        actions = ("BatchGetItem", "UpdateItem")
        yield self._only(
            "RememberLastStates", "dynamodb", actions, [*self._forwarder, *self._redrive, *self._people.on_call], "*"
        )
        yield self._only("TouchLastStatesOtherwise", "dynamodb", ("GetItem", "PutItem", *OTHER_ITEMS), (), "*")

    def of_bucket(self, state: State, readers: Iterable[str], streams: Sequence[Stream]) -> Iterator[Statement]:
        """``readers`` are accounts: they may read events that are too large for the bus, neither claims nor parked items."""
        below, on_call = state.bucket.arn_for_objects, self._people.on_call
        claims = [below(f"{stream.name}/*") for stream in streams]
        events, parked, failed = below(f"{EVENTS}/*"), below(f"{PARKED}/*"), below(f"{STREAMS_FAILED}*")
        accounts = list(readers)
        if claims:
            yield self._only("ReadClaims", "s3", READ, [*self._publishing, *on_call], *claims)
            yield self._only("ReadLargeEvents", "s3", READ, on_call, events, accounts=accounts)
            yield from self._only_tailers("StoreClaims", "s3", ("PutObject",), *claims)
            yield from self._only_tailers("StoreObjects", "s3", ("PutObject",), below("*"), besides=self._publishing)
        else:  # the streams are unknown, so their claims may have any prefix
            yield self._only("ReadObjects", "s3", READ, [*self._publishing, *on_call], below("*"), accounts=accounts)
        yield self._only("ReadParked", "s3", READ, [*(self._redrive if claims else self._publishing), *on_call], parked)
        yield self._only("ReadFailedRecords", "s3", READ, [*(() if claims else self._publishing), *on_call], failed)
        yield self._only("StoreLargeEventsAndParked", "s3", ("PutObject",), self._publishing, events, parked)
        yield self._only("StoreFailedRecords", "s3", ("PutObject",), self._streams, failed)
        yield self._only("RemoveObjects", "s3", REMOVE, (), below("*"))

    def of_bus(self, arn: str, *, ordered: bool) -> Iterator[Statement]:
        """EventBridge itself replays an archive."""
        actions = ("PutEvents", "PutRawEvents") if ordered else ("PutEvents",)
        yield _tls("events", arn, actions)
        yield self._only("PublishEvents", "events", actions, self._publishing, arn, services=True)

    def _redriven(self, arn: str) -> Iterator[Statement]:
        yield self._only("ReceiveWhatWasSetAside", "sqs", RECEIVE, [*self._redrive, *self._people.on_call], arn)
        yield self._only("RemoveWhatWasSetAside", "sqs", ("DeleteMessage",), self._redrive, arn)
        yield self._only("PurgeWhatWasSetAside", "sqs", ("PurgeQueue",), (), arn)

    def _inspected(self, arn: str) -> Iterator[Statement]:
        yield self._only("LookAtWhatWasKept", "sqs", RECEIVE, self._people.on_call, arn)
        yield self._only("RemoveWhatWasKept", "sqs", ("DeleteMessage", "PurgeQueue"), (), arn)

    def _only_tailers(
        self, sid: str, service: str, actions: Sequence[str], *resources: str, besides: Sequence[str] = ()
    ) -> Iterator[Statement]:
        """Deny everybody but the tailers. If no tailer is known, deny nobody."""
        if self._tailers:
            yield self._only(sid, service, actions, [*self._tailers, *besides], *resources)

    def _only(
        self,
        sid: str,
        service: str,
        actions: Sequence[str],
        principals: Sequence[str],
        *resources: str,
        accounts: Sequence[str] = (),
        services: bool = False,
    ) -> Statement:
        """
        Deny everybody but these principals, the roles for repairs and, if given, every principal of ``accounts``.

        With ``services`` AWS services that act for themselves are not denied; another statement allows what they may do.
        """
        conditions: dict[str, object] = {}
        if exempt := [*principals, *self._people.repair]:
            conditions["ArnNotLike"] = {"aws:PrincipalArn": exempt}
        if accounts:
            conditions["StringNotEquals"] = {"aws:PrincipalAccount": list(accounts)}
        if services:
            conditions["Bool"] = {"aws:PrincipalIsAWSService": "false"}
        return _deny(f"NobodyElseMay{sid}", service, actions, resources, conditions)


def _tls(service: str, resource: str, actions: Sequence[str] = ("*",)) -> Statement:
    return _deny("NothingWithoutTLS", service, actions, (resource,), {"Bool": {"aws:SecureTransport": "false"}})


def _deny(sid: str, service: str, actions: Sequence[str], resources: Sequence[str], conditions: dict[str, object]) -> Statement:
    return Statement(
        sid=sid,
        effect=iam.Effect.DENY,
        principals=[iam.AnyPrincipal()],
        actions=[f"{service}:{action}" for action in actions],
        resources=list(resources),
        conditions=conditions or None,
    )


def _arns(*roles: iam.IRole | None) -> list[str]:
    return [role.role_arn for role in roles if role]
