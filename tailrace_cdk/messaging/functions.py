"""The forwarder's functions, what feeds them and what wakes them: one zip, three handlers."""

from collections.abc import Mapping
from pathlib import Path

from aws_cdk import Duration
from aws_cdk import aws_iam as iam
from aws_cdk import aws_kms as kms
from aws_cdk import aws_lambda as lambda_
from aws_cdk import aws_s3 as s3
from aws_cdk import aws_scheduler as scheduler
from aws_cdk import aws_sqs as sqs
from constructs import Construct

from tailrace_cdk import trust
from tailrace_cdk.config import Environment, StreamTable
from tailrace_cdk.log_group import LogGroup
from tailrace_cdk.removal import removal_policy

BATCH = 10  # messages, Lambda, the most that a FIFO mapping takes
RECORDS = 100  # of a DynamoDB stream in a batch
RECORD_AGE = 82_800  # seconds: an hour before the stream itself forgets, what failed until then is kept whole in the bucket
TIMEOUT_LIMIT = 900  # seconds, Lambda
STREAMS_FAILED = "aws/lambda/"  # where Lambda itself puts such records


class Functions(Construct):
    """
    ``forwarder`` behind the queue of changes, ``redrive`` on a schedule, and one of ``streams`` for each DynamoDB stream.

    ``settings`` is the environment of all of them. Their rights are in ``tailrace_cdk.grants``.
    """

    def __init__(
        self,
        scope: Construct,
        id: str,
        *,
        environment: Environment,
        package: Path,
        settings: Mapping[str, str],
        key: kms.IKey | None,
    ) -> None:
        super().__init__(scope, id)
        self._environment = environment
        self._code = lambda_.Code.from_asset(str(package))
        self._settings = settings
        self._key = key
        forwarder = environment.forwarder
        self.forwarder = self._function("Forwarder", "lambda_forwarder.handlers.sqs.handler", forwarder.timeout)
        self.redrive = self._function(
            "Redrive",
            "lambda_forwarder.handlers.redrive.handler",
            min(TIMEOUT_LIMIT, 60 * forwarder.redrive_minutes or TIMEOUT_LIMIT),
            reserved=1 if forwarder.reserve_redrive else None,  # two at once could take a document's changes from two queues
        )
        self.streams = [self._streams(table) for table in forwarder.dynamodb_streams]
        self.scheduling_role: iam.Role | None = self._schedule(forwarder.redrive_minutes) if forwarder.redrive_minutes else None

    def feed(self, changes: sqs.IQueue) -> lambda_.EventSourceMapping:
        """Let the queue of changes invoke the forwarder: only the messages that failed come again."""
        return lambda_.EventSourceMapping(
            self,
            "Mapping",
            target=self.forwarder,
            event_source_arn=changes.queue_arn,
            batch_size=BATCH,
            max_concurrency=self._environment.forwarder.max_concurrency,
            report_batch_item_failures=True,
        )

    def feed_streams(self, failed: s3.IBucket) -> list[lambda_.CfnEventSourceMapping]:
        """
        Let each DynamoDB stream invoke its function. Records that cannot be published before the stream forgets them are
        kept in the bucket, whole, under ``STREAMS_FAILED``.
        """
        tables = zip(self.streams, self._environment.forwarder.dynamodb_streams, strict=True)
        return [self._feed_stream(*one, failed) for one in tables]

    def _feed_stream(self, function: lambda_.Function, table: StreamTable, failed: s3.IBucket) -> lambda_.CfnEventSourceMapping:
        mapping = lambda_.CfnEventSourceMapping(
            self,
            f"StreamMapping-{table.table}",  # a table's own, whichever others come and go
            function_name=function.function_name,
            event_source_arn=table.stream_arn,
            starting_position=table.start,
            batch_size=RECORDS,
            bisect_batch_on_function_error=True,
            function_response_types=["ReportBatchItemFailures"],
            maximum_record_age_in_seconds=RECORD_AGE,
            maximum_retry_attempts=-1,  # until then
            destination_config={"onFailure": {"destination": failed.bucket_arn}},
            metrics_config={"metrics": ["EventCount"]},  # without it no metric shows that records were given up
        )
        mapping.node.add_dependency(function)  # and so its permissions, which Lambda checks
        return mapping

    def _streams(self, table: StreamTable) -> lambda_.Function:
        handler = "lambda_forwarder.handlers.dynamodb.handler"
        own = {"FORWARDER_ON_OUTAGE": table.on_outage}
        return self._function(f"Stream-{table.table}", handler, self._environment.forwarder.timeout, own=own)

    def _function(
        self, name: str, handler: str, timeout: int, *, own: Mapping[str, str] | None = None, reserved: int | None = None
    ) -> lambda_.Function:
        """``timeout`` in seconds. The role begins without any right."""
        forwarder = self._environment.forwarder
        removal = removal_policy(self._environment)
        return lambda_.Function(
            self,
            name,
            description=f"Tailrace {self._environment.name}: {handler.split('.')[-2]}",
            runtime=lambda_.Runtime.PYTHON_3_13,  # infra.package's, like the architecture
            architecture=lambda_.Architecture.ARM_64,
            handler=handler,
            code=self._code,
            role=iam.Role(self, f"{name}Role", assumed_by=trust.service("lambda")),
            memory_size=forwarder.memory,
            timeout=Duration.seconds(timeout),
            reserved_concurrent_executions=reserved,
            environment={**self._settings, **(own or {})},
            log_group=LogGroup(self, f"{name}Log", days=forwarder.log_days, key=self._key, removal=removal),
            logging_format=lambda_.LoggingFormat.JSON,
            application_log_level_v2=lambda_.ApplicationLogLevel.INFO,
            system_log_level_v2=lambda_.SystemLogLevel.INFO,
        )

    def _schedule(self, minutes: int) -> iam.Role:
        """Wake redrive every so many minutes, as the role that is returned. What it misses is made up for the next time."""
        once = Duration.minutes(1)  # then it is no use any more
        lambda_.EventInvokeConfig(self, "Once", function=self.redrive, retry_attempts=0, max_event_age=once)
        role = iam.Role(
            self,
            "ScheduleRole",
            assumed_by=trust.service(
                "scheduler", source="scheduler:schedule-group/default"
            ),  # it names a group, not a schedule
        )
        schedule = scheduler.CfnSchedule(
            self,
            "Schedule",
            description="Publish again what was parked or dead-lettered",
            schedule_expression=f"rate({minutes} minute{'s' if minutes > 1 else ''})",
            flexible_time_window={"mode": "OFF"},
            target={
                "arn": self.redrive.function_arn,
                "roleArn": role.role_arn,
                "retryPolicy": {"maximumRetryAttempts": 0, "maximumEventAgeInSeconds": 60},
            },
        )
        schedule.node.add_dependency(role)
        return role
