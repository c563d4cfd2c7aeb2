"""What was deployed, by the word of each service: not only CloudFormation has to know it."""

import json
from collections.abc import Callable
from typing import Any

import pytest
from botocore.exceptions import ClientError

from tests.tailrace_cdk.here import ORDERS, Here

# What the emulator's CloudFormation takes and then forgets: property, and what is asked for it. Nobody has tried these here.
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


def test_the_queue_is_in_high_throughput_mode_and_has_dead_letters(here: Here) -> None:
    """By SQS itself."""
    changes, dead = queue(here, "QueueUrl"), queue(here, "DeadLetterQueueUrl")
    assert (changes["FifoThroughputLimit"], changes["DeduplicationScope"]) == ("perMessageGroupId", "messageGroup")
    assert (changes["VisibilityTimeout"], changes["MaximumMessageSize"]) == ("600", "1048576")
    assert json.loads(changes["RedrivePolicy"]) == {"deadLetterTargetArn": dead["QueueArn"], "maxReceiveCount": 1000}
    assert "aws:SecureTransport" in changes["Policy"]


def test_the_mappings_response_item_by_item(here: Here) -> None:
    """By Lambda itself: of the queue, and of the table's stream, whose lost records go to the bucket."""
    of_queue = mapping(here, queue(here, "QueueUrl")["QueueArn"])
    assert (of_queue["FunctionResponseTypes"], of_queue["BatchSize"]) == (["ReportBatchItemFailures"], 10)
    assert of_queue["ScalingConfig"] == {"MaximumConcurrency": 10}
    stream = here.aws("dynamodb").describe_table(TableName=ORDERS)["Table"]["LatestStreamArn"]
    of_table = mapping(here, stream)
    assert of_table["FunctionResponseTypes"] == ["ReportBatchItemFailures"]
    assert of_table["BisectBatchOnFunctionError"]
    bucket = here.deployment.outputs["ClaimBucket"]
    assert of_table["DestinationConfig"]["OnFailure"]["Destination"] == f"arn:aws:s3:::{bucket}"


def test_redrive_is_on_a_schedule(here: Here) -> None:
    """By the scheduler itself, which wakes that function as a role of its own."""
    schedule = here.aws("scheduler").get_schedule(Name=here.deployment.physical("AWS::Scheduler::Schedule"))
    assert (schedule["ScheduleExpression"], schedule["State"]) == ("rate(15 minutes)", "ENABLED")
    assert schedule["Target"]["Arn"].endswith(function(here, "Redrive"))


def test_nobody_outside_reads_the_bucket(here: Here) -> None:
    """By S3 itself."""
    s3, bucket = here.aws("s3"), here.deployment.outputs["ClaimBucket"]
    assert set(s3.get_public_access_block(Bucket=bucket)["PublicAccessBlockConfiguration"].values()) == {True}
    assert "aws:SecureTransport" in s3.get_bucket_policy(Bucket=bucket)["Policy"]
    assert s3.get_bucket_encryption(Bucket=bucket)["ServerSideEncryptionConfiguration"]["Rules"]


def test_the_functions_logs_end(here: Here) -> None:
    """By CloudWatch itself, in the group that the function names."""
    configuration = here.aws("lambda").get_function_configuration(FunctionName=function(here, "Forwarder"))["LoggingConfig"]
    assert configuration["LogFormat"] == "JSON"
    [group] = here.aws("logs").describe_log_groups(logGroupNamePrefix=configuration["LogGroup"])["logGroups"]
    assert group["retentionInDays"] == 30


@pytest.mark.parametrize("forgotten", FORGOTTEN)
def test_what_the_emulator_forgets_is_listed(here: Here, forgotten: str) -> None:
    """Asked for it, the service knows nothing of it. One that it has learned to keep belongs in a test above."""
    try:
        assert not FORGOTTEN[forgotten](here)
    except ClientError as error:
        assert error.response["Error"]["Code"] in {"NoSuchLifecycleConfiguration", "ResourceNotFoundException"}  # noqa: PT017
