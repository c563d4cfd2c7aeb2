"""A classic EventBridge bus: rules send its events on, in no order, and an archive keeps them."""

from collections.abc import Sequence

from aws_cdk import Aws, Duration
from aws_cdk import aws_events as events
from aws_cdk import aws_iam as iam
from aws_cdk import aws_kms as kms
from aws_cdk import aws_sqs as sqs
from constructs import Construct

from tailrace_cdk.config import Consumer, Environment
from tailrace_cdk.messaging.queues import NO_SOURCE, RETENTION_DAYS
from tailrace_cdk.removal import removal_policy

RETRIES = {"maximumRetryAttempts": 185, "maximumEventAgeInSeconds": 86_400}  # EventBridge's most
OWN_RULES = (
    "PutRule", "DeleteRule", "DescribeRule", "EnableRule", "DisableRule", "PutTargets", "RemoveTargets", "ListTargetsByRule",
    "TagResource", "UntagResource", "ListTagsForResource",
)  # fmt: skip


class ClassicBus(Construct):
    """
    The bus ``environment.bus_name``, and an archive of every event where ``archive_days`` asks for one.

    Under a key of ours it leaves the events that it cannot encrypt or decrypt in ``unreadable``.
    """

    def __init__(self, scope: Construct, id: str, *, environment: Environment, key: kms.IKey | None) -> None:
        super().__init__(scope, id)
        self._name = environment.bus_name
        key_id = key.key_arn if key else None
        self.unreadable = self._unreadable(environment) if key else None
        set_aside = {"arn": self.unreadable.queue_arn} if self.unreadable else None
        bus = events.CfnEventBus(self, "Bus", name=self._name, kms_key_identifier=key_id, dead_letter_config=set_aside)
        bus.apply_removal_policy(removal_policy(environment))
        self.arn = bus.attr_arn
        self.address = bus.ref  # its name
        self._bus = bus
        if days := environment.bus.archive_days:
            archive = events.CfnArchive(self, "Archive", source_arn=self.arn, retention_days=days, kms_key_identifier=key_id)
            archive.apply_removal_policy(removal_policy(environment))

    def _unreadable(self, environment: Environment) -> sqs.Queue:
        """Under a key of SQS's own: what ours cannot encrypt, it could not encrypt there either."""
        return sqs.Queue(
            self,
            "Unreadable",
            retention_period=Duration.days(RETENTION_DAYS),
            encryption=sqs.QueueEncryption.SQS_MANAGED,
            enforce_ssl=True,
            redrive_allow_policy=NO_SOURCE,
            removal_policy=removal_policy(environment),
        )

    def route(self, consumer: Consumer, role: iam.IRole, undelivered: sqs.IQueue) -> str:
        """Send the consumer's events to their bus, as the role. The rule's ARN."""
        rule = events.CfnRule(
            self,
            f"{consumer.name}Rule",
            description=f"Events for {consumer.name}",
            event_bus_name=self._bus.ref,
            event_pattern=pattern(consumer),
            targets=[
                events.CfnRule.TargetProperty(
                    id=consumer.name,
                    arn=consumer.bus_arn,
                    role_arn=role.role_arn,
                    dead_letter_config={"arn": undelivered.queue_arn},
                    retry_policy=RETRIES,
                )
            ],
        )
        rule.node.add_dependency(role)
        return rule.attr_arn

    def share(self, accounts: Sequence[str]) -> None:
        """Let other accounts make rules on the bus, and change those that they made themselves."""
        for account in accounts:
            statement = iam.PolicyStatement(
                sid=f"LetAnAccountManageItsOwnRules{account}",
                principals=[iam.AccountPrincipal(account)],
                actions=[f"events:{action}" for action in OWN_RULES],
                resources=[f"arn:{Aws.PARTITION}:events:{Aws.REGION}:{Aws.ACCOUNT_ID}:rule/{self._name}/*"],
                conditions={"StringEqualsIfExists": {"events:creatorAccount": account}},
            )
            self._policy(f"Rules{account}", statement)

    def deny(self, statements: Sequence[iam.PolicyStatement]) -> None:
        """Have the bus itself refuse these."""
        for statement in statements:
            self._policy(statement.sid or "", statement)

    def _policy(self, id: str, statement: iam.PolicyStatement) -> None:
        events.CfnEventBusPolicy(
            self,
            id,
            event_bus_name=self._bus.ref,
            statement_id=statement.sid or "",
            statement=statement.to_statement_json(),
        )


def pattern(consumer: Consumer) -> dict[str, object]:
    """The event pattern of a consumer: its events by detail-type, or every event (any source)."""
    return {"detail-type": list(consumer.events)} if consumer.events else {"source": [{"prefix": ""}]}
