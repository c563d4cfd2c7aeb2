"""Change streams, enabled as a step of a deployment."""

from pathlib import Path

from aws_cdk import CustomResource, Duration, RemovalPolicy
from aws_cdk import aws_ec2 as ec2
from aws_cdk import aws_iam as iam
from aws_cdk import aws_kms as kms
from aws_cdk import aws_lambda as lambda_
from aws_cdk import aws_secretsmanager as secretsmanager
from constructs import Construct

from tailrace_cdk import trust
from tailrace_cdk.config import Database as Settings
from tailrace_cdk.config import Environment
from tailrace_cdk.log_group import LogGroup
from tailrace_cdk.removal import removal_policy
from tailrace_cdk.tailing.database import Database
from tailrace_cdk.tailing.service import Service
from tailrace_cdk.tailing.task import CONTAINER, Task

FUNCTION = Path(__file__).parent / "enabling_function"
TIMEOUT = Duration.minutes(15)  # Lambda's longest: a task pulls its image first, and has three attempts
SERVICE_TIMEOUT = Duration.minutes(16)  # if the function could not respond at all; without it a deployment waits for an hour
COMMAND = "change-streams"


class Enabling(Construct):
    """
    A task that runs ``tailer change-streams enable`` as the cluster's administrator, and the function that runs it for
    CloudFormation: when it is new, and whenever its image, its streams or its database changed. What depends on ``done`` comes
    after it, and not at all if it fails.

    An update never disables change streams. Removing the step does so only if ``disable_change_streams`` is set.
    """

    def __init__(
        self,
        scope: Construct,
        id: str,
        *,
        environment: Environment,
        settings: Settings,
        database: Database,
        service: Service,
        subnets: ec2.SubnetSelection,
        key: kms.IKey | None,
        code: Path = FUNCTION,
    ) -> None:
        super().__init__(scope, id)
        self._service = service
        self._removal = removal_policy(environment)
        self.log_group = LogGroup(self, "Log", days=environment.tailer.log_days, key=key, removal=self._removal)
        self.role = iam.Role(self, "Role", assumed_by=trust.service("lambda"))
        self.function = self._function(environment.name, code)
        self.cluster = service.cluster
        self.identifier = database.identifier
        """The DocumentDB cluster whose secret the function looks for; empty if the secret is named."""
        self.admin_secret = database.admin_secret or self._look_for_secret(database)
        self.task = Task(
            self,
            "Task",
            environment=environment,
            family=f"tailrace-{environment.name}-{COMMAND}",
            image=service.image,
            command=[COMMAND, "show"],  # the function says which command it runs; by itself the task changes nothing
            settings={**service.settings, "TAILER_MONGODB_URI": database.uri(iam=False)},
            sign_in=self.admin_secret,
            log=service.log_group,
        )
        self.done = self._done(settings, database, [subnet.subnet_id for subnet in subnets.subnets or []])

    def _function(self, name: str, code: Path) -> lambda_.Function:
        return lambda_.Function(
            self,
            "Function",
            description=f"Tailrace {name}: enables change streams for CloudFormation",
            runtime=lambda_.Runtime.PYTHON_3_14,  # and its own boto3: nothing is shipped but one file
            architecture=lambda_.Architecture.ARM_64,
            handler="handler.handler",
            code=lambda_.Code.from_asset(str(code), exclude=["__pycache__", "__init__.py"]),
            role=self.role,
            memory_size=256,
            timeout=TIMEOUT,
            retry_attempts=0,  # each request has its response, whatever happened
            log_group=self.log_group,
            logging_format=lambda_.LoggingFormat.JSON,
        )

    def _look_for_secret(self, database: Database) -> secretsmanager.ISecret:
        """CloudFormation creates the administrator's secret with the cluster, but does not return its name."""
        found = CustomResource(
            self,
            "AdminSecret",
            resource_type="Custom::AdminSecret",
            service_token=self.function.function_arn,
            service_timeout=SERVICE_TIMEOUT,
            properties={"Cluster": database.identifier},
        )
        found.node.add_dependency(database, self.function)
        return secretsmanager.Secret.from_secret_complete_arn(self, "Administrator", found.get_att_string("SecretArn"))

    def _done(self, settings: Settings, database: Database, subnet_ids: list[str]) -> CustomResource:
        reader = ["--reader", self._service.task_role.role_arn] if settings.authentication == "iam" else []
        goes_away = bool(database.identifier) and self._removal == RemovalPolicy.DESTROY  # and its change streams with it
        undo = settings.disable_change_streams and not goes_away
        done = CustomResource(
            self,
            "Done",
            resource_type="Custom::ChangeStreams",
            service_token=self.function.function_arn,
            service_timeout=SERVICE_TIMEOUT,
            properties={
                "Database": f"{database.host}:{database.port}",
                "Enable": [COMMAND, "enable", *reader],
                **({"Disable": [COMMAND, "disable", *reader]} if undo else {}),
                "Cluster": self.cluster.cluster_arn,
                "TaskDefinition": self.task.definition.task_definition_arn,
                "Container": CONTAINER,
                "Subnets": subnet_ids,
                "SecurityGroups": [self._service.security_group.security_group_id],
                "LogGroup": self.task.log.log_group_name,
                "LogStreams": self.task.log_streams,
            },
        )
        # What the task needs to be there, and nothing of which names it.
        done.node.add_dependency(database, self.task.execution_role, self._service.security_group, self.function)
        return done
