"""The table and the claim bucket."""

import inspect
import re
from typing import Any

import pytest

import tailer.stores.dynamodb
from infra.package import REPOSITORY
from lambda_forwarder.aws.table import EXPIRES, KEPT_SECONDS
from tailrace_cdk.config import Bus, Environment
from tailrace_cdk.messaging.queues import RETENTION_DAYS
from tailrace_cdk.messaging.state import CLAIM_DAYS, VERSION_DAYS, object_days
from tailrace_cdk.monitoring.descriptions import RUNBOOK
from tests.tailrace_cdk.template import only, stack

MESSAGING: dict[str, Any] = {"database": None, "streams": []}


def table(**tables: Any) -> Any:
    return only(stack(**MESSAGING, **tables), "AWS::DynamoDB::Table")


def bucket(**tables: Any) -> Any:
    return only(stack(**MESSAGING, **tables), "AWS::S3::Bucket")


def test_table_has_the_key_that_both_programs_expect() -> None:
    """A string partition key ``pk``, billed per request."""
    assert table()["KeySchema"] == [{"AttributeName": "pk", "KeyType": "HASH"}]
    assert table()["AttributeDefinitions"] == [{"AttributeName": "pk", "AttributeType": "S"}]
    assert table()["BillingMode"] == "PAY_PER_REQUEST"


def test_checkpoint_cannot_be_lost_by_mistake() -> None:
    """The table has point-in-time recovery and deletion protection, and only items that the forwarder marks expire."""
    assert table()["PointInTimeRecoverySpecification"] == {"PointInTimeRecoveryEnabled": True}
    assert table()["DeletionProtectionEnabled"] is True
    assert table(removal="destroy")["DeletionProtectionEnabled"] is False
    assert table()["TimeToLiveSpecification"] == {"AttributeName": EXPIRES, "Enabled": True}
    written = inspect.getsource(tailer.stores.dynamodb)
    assert EXPIRES not in re.findall(r"\w+", written.split('"""', 2)[2])  # in no item of the tailer's


def test_bucket_is_private_and_encrypted() -> None:
    """No public access, no ACLs, and TLS 1.2 or newer."""
    assert set(bucket()["PublicAccessBlockConfiguration"].values()) == {True}
    assert bucket()["OwnershipControls"] == {"Rules": [{"ObjectOwnership": "BucketOwnerEnforced"}]}
    [encryption] = bucket()["BucketEncryption"]["ServerSideEncryptionConfiguration"]
    assert encryption["ServerSideEncryptionByDefault"]["SSEAlgorithm"] == "AES256"
    [own] = bucket(customer_key=True)["BucketEncryption"]["ServerSideEncryptionConfiguration"]
    assert own["ServerSideEncryptionByDefault"]["SSEAlgorithm"] == "aws:kms"
    policy = only(stack(**MESSAGING), "AWS::S3::BucketPolicy")["PolicyDocument"]["Statement"]
    assert {one["Effect"] for one in policy} == {"Deny"}
    assert {"Bool", "NumericLessThan"} <= {operator for one in policy for operator in one.get("Condition", {})}


@pytest.mark.parametrize("archive_days", [0, 30, 31, 32, 365])
def test_object_outlives_every_message_that_may_claim_it(archive_days: int) -> None:
    """A message in all three queues one after another, or an event replayed on the last day of its archive."""
    days = object_days(Environment(name="x", bus=Bus(archive_days=archive_days)))
    assert days > 3 * RETENTION_DAYS
    assert days >= archive_days + RETENTION_DAYS


def test_objects_expire() -> None:
    """Under any name, and incomplete uploads too."""
    [rule] = bucket(bus={"archive_days": 90})["LifecycleConfiguration"]["Rules"]
    assert rule["Status"] == "Enabled"
    assert rule["ExpirationInDays"] == 104
    assert rule["AbortIncompleteMultipartUpload"] == {"DaysAfterInitiation": 1}
    assert "Prefix" not in rule
    assert rule["NoncurrentVersionExpiration"] == {"NoncurrentDays": VERSION_DAYS}


def test_deleted_object_can_be_restored() -> None:
    """For two weeks, from a version: the runbook's remedy for a missing claim."""
    assert bucket()["VersioningConfiguration"] == {"Status": "Enabled"}
    assert f"for {VERSION_DAYS} days" in (REPOSITORY / RUNBOOK).read_text()
    assert KEPT_SECONDS == CLAIM_DAYS * 86_400  # A watermark is kept as long as a message can exist.
