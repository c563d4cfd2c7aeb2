"""The queue of changes, its dead-letter queue, and the parking queue for changes that cannot be published."""

from typing import Any

from aws_cdk import Aws, Duration, Fn
from aws_cdk import aws_kms as kms
from aws_cdk import aws_sqs as sqs
from constructs import Construct

from tailrace_cdk.config import Environment

MESSAGE_LIMIT = 1_048_576  # bytes, SQS, one message
RETENTION_DAYS = 14  # SQS's longest
RECEIVES = 1_000  # of one message, SQS's most: the pauses of the forwarder keep an outage below it
VISIBILITY = 6  # times the function's timeout, as AWS advises: a batch in progress is not received again
VISIBILITY_LEAST = 600  # seconds: 1,000 receives last a week even if the function never responds
READER_SECONDS = 30  # a received message is hidden from other readers for so long; redrive sets its own time
NO_SOURCE = sqs.RedriveAllowPolicy(redrive_permission=sqs.RedrivePermission.DENY_ALL)  # it is the dead-letter queue of no queue


def queue(scope: Construct, id: str, *, key: kms.IKey | None, **options: Any) -> sqs.Queue:
    """Make a queue that takes TLS only, keeps messages for 14 days, and is encrypted with the key or with SQS's own."""
    return sqs.Queue(
        scope,
        id,
        retention_period=Duration.days(RETENTION_DAYS),
        encryption=sqs.QueueEncryption.KMS if key else sqs.QueueEncryption.SQS_MANAGED,
        encryption_master_key=key,
        enforce_ssl=True,
        **{"redrive_allow_policy": NO_SOURCE, **options},
    )


class Queues(Construct):
    """
    Three FIFO queues in high-throughput mode: order and deduplication are per message group, and no group waits for another.

    Only the queue of changes may use the dead-letter queue. SQS checks no policy when it moves dead letters: messages
    from another queue could bypass our policies, and redrive would publish them. The two queues name each other, so the queue
    of changes has a fixed name. It ends in the id of the stack, so that a retained queue does not block the next one.

    A message stays at most 14 days in each queue. A FIFO queue starts the retention anew for a message from another queue.

    The visibility timeout is long. When the function reports a failed message, it also sets a timeout, which is short at first.
    So the queue's own timeout counts only if the function ends without a response.

    An existing queue of changes (``changes``) comes with its own dead-letter queue.
    """

    def __init__(
        self,
        scope: Construct,
        id: str,
        *,
        environment: Environment,
        key: kms.IKey | None,
        changes: sqs.IQueue | None = None,
        dead_letters: sqs.IQueue | None = None,
    ) -> None:
        super().__init__(scope, id)
        self._key = key
        self.changes: sqs.IQueue
        self.dead_letters: sqs.IQueue
        self.parking = self._queue("Parking", READER_SECONDS)
        if changes:
            self.changes = changes
            self.dead_letters = _dead_letters(changes, dead_letters)
        else:
            self._make(environment)

    def _make(self, environment: Environment) -> None:
        unique = Fn.select(0, Fn.split("-", Fn.select(2, Fn.split("/", Aws.STACK_ID))))
        name = f"tailrace-{environment.name}-QueuesChanges-{unique}.fifo"
        source = sqs.Queue.from_queue_arn(self, "Source", f"arn:{Aws.PARTITION}:sqs:{Aws.REGION}:{Aws.ACCOUNT_ID}:{name}")
        only_changes = sqs.RedriveAllowPolicy(redrive_permission=sqs.RedrivePermission.BY_QUEUE, source_queues=[source])
        self.dead_letters = self._queue("DeadLetters", READER_SECONDS, redrive_allow_policy=only_changes)
        self.changes = self._queue(
            "Changes",
            max(VISIBILITY_LEAST, VISIBILITY * environment.forwarder.timeout),
            queue_name=name,
            dead_letter_queue=sqs.DeadLetterQueue(queue=self.dead_letters, max_receive_count=RECEIVES),
        )

    def _queue(self, name: str, visibility_seconds: int, **options: Any) -> sqs.Queue:
        return queue(
            self,
            name,
            key=self._key,
            fifo=True,
            content_based_deduplication=False,
            deduplication_scope=sqs.DeduplicationScope.MESSAGE_GROUP,
            fifo_throughput_limit=sqs.FifoThroughputLimit.PER_MESSAGE_GROUP_ID,
            max_message_size_bytes=MESSAGE_LIMIT,
            visibility_timeout=Duration.seconds(visibility_seconds),
            **options,
        )


def _dead_letters(changes: sqs.IQueue, given: sqs.IQueue | None) -> sqs.IQueue:
    if not changes.fifo:
        raise ValueError("changes_queue: it is no FIFO queue, so SQS does not keep the order of changes; give a FIFO queue")
    own = changes.dead_letter_queue if isinstance(changes, sqs.Queue) else None
    if not (found := given or (own and own.queue)):
        raise ValueError("changes_queue: its dead-letter queue is unknown; give it as dead_letter_queue")
    return found
