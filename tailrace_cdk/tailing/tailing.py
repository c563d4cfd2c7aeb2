"""The tailer with its network and its database, and how they are connected."""

from aws_cdk import aws_ec2 as ec2
from aws_cdk import aws_iam as iam
from aws_cdk import aws_kms as kms
from constructs import Construct

from tailrace_cdk.config import Environment
from tailrace_cdk.existing import Existing
from tailrace_cdk.messaging.queues import Queues
from tailrace_cdk.messaging.state import State
from tailrace_cdk.tailing.connections import connect
from tailrace_cdk.tailing.database import Database
from tailrace_cdk.tailing.enabling import Enabling
from tailrace_cdk.tailing.imported_secret import imported_secret
from tailrace_cdk.tailing.network import Network
from tailrace_cdk.tailing.service import Service


class Tailing:
    """Network, database, service, and the step that enables change streams if the database needs it. Parts of ``scope``."""

    def __init__(
        self,
        scope: Construct,
        *,
        environment: Environment,
        queues: Queues,
        state: State,
        key: kms.IKey | None,
        existing: Existing,
    ) -> None:
        self._scope = scope
        self._environment = environment
        self._key = key
        self._existing = existing
        self.network = Network(
            scope, "Network", environment=environment, key=key, vpc=_vpc(existing), subnets=existing.get("subnets", ())
        )
        self.database = self._database()
        self.service = self._service(queues, state)
        connect(self.service, self.network, self.database, environment.tailer.mongodb_uri)
        # Routes and hosts, which no property names.
        self.service.service.node.add_dependency(self.network, *([self.database] if self.database else []))
        self.enabling = self._enabling()

    @property
    def role(self) -> iam.IRole:
        """The role of the tailer."""
        return self.service.task.role

    def _database(self) -> Database | None:
        if not self._environment.database:
            return None
        return Database(
            self._scope,
            "Database",
            identifier=f"tailrace-{self._environment.name}",
            settings=self._environment.database,
            network=self.network,
            key=self._key,
            protected=self._environment.removal == "retain",
            existing=self._existing,
        )

    def _service(self, queues: Queues, state: State) -> Service:
        tailer, database = self._environment.tailer, self.database
        elsewhere = self._existing.get("mongodb_secret") or imported_secret(
            self._scope, "SignIn", tailer.secret_arn, tailer.secret_key_arn
        )
        return Service(
            self._scope,
            "Service",
            environment=self._environment,
            network=self.network,
            queues=queues,
            state=state,
            uri=database.uri(iam=database.iam) if database else tailer.mongodb_uri,
            sign_in=database.sign_in if database else elsewhere,
            key=self._key,
            existing=self._existing,
        )

    def _enabling(self) -> Enabling | None:
        if not (self.database and self.database.settings.enable_change_streams):
            return None
        enabling = Enabling(
            self._scope,
            "Enabling",
            environment=self._environment,
            network=self.network,
            database=self.database,
            service=self.service,
            key=self._key,
        )
        self.service.service.node.add_dependency(enabling.done)  # if it fails, no tailer starts
        return enabling


def _vpc(existing: Existing) -> ec2.IVpc | None:
    cluster = existing.get("cluster")
    return existing.get("vpc") or (cluster.vpc if cluster else None)
