"""The messaging part: queues, state, bus, and the functions between them."""

from collections.abc import Mapping, Sequence

from aws_cdk import aws_events as events
from aws_cdk import aws_kms as kms
from aws_cdk import aws_lambda as lambda_
from constructs import Construct

from tailrace.packaging import Catalogue
from tailrace_cdk.config import Environment
from tailrace_cdk.existing import Existing
from tailrace_cdk.messaging.bus import EventBus
from tailrace_cdk.messaging.code import FunctionCode
from tailrace_cdk.messaging.functions import Functions
from tailrace_cdk.messaging.queues import Queues
from tailrace_cdk.messaging.state import State


class Messaging:
    """Queues, state, bus and functions: parts of ``scope``. No function has a right or an event source yet."""

    def __init__(
        self,
        scope: Construct,
        *,
        environment: Environment,
        code: FunctionCode,
        key: kms.IKey | None,
        bus: events.IEventBus | None,
        readers: Mapping[str, Sequence[str]],
        existing: Existing,
        catalogue: Catalogue | None,
    ) -> None:
        self._environment = environment
        self.readers = readers
        """The accounts that get events, and the names of the events that each gets; none are all."""
        self.queues = Queues(
            scope,
            "Queues",
            environment=environment,
            key=key,
            changes=existing.get("changes_queue"),
            dead_letters=existing.get("dead_letter_queue"),
        )
        self.state = State(
            scope,
            "State",
            environment=environment,
            key=key,
            table=existing.get("table"),
            bucket=existing.get("claim_bucket"),
        )
        self.bus = EventBus(scope, "Events", environment=environment, key=key, existing=bus, catalogue=catalogue)
        self.functions = Functions(
            scope,
            "Functions",
            environment=environment,
            code=code,
            settings=self._settings(),
            key=key,
            log_group=existing.get("log_group"),
        )

    @property
    def keys(self) -> Sequence[kms.IKey]:
        """The KMS keys of queues, table and bucket, each once."""
        queues, state = self.queues, self.state
        used = [queue.encryption_master_key for queue in (queues.changes, queues.dead_letters, queues.parking)]
        used += [state.table.encryption_key, state.bucket.encryption_key]
        used += [state.last_states.encryption_key] if state.last_states else []
        return list({key.key_arn: key for key in used if key}.values())

    def feed(self) -> Sequence[lambda_.CfnEventSourceMapping]:
        """Have the queue and the DynamoDB streams invoke their functions. Return the event sources of the streams."""
        self.functions.feed(self.queues.changes)
        return self.functions.feed_streams(self.state.bucket)

    def _settings(self) -> dict[str, str]:
        """Return the variables of the functions. An empty setting is left out: the forwarder has its own default."""
        forwarder = self._environment.forwarder
        settings = {
            "FORWARDER_EVENT_BUS": self.bus.address,
            "FORWARDER_PARKING_QUEUE_URL": self.queues.parking.queue_url,
            "FORWARDER_DEAD_LETTER_QUEUE_URL": self.queues.dead_letters.queue_url,
            "FORWARDER_WATERMARKS": self.state.table.table_name,
            "FORWARDER_LAST_STATES": self.state.last_states.table_name if self.state.last_states else "",
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
