"""What outlives a process: a table of checkpoints, leases and watermarks; a bucket of what is too large for a call."""

from aws_cdk import Duration
from aws_cdk import aws_dynamodb as dynamodb
from aws_cdk import aws_kms as kms
from aws_cdk import aws_s3 as s3
from constructs import Construct

from tailrace_cdk.config import Environment
from tailrace_cdk.messaging.queues import RETENTION_DAYS
from tailrace_cdk.removal import removal_policy

QUEUES = 3  # that a message may lie in, one after the other, 14 days in each: changes, dead letters, parking
MARGIN_DAYS = 3  # for what is in flight between them
CLAIM_DAYS = QUEUES * RETENTION_DAYS + MARGIN_DAYS  # 45: what a message claims is there for as long as the message can be
VERSION_DAYS = 14  # to see that a claim is gone, and to bring it back
EXPIRES = "expires"  # lambda_forwarder.watermarks.expiry.ATTRIBUTE


class State(Construct):
    """
    A table with one item for each stream and each lane, one more for each lane that ever failed and for each stream of whose
    collections some have no mapper, and the claim bucket.

    Items of the streams never expire: a checkpoint is needed for as long as its stream, and a watermark for as long as a
    message of its lane may come back. Watermarks of streams that the deployment does not have, notes of failures, and the names
    of collections without a mapper get a time to live from the forwarder.

    What is replaced or deleted in the bucket stays as an old version for ``VERSION_DAYS``.
    """

    def __init__(self, scope: Construct, id: str, *, environment: Environment, key: kms.IKey | None) -> None:
        super().__init__(scope, id)
        removal = removal_policy(environment)
        self.table = dynamodb.Table(
            self,
            "Table",
            partition_key=dynamodb.Attribute(name="pk", type=dynamodb.AttributeType.STRING),
            billing_mode=dynamodb.BillingMode.PAY_PER_REQUEST,
            point_in_time_recovery_specification=dynamodb.PointInTimeRecoverySpecification(point_in_time_recovery_enabled=True),
            encryption=dynamodb.TableEncryption.CUSTOMER_MANAGED if key else dynamodb.TableEncryption.DEFAULT,
            encryption_key=key,
            deletion_protection=environment.removal == "retain",
            time_to_live_attribute=EXPIRES,
            removal_policy=removal,
        )
        self.bucket = s3.Bucket(
            self,
            "Claims",
            encryption=s3.BucketEncryption.KMS if key else s3.BucketEncryption.S3_MANAGED,
            encryption_key=key,
            bucket_key_enabled=bool(key),
            block_public_access=s3.BlockPublicAccess.BLOCK_ALL,
            object_ownership=s3.ObjectOwnership.BUCKET_OWNER_ENFORCED,
            enforce_ssl=True,
            minimum_tls_version=1.2,
            versioned=True,
            lifecycle_rules=[
                s3.LifecycleRule(
                    id="WhatNobodyCanClaimAnyMore",
                    expiration=Duration.days(object_days(environment)),
                    noncurrent_version_expiration=Duration.days(VERSION_DAYS),
                    abort_incomplete_multipart_upload_after=Duration.days(1),
                )
            ],
            removal_policy=removal,
        )


def object_days(environment: Environment) -> int:
    """
    Days that an object is kept: as long as a message can lie in our queues, or an event in the archive and then in a
    consumer's queue, whichever is longer.

    An event that is replayed from the archive on its last day still finds its data.
    """
    return max(CLAIM_DAYS, environment.bus.archive_days + RETENTION_DAYS)
