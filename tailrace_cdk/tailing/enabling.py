"""The step of a deployment that enables change streams."""

from pathlib import Path

from aws_cdk import CustomResource, Duration
from aws_cdk import aws_iam as iam
from aws_cdk import aws_kms as kms
from aws_cdk import aws_lambda as lambda_
from aws_cdk import aws_secretsmanager as secretsmanager
from constructs import Construct

from tailrace_cdk.config import Environment
from tailrace_cdk.log_group import LogGroup
from tailrace_cdk.policies import service_principal
from tailrace_cdk.tailing.database import Database
from tailrace_cdk.tailing.network import Network
from tailrace_cdk.tailing.service import Service
from tailrace_cdk.tailing.task import CONTAINER, Task

FUNCTION = Path(__file__).parent / "enabling_function" / "handler.py"
TIMEOUT = Duration.minutes(15)  # Lambda's longest: a task pulls its image first, and has three attempts
SERVICE_TIMEOUT = Duration.minutes(16)  # if the function could not respond at all; without it a deployment waits for an hour
COMMAND = "change-streams"


class Enabling(Construct):
    """
    A task that runs ``tailer change-streams enable`` as the cluster's administrator, and the function that runs the task for
    CloudFormation: in the first deployment, and whenever its image, its streams or its database changed. Resources that depend
    on ``done`` are made after it succeeded.

    An update never disables change streams. Removing the step does so only if ``disable_change_streams`` is set.
    """

    def __init__(
        self,
        scope: Construct,
        id: str,
        *,
        environment: Environment,
        network: Network,
        database: Database,
        service: Service,
        key: kms.IKey | None,
    ) -> None:
        super().__init__(scope, id)
        self._environment = environment
        self._service = service
        self.log_group = LogGroup(self, "Log", days=environment.tailer.log_days, key=key)
        self.role = iam.Role(self, "Role", assumed_by=service_principal("lambda"))
        self.function = self._function()
        self.cluster = service.cluster
        self.identifier = database.identifier
        """The DocumentDB cluster whose secret the function finds; empty if the settings name the secret."""
        self.admin_secret = database.admin_secret or self._found_secret(database)
        self.task = Task(
            self,
            "Task",
            environment=environment,
            family=f"tailrace-{environment.name}-{COMMAND}",
            image=service.image,
            command=[COMMAND, "show"],  # changes nothing; the function overrides it
            settings={**service.settings, "TAILER_MONGODB_URI": database.uri(iam=False)},
            sign_in=self.admin_secret,
            log=service.log_group,
        )
        self.done = self._done(database, network)

    def _function(self) -> lambda_.Function:
        return lambda_.Function(
            self,
            "Function",
            description=f"Tailrace {self._environment.name}: enables change streams for CloudFormation",
            runtime=lambda_.Runtime.PYTHON_3_14,  # with its own boto3: the code is one file
            architecture=lambda_.Architecture.ARM_64,
            handler="index.handler",
            code=lambda_.Code.from_inline(FUNCTION.read_text()),
            role=self.role,
            memory_size=256,
            timeout=TIMEOUT,
            retry_attempts=0,  # the function responds to every request, also to one that failed
            log_group=self.log_group,
            logging_format=lambda_.LoggingFormat.JSON,
        )

    def _found_secret(self, database: Database) -> secretsmanager.ISecret:
        """Return the administrator's secret: CloudFormation creates it with the cluster, but does not return its name."""
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

    def _done(self, database: Database, network: Network) -> CustomResource:
        reader = ["--reader", self._service.task.role.role_arn] if database.iam else []
        is_deleted = bool(database.identifier) and self._environment.removal == "destroy"  # with its change streams
        disable = database.settings.disable_change_streams and not is_deleted
        done = CustomResource(
            self,
            "Done",
            resource_type="Custom::ChangeStreams",
            service_token=self.function.function_arn,
            service_timeout=SERVICE_TIMEOUT,
            properties={
                "Database": database.address,
                "Enable": [COMMAND, "enable", *reader],
                **({"Disable": [COMMAND, "disable", *reader]} if disable else {}),
                "Cluster": self.cluster.cluster_arn,
                "TaskDefinition": self.task.definition.task_definition_arn,
                "Container": CONTAINER,
                "Subnets": [subnet.subnet_id for subnet in network.subnets.subnets or []],
                "SecurityGroups": [group.security_group_id for group in self._service.security_groups],
                "LogGroup": self.task.log.log_group_name,
                "LogStreams": self.task.log_streams,
            },
        )
        # The task needs these, and its properties name none of them.
        done.node.add_dependency(network, database, self.task.execution_role, *self._service.security_groups, self.function)
        return done
