"""A Fargate task of the tailer's image, with as few privileges as possible."""

from collections.abc import Mapping, Sequence

from aws_cdk import Duration
from aws_cdk import aws_ecs as ecs
from aws_cdk import aws_iam as iam
from aws_cdk import aws_logs as logs
from aws_cdk import aws_secretsmanager as secretsmanager
from constructs import Construct

from tailrace_cdk.config import Environment, Tailer
from tailrace_cdk.policies import service_principal
from tailrace_cdk.tailing.image import Image

CONTAINER = "tailer"
USER = "10001:10001"  # of the image
STOP_SECONDS = 120  # Fargate's longest; the tailer needs at most 20
# As HEALTHCHECK in the image, which ECS ignores.
HEALTH = ecs.HealthCheck(
    command=["CMD", "python", "-m", "tailer.health.probe"],
    interval=Duration.seconds(10),
    timeout=Duration.seconds(3),
    start_period=Duration.seconds(30),
    retries=3,
)


class Task(Construct):
    """
    One container: no root, no capabilities, a read-only file system, no shell from outside.

    Its roles have no right yet: ``role`` is the role of the program, ``execution_role`` the role that starts it.
    """

    def __init__(
        self,
        scope: Construct,
        id: str,
        *,
        environment: Environment,
        family: str,
        image: Image,
        command: Sequence[str],
        settings: Mapping[str, str],
        sign_in: secretsmanager.ISecret | None,
        log: logs.ILogGroup,
        health: ecs.HealthCheck | None = None,
    ) -> None:
        """``sign_in`` has the keys ``username`` and ``password``. The names of its log streams begin with ``log_streams``."""
        super().__init__(scope, id)
        self.image = image
        self.log = log
        self.log_streams = f"{family}/{CONTAINER}"
        self.sign_in = sign_in
        self.role = iam.Role(self, "Role", assumed_by=service_principal("ecs-tasks", source="ecs:*"))
        self.execution_role = iam.Role(self, "ExecutionRole", assumed_by=service_principal("ecs-tasks", source="ecs:*"))
        self.definition = self._definition(family, environment.tailer)
        secret = sign_in
        if sign_in and sign_in.secret_full_arn:  # by its ARN only: else the CDK would add our role to the policy of its key
            secret = secretsmanager.Secret.from_secret_complete_arn(self, "SignIn", sign_in.secret_full_arn)
        secrets = {
            f"TAILER_MONGODB_{key.upper()}": ecs.Secret.from_secrets_manager(secret, key)
            for key in ("username", "password")
            if secret
        }
        linux = ecs.LinuxParameters(self, "Linux", init_process_enabled=True)
        linux.drop_capabilities(ecs.Capability.ALL)
        self.container = self.definition.add_container(
            CONTAINER,
            image=image.container,
            command=list(command),
            environment=dict(settings),
            secrets=secrets or None,
            user=USER,
            readonly_root_filesystem=True,
            linux_parameters=linux,
            health_check=health,
            stop_timeout=Duration.seconds(STOP_SECONDS),
            # In blocking mode the tailer would stop while the log service does not respond.
            logging=ecs.LogDrivers.aws_logs(stream_prefix=family, log_group=log, mode=ecs.AwsLogDriverMode.NON_BLOCKING),
        )

    def _definition(self, family: str, tailer: Tailer) -> ecs.FargateTaskDefinition:
        arm = tailer.architecture == "arm64"
        return ecs.FargateTaskDefinition(
            self,
            "Definition",
            family=family,
            cpu=tailer.cpu,
            memory_limit_mib=tailer.memory,
            runtime_platform=ecs.RuntimePlatform(
                cpu_architecture=ecs.CpuArchitecture.ARM64 if arm else ecs.CpuArchitecture.X86_64,
                operating_system_family=ecs.OperatingSystemFamily.LINUX,
            ),
            task_role=self.role,
            execution_role=self.execution_role.without_policy_updates(),  # the CDK would add rights itself
        )
