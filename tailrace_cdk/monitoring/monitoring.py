"""The alarms with the topic that they notify, and the dashboard."""

from collections.abc import Sequence

from aws_cdk import aws_kms as kms
from aws_cdk import aws_lambda as lambda_
from aws_cdk import aws_sns as sns
from constructs import Construct

from tailrace_cdk.config import Environment
from tailrace_cdk.messaging.messaging import Messaging
from tailrace_cdk.monitoring.alarms import Alarms
from tailrace_cdk.monitoring.dashboard import Dashboard
from tailrace_cdk.monitoring.notices import Notices


class Monitoring:
    """Notices, alarms and dashboard: parts of ``scope``. ``streams`` are the event sources of the DynamoDB streams."""

    def __init__(
        self,
        scope: Construct,
        *,
        environment: Environment,
        messaging: Messaging,
        streams: Sequence[lambda_.CfnEventSourceMapping],
        key: kms.IKey | None,
        topic: sns.ITopic | None,
    ) -> None:
        queues, functions = messaging.queues, messaging.functions
        self.topic = Notices(scope, "Notices", environment=environment, key=key, existing=topic).topic
        self.alarms = Alarms(
            scope,
            "Alarms",
            environment=environment,
            queues=queues,
            functions=functions,
            mappings=streams,
            bus=messaging.bus,
            topic=self.topic,
        )
        Dashboard(scope, "Dashboard", environment=environment, queues=queues, functions=functions, alarms=self.alarms)
