"""The stack: its parts, how they are connected, and what each role may do."""

from collections.abc import Iterable, Sequence
from pathlib import Path

from aws_cdk import Stack
from aws_cdk import aws_dynamodb as dynamodb
from aws_cdk import aws_iam as iam
from aws_cdk import aws_lambda as lambda_
from aws_cdk import aws_s3 as s3
from aws_cdk import aws_sqs as sqs
from constructs import Construct

from tailrace_cdk import grants, outputs, task_grants
from tailrace_cdk.config import Environment
from tailrace_cdk.denials import Denials
from tailrace_cdk.key import Key, of_bus
from tailrace_cdk.messaging.bus import EventBus
from tailrace_cdk.messaging.functions import Functions
from tailrace_cdk.messaging.queues import Queues
from tailrace_cdk.messaging.state import State
from tailrace_cdk.monitoring.alarms import Alarms
from tailrace_cdk.monitoring.dashboard import Dashboard
from tailrace_cdk.monitoring.notices import Notices
from tailrace_cdk.removal import apply_removal_policy
from tailrace_cdk.tailing.connections import connect
from tailrace_cdk.tailing.database import Database
from tailrace_cdk.tailing.enabling import Enabling
from tailrace_cdk.tailing.imported_secret import imported_secret
from tailrace_cdk.tailing.network import Network
from tailrace_cdk.tailing.service import Service


