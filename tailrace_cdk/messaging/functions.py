"""The Lambda functions of the forwarder, their event sources and the schedule of redrive: one package, three handlers."""

from collections.abc import Mapping

from aws_cdk import Duration
from aws_cdk import aws_iam as iam
from aws_cdk import aws_kms as kms
from aws_cdk import aws_lambda as lambda_
from aws_cdk import aws_logs as logs
from aws_cdk import aws_s3 as s3
from aws_cdk import aws_scheduler as scheduler
from aws_cdk import aws_sqs as sqs
from constructs import Construct

from tailrace_cdk.config import Environment, StreamTable
from tailrace_cdk.log_group import LogGroup
from tailrace_cdk.messaging.code import FunctionCode
from tailrace_cdk.policies import service_principal

BATCH = 10  # messages, Lambda's most for a FIFO queue
RECORDS = 100  # of a DynamoDB stream in a batch
RECORD_AGE = 82_800  # seconds: an hour before the stream deletes a record, Lambda moves a failed record to the bucket
TIMEOUT_LIMIT = 900  # seconds, Lambda
STREAMS_FAILED = "aws/lambda/"  # the prefix in the bucket that Lambda writes such records to


class Functions(Construct):
    """
    ``forwarder`` for the queue of changes, ``redrive`` on a schedule, and one of ``streams`` for each DynamoDB stream.

    ``settings`` are the variables of all functions. Their rights are in ``tailrace_cdk.grants``.
    """

    def __init__(
        self,
        scope: Construct,
        id: str,
        *,
        environment: Environment,
        code: FunctionCode,
        settings: Mapping[str, str],
        key: kms.IKey | None,
        log_group: logs.ILogGroup | None = None,
    ) -> None:
        super().__init__(scope, id)
        self._environment = environment
        self._code = code
        # Lambda cannot change a function from a zip to an image or back. With other ids they are other functions.
        self._home = Construct(self, "Image") if code.is_image else self
        self._settings = settings
        self._key = key
        self._log_group = log_group
        forwarder = environment.forwarder
        self.forwarder = self._function("Forwarder", "lambda_forwarder.handlers.sqs.handler", forwarder.timeout)
        self.redrive = self._function(
            "Redrive",
            "lambda_forwarder.handlers.redrive.handler",
            min(TIMEOUT_LIMIT, 60 * forwarder.redrive_minutes or TIMEOUT_LIMIT),
            reserved=1 if forwarder.reserve_redrive else None,  # two at once could reorder changes of one document
        )
        self.streams = [
            self._function(
                f"Stream-{table.table}",
                "lambda_forwarder.handlers.dynamodb.handler",
                forwarder.timeout,
                own={"FORWARDER_ON_OUTAGE": table.on_outage},
            )
            for table in forwarder.dynamodb_streams
        ]
        self.scheduling_role: iam.Role | None = self._schedule(forwarder.redrive_minutes) if forwarder.redrive_minutes else None

    def feed(self, changes: sqs.IQueue) -> lambda_.EventSourceMapping:
        """Have the queue of changes invoke the forwarder. Only the messages that failed are received again."""
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
        Have each DynamoDB stream invoke its function. Records that cannot be published before the stream deletes them are
        kept whole in the bucket, below ``STREAMS_FAILED``.
        """
        tables = self._environment.forwarder.dynamodb_streams
        return [self._feed_stream(function, table, failed) for function, table in zip(self.streams, tables, strict=True)]

    def _feed_stream(self, function: lambda_.Function, table: StreamTable, failed: s3.IBucket) -> lambda_.CfnEventSourceMapping:
        mapping = lambda_.CfnEventSourceMapping(
            self,
            f"StreamMapping-{table.table}",  # the same id whichever other tables there are
            function_name=function.function_name,
            event_source_arn=table.stream_arn,
            starting_position=table.start,
            batch_size=RECORDS,
            bisect_batch_on_function_error=True,
            function_response_types=["ReportBatchItemFailures"],
            maximum_record_age_in_seconds=RECORD_AGE,
            maximum_retry_attempts=-1,  # no limit
            destination_config={"onFailure": {"destination": failed.bucket_arn}},
            metrics_config={"metrics": ["EventCount"]},  # without it no metric shows failed records
        )
        mapping.node.add_dependency(function)  # and its rights, which Lambda checks
        return mapping

    def _function(
        self, name: str, handler: str, timeout: int, *, own: Mapping[str, str] | None = None, reserved: int | None = None
    ) -> lambda_.Function:
        """Make a function whose role has no right yet. ``timeout`` is in seconds, ``own`` its own variables."""
        forwarder = self._environment.forwarder
        return lambda_.Function(
            self._home,
            name,
            description=f"Tailrace {self._environment.name}: {handler.split('.')[-2]}",
            **self._code.run(handler),
            architecture=lambda_.Architecture.ARM_64,  # as in tailrace.packaging.target
            role=iam.Role(self, f"{name}Role", assumed_by=service_principal("lambda")),
            memory_size=forwarder.memory,
            timeout=Duration.seconds(timeout),
            reserved_concurrent_executions=reserved,
            environment={**self._settings, **(own or {})},
            log_group=self._log_group or LogGroup(self, f"{name}Log", days=forwarder.log_days, key=self._key),
            logging_format=lambda_.LoggingFormat.JSON,
            application_log_level_v2=lambda_.ApplicationLogLevel.INFO,
            system_log_level_v2=lambda_.SystemLogLevel.INFO,
        )

    def _schedule(self, minutes: int) -> iam.Role:
        """Invoke redrive every ``minutes``, without retries: the next run does what one missed. Return the scheduler's role."""
        lambda_.EventInvokeConfig(self, "Once", function=self.redrive, retry_attempts=0, max_event_age=Duration.minutes(1))
        group = "scheduler:schedule-group/default"  # EventBridge Scheduler names the group, not the schedule
        role = iam.Role(self, "ScheduleRole", assumed_by=service_principal("scheduler", source=group))
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
