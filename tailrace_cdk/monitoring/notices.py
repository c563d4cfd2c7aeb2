"""The topic that alarms notify."""

from aws_cdk import Aws
from aws_cdk import aws_iam as iam
from aws_cdk import aws_kms as kms
from aws_cdk import aws_sns as sns
from aws_cdk import aws_sns_subscriptions as subscriptions
from constructs import Construct

from tailrace_cdk.config import Environment
from tailrace_cdk.key import Key


class Notices(Construct):
    """
    ``topic`` is an existing topic, the topic that the environment names, or a new, encrypted topic that sends mail to an
    address. It is None if there is none of these: alarms are then visible in the console only.

    CloudWatch cannot write to a topic that SNS's own key encrypts, so a new topic has a key of the stack.
    """

    def __init__(
        self,
        scope: Construct,
        id: str,
        *,
        environment: Environment,
        key: kms.IKey | None,
        existing: sns.ITopic | None = None,
    ) -> None:
        super().__init__(scope, id)
        settings = environment.alarms
        self.topic = existing
        if existing:
            return
        if settings.topic_arn:
            self.topic = sns.Topic.from_topic_arn(self, "Topic", settings.topic_arn)
        elif settings.email:
            own = key or Key(self, "Key")
            topic = sns.Topic(self, "Topic", display_name=f"Tailrace {environment.name}", master_key=own, enforce_ssl=True)
            topic.add_to_resource_policy(_publishing(topic, f"tailrace-{environment.name}-*"))
            topic.add_subscription(subscriptions.EmailSubscription(settings.email))
            self.topic = topic


def _publishing(topic: sns.ITopic, alarms: str) -> iam.PolicyStatement:
    """Explicit, because a topic with its own policy loses the default policy, which lets the account's alarms publish."""
    return iam.PolicyStatement(
        sid="LetOurAlarmsPublish",
        principals=[iam.ServicePrincipal("cloudwatch.amazonaws.com")],
        actions=["sns:Publish"],
        resources=[topic.topic_arn],
        conditions={
            "StringEquals": {"aws:SourceAccount": Aws.ACCOUNT_ID},
            "ArnLike": {"aws:SourceArn": f"arn:{Aws.PARTITION}:cloudwatch:{Aws.REGION}:{Aws.ACCOUNT_ID}:alarm:{alarms}"},
        },
    )
