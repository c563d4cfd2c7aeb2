"""The tailer's ECS service."""

from collections.abc import Sequence

from aws_cdk import Aws
from aws_cdk import aws_ec2 as ec2
from aws_cdk import aws_ecs as ecs
from aws_cdk import aws_kms as kms
from aws_cdk import aws_logs as logs
from aws_cdk import aws_secretsmanager as secretsmanager
from constructs import Construct

from tailer.settings.streams_toml import toml
from tailrace_cdk.config import Environment
from tailrace_cdk.existing import Existing
from tailrace_cdk.log_group import LogGroup
from tailrace_cdk.messaging.queues import Queues
from tailrace_cdk.messaging.state import State
from tailrace_cdk.tailing.image import Image
from tailrace_cdk.tailing.network import Network
from tailrace_cdk.tailing.task import HEALTH, Task

HTTP_PORT = 8080


class Service(Construct):
    """
    A task for each stream, and the standby tasks. Nothing can connect to them; leases decide which task tails which stream.

    A deployment starts the new tasks beside the old ones. They are on standby, and take over a stream when its old task
    releases the lease. If the new tasks do not become healthy, ECS takes the deployment back.
    """

    def __init__(
        self,
        scope: Construct,
        id: str,
        *,
        environment: Environment,
        network: Network,
        queues: Queues,
        state: State,
        uri: str,
        sign_in: secretsmanager.ISecret | None,
        key: kms.IKey | None,
        existing: Existing,
    ) -> None:
        super().__init__(scope, id)
        tailer = environment.tailer
        self.settings = {
            "TAILER_MONGODB_URI": uri,
            "TAILER_QUEUE_URL": queues.changes.queue_url,
            "TAILER_CHECKPOINTS": f"dynamodb://{state.table.table_name}",
            "TAILER_CLAIM_BUCKET": state.bucket.bucket_name,
            "TAILER_CONFIG_TOML": toml(environment.streams),
            "TAILER_HISTORY_SECONDS": str(environment.database.history_seconds if environment.database else 0),
            "TAILER_LEASE_SECONDS": f"{tailer.lease_seconds:g}",
            "TAILER_SCAN_SECONDS": f"{tailer.scan_seconds:g}",
            "TAILER_EMF_NAMESPACE": environment.namespace,
            "TAILER_HTTP_HOST": "127.0.0.1",  # only the health check connects, from inside the container
            "TAILER_HTTP_PORT": str(HTTP_PORT),
            "AWS_DEFAULT_REGION": Aws.REGION,
        }
        """The variables of its tasks, without any secret."""
        self.image = Image(self, "Image", tailer=tailer, uri=existing.get("image", ""))
        self.log_group: logs.ILogGroup = existing.get("log_group") or LogGroup(self, "Log", days=tailer.log_days, key=key)
        self.cluster: ecs.ICluster = existing.get("cluster") or ecs.Cluster(
            self,
            "Cluster",
            vpc=network.vpc,
            container_insights_v2=ecs.ContainerInsights.DISABLED,  # the alarms are on the tailer's own metrics
        )
        self.security_groups: Sequence[ec2.ISecurityGroup] = existing.get("security_groups") or [
            ec2.SecurityGroup(self, "SecurityGroup", vpc=network.vpc, description="Tailers", allow_all_outbound=False)
        ]
        self.task = Task(
            self,
            "Task",
            environment=environment,
            family=f"tailrace-{environment.name}-tailer",
            image=self.image,
            command=["run"],
            settings=self.settings,
            sign_in=sign_in,
            log=self.log_group,
            health=HEALTH,
        )
        self.service = self._service(len(environment.streams) + tailer.standby_tasks, network.subnets)
        self.service.node.add_dependency(self.task.execution_role)  # and its rights, without which no task starts

    def _service(self, tasks: int, subnets: ec2.SubnetSelection) -> ecs.FargateService:
        return ecs.FargateService(
            self,
            "Service",
            cluster=self.cluster,
            task_definition=self.task.definition,
            desired_count=tasks,
            min_healthy_percent=100,
            max_healthy_percent=200,
            circuit_breaker=ecs.DeploymentCircuitBreaker(enable=True, rollback=True),
            availability_zone_rebalancing=ecs.AvailabilityZoneRebalancing.ENABLED,
            vpc_subnets=subnets,
            security_groups=list(self.security_groups),
            assign_public_ip=False,
            enable_execute_command=False,
            enable_ecs_managed_tags=True,
            propagate_tags=ecs.PropagatedTagSource.SERVICE,
        )