class TailraceStack(Stack):
    """
    The stack ``tailrace-<name>`` of one environment. Without a database or a MongoDB to watch it has the messaging part only.

    ``package`` is the forwarder's zip. The template names no account and no region, so it fits any.
    """

    def __init__(self, scope: Construct, environment: Environment, *, package: Path) -> None:
        super().__init__(scope, f"tailrace-{environment.name}", description=f"Tailrace, {environment.name}")
        self._environment = environment
        bus_users = of_bus(environment.bus, environment.bus_name)
        self._key = Key(self, "Key", more=bus_users) if environment.customer_key else None
        self.queues = Queues(self, "Queues", environment=environment, key=self._key)
        self.state = State(self, "State", environment=environment, key=self._key)
        self.bus = EventBus(self, "Events", environment=environment, key=self._key)
        self.functions = Functions(
            self, "Functions", environment=environment, package=package, settings=self._settings(), key=self._key
        )
        self._grant_messaging()
        self.functions.feed(self.queues.changes)
        self.alarms = self._monitor(self.functions.feed_streams(self.state.bucket))
        outputs.of_messaging(self, queues=self.queues, state=self.state, bus=self.bus)
        self._deny(self._tail().task.role if environment.watches else None)
        apply_removal_policy(self, environment)

    def _settings(self) -> dict[str, str]:
        """Return the variables of the functions. An empty setting is left out: the forwarder has its own default."""
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
        """Return the names of all streams; empty if the tailer is outside the stack, because its streams are then unknown."""
        tables = (f"dynamodb.{table.table}" for table in self._environment.forwarder.dynamodb_streams)
        return ",".join([*(stream.name for stream in self._environment.streams), *tables]) if self._environment.streams else ""

    def _monitor(self, mappings: Sequence[lambda_.CfnEventSourceMapping]) -> Alarms:
        environment, queues, functions = self._environment, self.queues, self.functions
        notices = Notices(self, "Notices", environment=environment, key=self._key)
        alarms = Alarms(
            self,
            "Alarms",
            environment=environment,
            queues=queues,
            functions=functions,
            mappings=mappings,
            bus=self.bus,
            notices=notices,
        )
        Dashboard(self, "Dashboard", environment=environment, queues=queues, functions=functions, alarms=alarms)
        return alarms

    def _tail(self) -> Service:
        environment = self._environment
        network = Network(self, "Network", environment=environment, key=self._key)
        database = self._database(network)
        service = self._service(network, database)
        connect(service, network, database, environment.tailer.mongodb_uri)
        service.service.node.add_dependency(network, *([database] if database else []))  # routes and hosts, named by nothing
        for alarm in self.alarms.of_tailers:  # else the first deployment and each new stream would begin with an alarm
            alarm.node.add_dependency(service.service)
        enabling = None
        if database and database.settings.enable_change_streams:
            enabling = Enabling(
                self, "Enabling", environment=environment, network=network, database=database, service=service, key=self._key
            )
            service.service.node.add_dependency(enabling.done)  # if it fails, no tailer starts
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
            network=network,
            key=self._key,
            protected=self._environment.removal == "retain",
        )

    def _service(self, network: Network, database: Database | None) -> Service:
        tailer = self._environment.tailer
        settings = database.settings if database else tailer
        return Service(
            self,
            "Service",
            environment=self._environment,
            network=network,
            queues=self.queues,
            state=self.state,
            uri=database.uri(iam=database.settings.authentication == "iam") if database else tailer.mongodb_uri,
            sign_in=imported_secret(self, "SignIn", settings.secret_arn, settings.secret_key_arn),
            key=self._key,
        )

    def _grant_messaging(self) -> None:
        functions, tables = self.functions, self._environment.forwarder.dynamodb_streams
        _grant(functions.forwarder.role, grants.consuming(self.queues.changes))
        _grant(functions.redrive.role, grants.redriving(self.queues, self.state))
        for function, table in zip(functions.streams, tables, strict=True):
            _grant(function.role, grants.streaming(table, self.state))
        for function in (functions.forwarder, functions.redrive, *functions.streams):
            _grant(function.role, grants.publishing(self.bus, self.queues, self.state, self._environment.streams))
            _grant(function.role, grants.logging(function.log_group))
            _grant(function.role, grants.using_key(self._key))
        if functions.scheduling_role:
            _grant(functions.scheduling_role, grants.scheduling(functions.redrive))
        for delivery in self.bus.deliveries:
            _grant(delivery.role, grants.delivering(delivery))
            _grant(delivery.role, grants.using_key(self._key if delivery.ordered else None))
            _add(delivery.undelivered, grants.leaving(delivery))
        if unreadable := self.bus.unreadable:
            _add(unreadable, grants.setting_aside(unreadable, self.bus))
        _add(self.state.bucket, grants.fetching(self._environment.bus, self.state))

    def _grant_tailing(self, network: Network, service: Service, enabling: Enabling | None) -> None:
        _grant(service.task.role, grants.tailing(self.queues, self.state, self._environment.streams))
        _grant(service.task.role, grants.examining(self.queues, self.bus, self.functions.forwarder))
        _grant(service.task.role, grants.using_key(self._key))
        _grant(service.task.execution_role, task_grants.starting(service.task))
        if network.flow_log and network.flow_log_role:
            _grant(network.flow_log_role, task_grants.recording_flows(network.flow_log))
        if enabling:
            _grant(enabling.task.execution_role, task_grants.starting(enabling.task))
            _grant(enabling.task.execution_role, grants.using_key(self._key, write=False))
            _grant(enabling.role, task_grants.enabling(enabling))
            _grant(enabling.role, grants.logging(enabling.log_group))

    def _deny(self, tailer: iam.IRole | None) -> None:
        denials = Denials(self.functions, self._environment.people, tailer)
        _add(self.queues.changes, denials.of_changes(self.queues))
        _add(self.queues.parking, denials.of_parking(self.queues))
        _add(self.queues.dead_letters, denials.of_dead_letters(self.queues))
        for delivery in self.bus.deliveries:
            _add(delivery.undelivered, denials.of_undelivered(delivery))
        if unreadable := self.bus.unreadable:
            _add(unreadable, denials.of_unreadable(unreadable.queue_arn))
        _add(self.state.table, denials.of_table())
        _add(self.state.bucket, denials.of_bucket(self.state, self._environment.bus, self._environment.streams))
        self.bus.deny(denials.of_bus(self.bus.arn, ordered=self.bus.ordered))


def _grant(role: iam.IRole | None, statements: Iterable[iam.PolicyStatement]) -> None:
    """Give the role these rights. A function of the stack always has a role."""
    for statement in statements:
        if role:
            role.add_to_principal_policy(statement)


def _add(resource: sqs.Queue | dynamodb.Table | s3.Bucket, statements: Iterable[iam.PolicyStatement]) -> None:
    for statement in statements:
        resource.add_to_resource_policy(statement)
