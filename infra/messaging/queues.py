"""The queue of changes, its dead letters, and where the forwarder parks what it cannot publish."""

from aws_cdk import Aws, Duration, Fn, Stack
from aws_cdk import aws_kms as kms
from aws_cdk import aws_sqs as sqs
from constructs import Construct

from infra.removal import removal_policy
from infra.settings import Environment

MESSAGE_LIMIT = 1_048_576  # bytes, SQS, one message
RETENTION_DAYS = 14  # SQS's longest
RECEIVES = 1_000  # of one message, SQS's largest: lambda_forwarder.redelivery.pause keeps an outage from getting there
VISIBILITY = 6  # times the function's timeout: what AWS advises, so that a batch being worked on does not come again
VISIBILITY_LEAST = 600  # seconds: 1,000 receives last a week even where the function never answers
LOOK = 30  # seconds that a message is hidden from the next who looks; redrive says itself how long it holds one
OF_NOBODY = sqs.RedriveAllowPolicy(redrive_permission=sqs.RedrivePermission.DENY_ALL)  # nobody's dead letters go there


class Queues(Construct):
    """
    Three FIFO queues in high-throughput mode: order and deduplication are per message group, and no group waits for another.

    Dead letters come from the queue of changes alone. A redrive of SQS asks no policy: from any other queue, messages could get
    past ours, and redrive would publish them. Each of the two queues has to name the other, so the queue of changes has a name
    of ours. It ends in the stack's own id: a queue that was retained is not in the way of the next.

    A message stays 14 days in each. A FIFO queue counts anew for a message that it gets from another.

    The queue hides a message for a long time. Where the function answers that a message failed, it also says for how long, and
    that is short at first. So the queue's own time counts only where the function ends without an answer.
    """

    def __init__(self, scope: Construct, id: str, *, environment: Environment, key: kms.IKey | None) -> None:  # noqa: A002
        super().__init__(scope, id)
        self._key = key
        self._removal = removal_policy(environment)
        stack = Stack.of(self)
        unique = Fn.select(0, Fn.split("-", Fn.select(2, Fn.split("/", Aws.STACK_ID))))
        name = f"{stack.stack_name}-QueuesChanges-{unique}.fifo"
        source = sqs.Queue.from_queue_arn(self, "Source", f"arn:{Aws.PARTITION}:sqs:{Aws.REGION}:{Aws.ACCOUNT_ID}:{name}")
        only_ours = sqs.RedriveAllowPolicy(redrive_permission=sqs.RedrivePermission.BY_QUEUE, source_queues=[source])
        self.dead_letters = self._queue("DeadLetters", LOOK, allow=only_ours)
        self.parking = self._queue("Parking", LOOK)
        hidden = max(VISIBILITY_LEAST, VISIBILITY * environment.forwarder.timeout)
        self.changes = self._queue("Changes", hidden, self.dead_letters, physical=name)

    def _queue(
        self,
        name: str,
        visibility: int,
        dead_letters: sqs.IQueue | None = None,
        *,
        allow: sqs.RedriveAllowPolicy = OF_NOBODY,
        physical: str | None = None,
    ) -> sqs.Queue:
        """``visibility`` in seconds; ``allow`` says whose dead letters go there."""
        return sqs.Queue(
            self,
            name,
            queue_name=physical,
            fifo=True,
            content_based_deduplication=False,
            deduplication_scope=sqs.DeduplicationScope.MESSAGE_GROUP,
            fifo_throughput_limit=sqs.FifoThroughputLimit.PER_MESSAGE_GROUP_ID,
            max_message_size_bytes=MESSAGE_LIMIT,
            visibility_timeout=Duration.seconds(visibility),
            retention_period=Duration.days(RETENTION_DAYS),
            encryption=sqs.QueueEncryption.KMS if self._key else sqs.QueueEncryption.SQS_MANAGED,
            encryption_master_key=self._key,
            enforce_ssl=True,
            dead_letter_queue=sqs.DeadLetterQueue(queue=dead_letters, max_receive_count=RECEIVES) if dead_letters else None,
            redrive_allow_policy=allow,
            removal_policy=self._removal,
        )
