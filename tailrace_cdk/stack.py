"""The one stack: what there is, how it fits together, and who may do what."""

from collections.abc import Iterable, Sequence
from pathlib import Path

from aws_cdk import Stack
from aws_cdk import aws_iam as iam
from aws_cdk import aws_lambda as lambda_
from constructs import Construct

from tailrace_cdk import grants, outputs, task_grants
from tailrace_cdk.config import Environment
from tailrace_cdk.connections import connect
from tailrace_cdk.denials import Denials
from tailrace_cdk.imported_secret import imported_secret
from tailrace_cdk.key import Key, of_bus
from tailrace_cdk.messaging.bus import EventBus
from tailrace_cdk.messaging.functions import Functions
from tailrace_cdk.messaging.queues import Queues
from tailrace_cdk.messaging.state import State
from tailrace_cdk.monitoring.alarms import Alarms
from tailrace_cdk.monitoring.dashboard import Dashboard
from tailrace_cdk.monitoring.notices import Notices
from tailrace_cdk.removal import removal_policy
from tailrace_cdk.tailing.database import Database
from tailrace_cdk.tailing.enabling import Enabling
from tailrace_cdk.tailing.network import Network
from tailrace_cdk.tailing.service import Service


class TailraceStack(Stack):
    """
    Everything of one environment, ``tailrace-<name>``. Without a database or a MongoDB to watch: the messaging part only.

    ``package`` is the forwarder's zip. No account and no region are named, so the template fits any.
    """

    def __init__(self, scope: Construct, environment: Environment, *, package: Path) -> None:
        super().__init__(scope, f"tailrace-{environment.name}", description=f"Tailrace, {environment.name}")
        self._environment = environment
        self._key = self._own_key() if environment.customer_key else None
        self.queues = Queues(self, "Queues", environment=environment, key=self._key)
        self.state = State(self, "State", environment=environment, key=self._key)
        self.bus = EventBus(self, "Events", environment=environment, key=self._key)
        self.functions = Functions(
            self, "Functions", environment=environment, package=package, settings=self._settings(), key=self._key
        )
        self._grant_messaging()
        self.functions.feed(self.queues.changes)
        self.alarms = self._observe(self.functions.feed_streams(self.state.bucket))
        outputs.of_messaging(self, queues=self.queues, state=self.state, bus=self.bus)
        self._deny(self._watch().task_role if environment.watches else None)

    def _own_key(self) -> Key:
        environment = self._environment
        return Key(self, "Key", removal=removal_policy(environment), more=of_bus(environment.bus, environment.bus_name))

    def _settings(self) -> dict[str, str]:
        """What the functions read from their environment. A setting that is left out is left to the forwarder's default."""
        forwarder = self._environment.forwarder
        settings = {
            "FORWARDER_EVENT_BUS": self.bus.address,
            "FORWARDER_PARKING_QUEUE_URL": self.queues.parking.queue_url,
            "FORWARDER_DEAD_LETTER_QUEUE_URL": self.queues.dead_letters.queue_url,
            "FORWARDER_WATERMARKS": self.state.table.table_name,
            "FORWARDER_CLAIM_BUCKET": self.state.bucket.bucket_name,
            "FORWARDER_ON_POISON": forwarder.on_poison,
            "FORWARDER_SOURCE": forwarder.source,
            "FORWARDER_MAPPERS": forwarder.mappers,
            "FORWARDER_EMF_NAMESPACE": self._environment.namespace,
            "FORWARDER_STREAMS": self._stream_names(),
        }
        return {name: value for name, value in settings.items() if value}

    def _stream_names(self) -> str:
        """The names of all streams; empty if the tailer is outside the stack, because its streams are then unknown."""
        tables = (f"dynamodb.{table.table}" for table in self._environment.forwarder.dynamodb_streams)
        return ",".join([*(stream.name for stream in self._environment.streams), *tables]) if self._environment.streams else ""

    def _observe(self, mappings: Sequence[lambda_.CfnEventSourceMapping]) -> Alarms:
        """The notifications, the alarms and the dashboard. Returns the alarms."""
        environment = self._environment
        notices = Notices(self, "Notices", environment=environment, key=self._key)
        alarms = Alarms(
            self,
            "Alarms",
            environment=environment,
            queues=self.queues,
            functions=self.functions,
            mappings=mappings,
            bus=self.bus,
            notices=notices,
        )
        Dashboard(self, "Dashboard", environment=environment, queues=self.queues, functions=self.functions, alarms=alarms)
        return alarms

    def _watch(self) -> Service:
        """The network, the database if it is ours to make or to name, and the tailer between it and the queue."""
        network = Network(self, "Network", environment=self._environment, key=self._key)
        database = self._database(network)
        service = self._service(network, database)
        connect(service, network, database, self._environment.tailer.mongodb_uri)
        service.service.node.add_dependency(network, *([database] if database else []))  # ways and hosts that nothing names
        for alarm in self.alarms.of_tailers:  # or the first deployment, and each new stream, would begin with an alarm
            alarm.node.add_dependency(service.service)
        enabling = self._enabling(network, database, service) if database else None
        self._grant_tailing(network, service, enabling)
        outputs.of_tailing(self, service=service, subnets=network.subnets, administrator=enabling.task if enabling else None)
        return service

    def _database(self, network: Network) -> Database | None:
        if not self._environment.database:
            return None
        return Database(
            self,
            "Database",
            identifier=self.stack_name,
            settings=self._environment.database,
            vpc=network.vpc,
            subnets=network.subnets,
            key=self._key,
            removal=removal_policy(self._environment),
        )

    def _service(self, network: Network, database: Database | None) -> Service:
        settings, tailer = self._environment.database, self._environment.tailer
        named = settings or tailer
        return Service(
            self,
            "Service",
            environment=self._environment,
            vpc=network.vpc,
            subnets=network.subnets,
            uri=database.uri(iam=settings.authentication == "iam") if database and settings else tailer.mongodb_uri,
            secret=imported_secret(self, "SignIn", named.secret_arn, named.secret_key_arn),
            queue_url=self.queues.changes.queue_url,
            table_name=self.state.table.table_name,
            bucket_name=self.state.bucket.bucket_name,
            key=self._key,
        )

    def _enabling(self, network: Network, database: Database, service: Service) -> Enabling | None:
        """Before the service, where the environment wants it: a tailer finds change streams, or no tailer starts."""
        settings = self._environment.database
        if not settings or not settings.enable_change_streams:
            return None
        enabling = Enabling(
            self,
            "Enabling",
            environment=self._environment,
            settings=settings,
            database=database,
            service=service,
            subnets=network.subnets,
            key=self._key,
        )
        enabling.done.node.add_dependency(network)
        service.service.node.add_dependency(enabling.done)
        return enabling

    def _grant_messaging(self) -> None:
        """Who may do what, in the messaging part."""
        functions, tables = self.functions, self._environment.forwarder.dynamodb_streams
        self._grant(functions.forwarder.role, grants.consuming(self.queues.changes))
        self._grant(functions.forwarder.role, grants.postponing(self.queues.changes))
        self._grant(functions.redrive.role, grants.redriving(self.queues, self.state))
        for function, table in zip(functions.streams, tables, strict=True):
            self._grant(function.role, grants.streaming(table, self.state))
        for function in (functions.forwarder, functions.redrive, *functions.streams):
            self._grant(function.role, grants.publishing(self.bus, self.queues, self.state, self._environment.streams))
            self._grant(function.role, grants.logging(function.log_group))
            self._grant(function.role, grants.encrypting(self._key))
        if functions.scheduling_role:
            self._grant(functions.scheduling_role, grants.scheduling(functions.redrive))
        for delivery in self.bus.deliveries:
            self._grant(delivery.role, grants.delivering(delivery))
            self._grant(delivery.role, grants.encrypting(self._key if delivery.ordered else None))
            for statement in grants.leaving(delivery):
                delivery.undelivered.add_to_resource_policy(statement)
        if unreadable := self.bus.unreadable:
            for statement in grants.setting_aside(unreadable, self.bus):
                unreadable.add_to_resource_policy(statement)
        for statement in grants.fetching(self._environment.bus, self.state):
            self.state.bucket.add_to_resource_policy(statement)

    def _grant_tailing(self, network: Network, service: Service, enabling: Enabling | None) -> None:
        """Who may do what, around the tailer."""
        self._grant(service.task_role, grants.tailing(self.queues, self.state, self._environment.streams))
        self._grant(service.task_role, grants.examining(self.queues, self.bus, self.functions.forwarder))
        self._grant(service.task_role, grants.encrypting(self._key))
        self._grant(service.task.execution_role, task_grants.starting(service.task))
        if network.flow_log and network.flow_log_role:
            self._grant(network.flow_log_role, task_grants.recording_flows(network.flow_log))
        if enabling:
            self._grant(enabling.task.execution_role, task_grants.starting(enabling.task))
            self._grant(enabling.task.execution_role, grants.decrypting(self._key))
            self._grant(enabling.role, task_grants.enabling(enabling))
            self._grant(enabling.role, grants.logging(enabling.log_group))

    def _deny(self, tailer: iam.IRole | None) -> None:
        """Who may not, whatever the account's own policies allow: everybody else."""
        denials = Denials(self.functions, self._environment.people, tailer)
        queues = [
            (self.queues.changes, denials.of_changes(self.queues)),
            (self.queues.parking, denials.of_parking(self.queues)),
            (self.queues.dead_letters, denials.of_dead_letters(self.queues)),
            *((delivery.undelivered, denials.of_undelivered(delivery)) for delivery in self.bus.deliveries),
        ]
        if unreadable := self.bus.unreadable:
            queues.append((unreadable, denials.of_unreadable(unreadable.queue_arn)))
        for queue, statements in queues:
            for statement in statements:
                queue.add_to_resource_policy(statement)
        for statement in denials.of_table():
            self.state.table.add_to_resource_policy(statement)
        for statement in denials.of_bucket(self.state, self._environment.bus, self._environment.streams):
            self.state.bucket.add_to_resource_policy(statement)
        self.bus.deny(denials.of_bus(self.bus.arn, ordered=self.bus.ordered))

    def _grant(self, role: iam.IRole | None, statements: Iterable[iam.PolicyStatement]) -> None:
        for statement in statements:
            if role:  # of a function, which always has one of ours
                role.add_to_principal_policy(statement)
