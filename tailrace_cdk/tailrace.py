"""Tailrace as a construct, for a stack of an app of one's own."""

from collections.abc import Iterable, Sequence
from dataclasses import replace
from pathlib import Path
from typing import Literal, Unpack

from aws_cdk import aws_events as events
from aws_cdk import aws_kms as kms
from aws_cdk import aws_lambda as lambda_
from constructs import Construct

from tailrace.packaging import Catalogue, Package, package_of
from tailrace.project import Project, load
from tailrace_cdk import arguments, rights, ungranted
from tailrace_cdk.config import Alarms, Bus, Database, Forwarder, Network, People, Stream, Tailer
from tailrace_cdk.existing import Existing
from tailrace_cdk.key import Key, not_added, of_alarms, of_bus, of_readers, of_services
from tailrace_cdk.messaging.code import FunctionCode, code_of
from tailrace_cdk.messaging.messaging import Messaging
from tailrace_cdk.monitoring.monitoring import Monitoring
from tailrace_cdk.parts import Parts
from tailrace_cdk.project_environment import settings_of
from tailrace_cdk.removal import apply_removal_policy
from tailrace_cdk.tailing.tailing import Tailing


class Tailrace(Parts):
    """
    All of Tailrace: queues, table, bucket, bus, functions, alarms, and the tailer with its network and database.

    The settings are those of an environment's file, with the same names and defaults (``tailrace_cdk.config``). In place of a
    part that Tailrace would make, an existing one can be given (``tailrace_cdk.existing.Existing``, and ``bus``). Without a
    database or a MongoDB to watch there is the messaging part only: no network, no service.

    ``package`` is what ``tailrace.packaging.package_of`` returns, a finished zip, the folder of an image, code of the CDK, or
    the URI of an image in ECR with its digest, which may be a token. By default it is built from the project whose
    ``tailrace.toml`` is in the current folder or above; that fails if ``mappers`` do not start in Lambda.
    The schemas of the events are registered if ``package`` or ``catalogue`` describes them; a finished zip does not.

    ``mappers`` is a shorthand for ``forwarder.mappers``. ``name`` is a part of the physical names. By default it is made of the
    names of the stack and the construct, so that no two are the same.
    """

    def __init__(
        self,
        scope: Construct,
        id: str,
        *,
        package: Package | Path | lambda_.Code | str | None = None,
        catalogue: Catalogue | None = None,
        streams: Sequence[Stream] = (),
        mappers: str = "",
        name: str = "",
        removal: Literal["retain", "destroy"] = "retain",
        customer_key: bool = False,
        network: Network | None = None,
        database: Database | None = None,
        tailer: Tailer | None = None,
        forwarder: Forwarder | None = None,
        bus: Bus | events.IEventBus | None = None,
        people: People | None = None,
        alarms: Alarms | None = None,
        **existing: Unpack[Existing],
    ) -> None:
        super().__init__(scope, id)
        if package is None:
            project = load()
            mappers = mappers or project.mappers
            package = package_of(replace(project, mappers=mappers))
        if isinstance(package, Package):
            catalogue, package = package.catalogue, package.path
        if catalogue and not (forwarder and forwarder.mappers):
            mappers = mappers or catalogue.mappers
        made_bus = bus if isinstance(bus, Bus) else None
        tables = {
            "name": name,
            "removal": removal,
            "customer_key": customer_key,
            "network": network,
            "database": database,
            "streams": tuple(streams),
            "tailer": tailer,
            "mappers": mappers,
            "forwarder": forwarder,
            "bus": made_bus,
            "people": people,
            "alarms": alarms,
        }
        self.environment = arguments.environment(self, tables, existing)
        """The settings, checked and with their defaults."""
        self._existing = existing
        self._existing_bus = None if isinstance(bus, Bus) else bus
        self._make(code_of(package), catalogue)

    @classmethod
    def of_project(
        cls,
        scope: Construct,
        id: str,
        environment: str,
        *,
        project: Project | None = None,
        package: Package | Path | None = None,
        bus: events.IEventBus | None = None,
        **existing: Unpack[Existing],
    ) -> "Tailrace":
        """
        Make an environment of a project's ``tailrace.toml``: by default of the one in the current folder, or above it.

        By default the package is built and checked here, so an app that synthesises has mappers that start.

        Raises:
            Misconfigured: a setting is wrong, or the mappers do not start in Lambda.
        """
        project = project or load()
        defaults = {"network": arguments.ROUTED} if arguments.has_network(existing) else {}
        tables = dict(settings_of(project, environment, **defaults)) | {"name": ""} | ({"bus": bus} if bus else {})
        return cls(scope, id, package=package or package_of(project), **tables, **existing)

    def _make(self, code: FunctionCode, catalogue: Catalogue | None) -> None:
        environment, existing = self.environment, self._existing
        readers = environment.bus.readers if self._existing_bus is None else {self._existing_bus.env.account: ()}
        self.key = self._key(readers)
        """The KMS key that encrypts everything, if there is one."""
        self._messaging = Messaging(
            self,
            environment=environment,
            code=code,
            key=self.key,
            bus=self._existing_bus,
            readers=readers,
            existing=existing,
            catalogue=catalogue,
        )
        self._bus = self._existing_bus or events.EventBus.from_event_bus_arn(self, "Published", self.bus_arn)
        rights.grant_messaging(self._messaging, environment, existing)
        streams = self._messaging.feed()
        self._monitoring = Monitoring(
            self,
            environment=environment,
            messaging=self._messaging,
            streams=streams,
            key=self.key,
            topic=existing.get("alarm_topic"),
        )
        self.tailing = self._tail() if environment.watches else None
        rights.deny_others(self._messaging, environment, self.tailing.role if self.tailing else None, existing)
        apply_removal_policy(self, environment)
        if (topic := existing.get("alarm_topic")) and topic.master_key:
            ungranted.warn_of_key(self, "alarm_topic", not_added(topic.master_key, [of_alarms()]))
        ungranted.warn(self, self._messaging, self._existing_bus)

    def _key(self, readers: Iterable[str]) -> kms.IKey | None:
        ours = self.environment.bus, self.environment.bus_name
        more = [*(of_bus(*ours) if self._existing_bus is None else ()), *of_readers(readers)]
        if key := self._existing.get("key"):
            ungranted.warn_of_key(self, "key", not_added(key, [*of_services(), *more]))
            return key
        return Key(self, "Key", more=more) if self.environment.customer_key else None

    def _tail(self) -> Tailing:
        tailing = Tailing(
            self,
            environment=self.environment,
            queues=self._messaging.queues,
            state=self._messaging.state,
            key=self.key,
            existing=self._existing,
        )
        for (
            alarm
        ) in self._monitoring.alarms.of_tailers:  # else the first deployment and each new stream would begin with an alarm
            alarm.node.add_dependency(tailing.service.service)
        rights.grant_tailing(tailing, self._messaging, self.environment, self.key)
        return tailing
