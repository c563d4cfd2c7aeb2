"""What the domains need in AWS, as a stack of the CDK; in production each domain has its own stack, in its own account."""

import json

import tailrace_cdk  # noqa: F401 - before aws_cdk, so that the CDK runs on the Node.js of tailrace[cdk]

# isort: split
from aws_cdk import App, BootstraplessSynthesizer, Duration, Stack
from aws_cdk import aws_events_targets as targets
from aws_cdk.aws_dynamodb import Attribute, AttributeType, StreamViewType, Table
from aws_cdk.aws_events import EventBus, EventPattern, IEventBus, Rule, Schedule
from aws_cdk.aws_lambda import Code, Function, Runtime, StartingPosition
from aws_cdk.aws_lambda_event_sources import DynamoEventSource, SqsDlq
from aws_cdk.aws_s3 import Bucket
from aws_cdk.aws_sqs import DeadLetterQueue, Queue

BUS_OF = {"SubscriptionCreated": "subscriptions", "PaymentCancelled": "payments"}
HANDLED = {"subscriptions": ["PaymentCancelled"], "stock": [*BUS_OF], "payments": ["SubscriptionCreated"]}


class Account(Stack):
    """
    Each domain owns a bus. An event that another domain wants goes from bus to bus, and then to the domain's queue. ``key`` is
    the zip of ``tailrace package`` in ``bucket``. The bus of the payments belongs to the deployment of their tailer.
    """

    def __init__(self, app: App, bucket: str, key: str, orders_settings: dict[str, str]) -> None:
        super().__init__(app, "razors", synthesizer=BootstraplessSynthesizer())
        self._code = Code.from_bucket(Bucket.from_bucket_name(self, "Code", bucket), key)
        self._dead = Queue(self, "Dead")  # what fails for good
        self._buses: dict[str, IEventBus] = {"payments": EventBus.from_event_bus_name(self, "payments", "razors-payments")}
        for domain in ("subscriptions", "stock", "orders"):
            self._buses[domain] = EventBus(self, domain, event_bus_name=f"razors-{domain}")
        for domain, events in HANDLED.items():
            self._inbox(domain, events)
        for notes in ("stock", "handled"):
            self._table(notes, "id")
        self._published("subscriptions", "subscriptionId", {})
        parking = self._published("orders", "orderId", {"FORWARDER_ON_OUTAGE": "park"} | orders_settings)
        redrive = self._function("orders", "redrive", parking, orders_settings)
        parking.grant_consume_messages(redrive)
        Rule(self, "Schedule", schedule=Schedule.rate(Duration.minutes(1)), targets=[targets.LambdaFunction(redrive)])

    def _inbox(self, domain: str, events: list[str]) -> None:
        """The queue of a domain, the rule of the domain's bus for it, and the rules of the buses that its events come from."""
        dead, visible = DeadLetterQueue(queue=self._dead, max_receive_count=20), Duration.seconds(5)
        queue = Queue(self, f"{domain}Queue", queue_name=f"razors-{domain}", visibility_timeout=visible, dead_letter_queue=dead)
        inbox = targets.SqsQueue(queue, dead_letter_queue=self._dead)
        to_bus = targets.EventBus(self._buses[domain], dead_letter_queue=self._dead)
        pattern = EventPattern(detail_type=events)
        Rule(self, f"{domain}Inbox", event_bus=self._buses[domain], event_pattern=pattern, targets=[inbox])
        for event in events:
            pattern = EventPattern(detail_type=[event])
            Rule(self, f"{event}To{domain}", event_bus=self._buses[BUS_OF[event]], event_pattern=pattern, targets=[to_bus])

    def _table(self, name: str, key: str, stream: StreamViewType | None = None) -> Table:
        partition_key = Attribute(name=key, type=AttributeType.STRING)
        return Table(self, f"{name}Table", table_name=f"razors-{name}", partition_key=partition_key, stream=stream)

    def _published(self, domain: str, key: str, settings: dict[str, str]) -> Queue:
        """A table, the function that publishes its stream, and the queue for what it parks."""
        parking = Queue(self, f"{domain}Parking", fifo=True, queue_name=f"razors-{domain}-parking.fifo")
        source = DynamoEventSource(
            self._table(domain, key, StreamViewType.NEW_AND_OLD_IMAGES),
            starting_position=StartingPosition.TRIM_HORIZON,
            bisect_batch_on_error=True,
            max_record_age=Duration.hours(23),  # a stream keeps its records for 24 hours
            report_batch_item_failures=True,
            on_failure=SqsDlq(self._dead),  # in production an S3 bucket, which keeps the records too
        )
        self._function(domain, "dynamodb", parking, settings).add_event_source(source)
        return parking

    def _function(self, domain: str, handler: str, parking: Queue, settings: dict[str, str]) -> Function:
        bus = self._buses[domain]
        own = {"FORWARDER_EVENT_BUS": bus.event_bus_name, "FORWARDER_PARKING_QUEUE_URL": parking.queue_url}
        function = Function(
            self,
            f"{domain}{handler}",
            function_name=f"razors-{domain}-{handler}",
            runtime=Runtime.PYTHON_3_13,
            code=self._code,
            handler=f"lambda_forwarder.handlers.{handler}.handler",
            timeout=Duration.seconds(6),
            environment=settings | own | {"FORWARDER_MAPPERS": "razors.events:MAPPERS", "FORWARDER_WATERMARKS": "off"},
        )
        bus.grant_put_events_to(function)
        parking.grant_send_messages(function)
        return function


def template(bucket: str, key: str, orders_settings: dict[str, str]) -> str:
    """Return the stack as CloudFormation reads it."""
    app = App()
    Account(app, bucket, key, orders_settings)
    return json.dumps(app.synth().get_stack_by_name("razors").template)
