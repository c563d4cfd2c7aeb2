"""A classic EventBridge bus: rules send its events on, in no order, and an archive keeps them."""

from collections.abc import Iterable, Sequence

from aws_cdk import aws_events as events
from aws_cdk import aws_iam as iam
from aws_cdk import aws_kms as kms
from aws_cdk import aws_sqs as sqs
from constructs import Construct

from tailrace_cdk.config import Consumer, Environment
from tailrace_cdk.messaging.queues import queue
from tailrace_cdk.policies import arn

RETRIES = {"maximumRetryAttempts": 185, "maximumEventAgeInSeconds": 86_400}  # EventBridge's most
OWN_RULES = (
    "PutRule", "DeleteRule", "DescribeRule", "EnableRule", "DisableRule", "PutTargets", "RemoveTargets", "ListTargetsByRule",
    "TagResource", "UntagResource", "ListTagsForResource",
)  # fmt: skip


class ClassicBus(Construct):
    """
    The bus ``environment.bus_name``, and an archive of every event if ``archive_days`` is above 0.

    With a key of the stack, ``unreadable`` is the queue of events that the bus cannot encrypt or decrypt. It is encrypted with
    SQS's own key: the key that failed for the bus would fail there too.
    """

    def __init__(self, scope: Construct, id: str, *, environment: Environment, key: kms.IKey | None) -> None:
        super().__init__(scope, id)
        self._name = environment.bus_name
        key_id = key.key_arn if key else None
        self.unreadable = queue(self, "Unreadable", key=None) if key else None
        dead_letters = {"arn": self.unreadable.queue_arn} if self.unreadable else None
        self._bus = events.CfnEventBus(self, "Bus", name=self._name, kms_key_identifier=key_id, dead_letter_config=dead_letters)
        self.arn = self._bus.attr_arn
        self.address = self._bus.ref  # its name
        if days := environment.bus.archive_days:
            events.CfnArchive(self, "Archive", source_arn=self.arn, retention_days=days, kms_key_identifier=key_id)

    def route(self, consumer: Consumer, role: iam.IRole, undelivered: sqs.IQueue) -> str:
        """Send the consumer's events to their bus, as the role, and return the rule's ARN."""
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
        """Allow other accounts to make rules on the bus, and to change the rules that they made."""
        for account in accounts:
            statement = iam.PolicyStatement(
                sid=f"LetAnAccountManageItsOwnRules{account}",
                principals=[iam.AccountPrincipal(account)],
                actions=[f"events:{action}" for action in OWN_RULES],
                resources=[arn("events", f"rule/{self._name}/*")],
                conditions={"StringEqualsIfExists": {"events:creatorAccount": account}},
            )
            self._policy(f"Rules{account}", statement)

    def deny(self, statements: Iterable[iam.PolicyStatement]) -> None:
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
    """Return the event pattern of a consumer: its events by detail-type, or every event (any source)."""
    return {"detail-type": list(consumer.events)} if consumer.events else {"source": [{"prefix": ""}]}
