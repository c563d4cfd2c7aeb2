"""The deployed resources as each service reports them."""

import json
from collections.abc import Callable
from typing import Any

import pytest
from botocore.exceptions import ClientError

from tests.tailrace_cdk.here import ORDERS, Here

# Properties that the emulator's CloudFormation accepts and ignores, each with a call that shows it.
FORGOTTEN: dict[str, Callable[[Here], Any]] = {
    "AWS::S3::Bucket LifecycleConfiguration": lambda here: here.aws("s3").get_bucket_lifecycle_configuration(
        Bucket=here.deployment.outputs["ClaimBucket"]
    ),
    "AWS::DynamoDB::Table PointInTimeRecoverySpecification": lambda here: _enabled(
        here.aws("dynamodb").describe_continuous_backups(TableName=here.deployment.outputs["StateTable"])
    ),
    "AWS::Lambda::Function ReservedConcurrentExecutions": lambda here: (
        here.aws("lambda").get_function_concurrency(FunctionName=function(here, "Redrive")).get("ReservedConcurrentExecutions")
    ),
    "AWS::Lambda::EventInvokeConfig": lambda here: here.aws("lambda").get_function_event_invoke_config(
        FunctionName=function(here, "Redrive")
    ),
}


def function(here: Here, part: str) -> str:
    return here.deployment.physical("AWS::Lambda::Function", part)


def _enabled(backups: Any) -> bool:
    recovery = backups["ContinuousBackupsDescription"]["PointInTimeRecoveryDescription"]
    return bool(recovery["PointInTimeRecoveryStatus"] == "ENABLED")


def queue(here: Here, output: str) -> Any:
    return here.aws("sqs").get_queue_attributes(QueueUrl=here.deployment.outputs[output], AttributeNames=["All"])["Attributes"]


def mapping(here: Here, source: str) -> Any:
    [found] = here.aws("lambda").list_event_source_mappings(EventSourceArn=source)["EventSourceMappings"]
    return found


def test_deployed_queue_is_high_throughput_with_dead_letters(here: Here) -> None:
    """As SQS reports."""
    changes, dead = queue(here, "QueueUrl"), queue(here, "DeadLetterQueueUrl")
    assert (changes["FifoThroughputLimit"], changes["DeduplicationScope"]) == ("perMessageGroupId", "messageGroup")
    assert (changes["VisibilityTimeout"], changes["MaximumMessageSize"]) == ("600", "1048576")
    assert json.loads(changes["RedrivePolicy"]) == {"deadLetterTargetArn": dead["QueueArn"], "maxReceiveCount": 1000}
    assert "aws:SecureTransport" in changes["Policy"]


def test_deployed_mappings_report_failures_item_by_item(here: Here) -> None:
    """As Lambda reports, for the queue and for the table's stream, whose dropped records are stored in the bucket."""
    of_queue = mapping(here, queue(here, "QueueUrl")["QueueArn"])
    assert (of_queue["FunctionResponseTypes"], of_queue["BatchSize"]) == (["ReportBatchItemFailures"], 10)
    assert of_queue["ScalingConfig"] == {"MaximumConcurrency": 10}
    stream = here.aws("dynamodb").describe_table(TableName=ORDERS)["Table"]["LatestStreamArn"]
    of_table = mapping(here, stream)
    assert of_table["FunctionResponseTypes"] == ["ReportBatchItemFailures"]
    assert of_table["BisectBatchOnFunctionError"]
    bucket = here.deployment.outputs["ClaimBucket"]
    assert of_table["DestinationConfig"]["OnFailure"]["Destination"] == f"arn:aws:s3:::{bucket}"


def test_deployed_redrive_is_scheduled(here: Here) -> None:
    """As the scheduler reports, with a role of its own."""
    schedule = here.aws("scheduler").get_schedule(Name=here.deployment.physical("AWS::Scheduler::Schedule"))
    assert (schedule["ScheduleExpression"], schedule["State"]) == ("rate(15 minutes)", "ENABLED")
    assert schedule["Target"]["Arn"].endswith(function(here, "Redrive"))


def test_deployed_bucket_is_private(here: Here) -> None:
    """As S3 reports."""
    s3, bucket = here.aws("s3"), here.deployment.outputs["ClaimBucket"]
    assert set(s3.get_public_access_block(Bucket=bucket)["PublicAccessBlockConfiguration"].values()) == {True}
    assert "aws:SecureTransport" in s3.get_bucket_policy(Bucket=bucket)["Policy"]
    assert s3.get_bucket_encryption(Bucket=bucket)["ServerSideEncryptionConfiguration"]["Rules"]


def test_deployed_function_logs_expire(here: Here) -> None:
    """As CloudWatch reports."""
    configuration = here.aws("lambda").get_function_configuration(FunctionName=function(here, "Forwarder"))["LoggingConfig"]
    assert configuration["LogFormat"] == "JSON"
    [group] = here.aws("logs").describe_log_groups(logGroupNamePrefix=configuration["LogGroup"])["logGroups"]
    assert group["retentionInDays"] == 30


@pytest.mark.parametrize("forgotten", FORGOTTEN)
def test_properties_that_the_emulator_ignores_are_listed(here: Here, forgotten: str) -> None:
    """A property that it has learned to keep belongs in a test above."""
    try:
        assert not FORGOTTEN[forgotten](here)
    except ClientError as error:
        assert error.response["Error"]["Code"] in {"NoSuchLifecycleConfiguration", "ResourceNotFoundException"}  # noqa: PT017
