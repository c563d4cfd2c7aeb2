"""A table for checkpoints, leases and watermarks, a table of last states, and a bucket for what is too large for a message."""

from aws_cdk import Duration
from aws_cdk import aws_dynamodb as dynamodb
from aws_cdk import aws_kms as kms
from aws_cdk import aws_s3 as s3
from constructs import Construct

from tailrace_cdk.config import Environment
from tailrace_cdk.messaging.queues import RETENTION_DAYS

QUEUES = 3  # a message may be in changes, dead letters and parking, one after the other, 14 days in each
MARGIN_DAYS = 3  # for the time between two queues
CLAIM_DAYS = QUEUES * RETENTION_DAYS + MARGIN_DAYS  # 45: a claim is kept for as long as a message can refer to it
VERSION_DAYS = 14  # the time to notice that a claim was deleted, and to restore it
EXPIRES = "expires"  # lambda_forwarder.aws.table.EXPIRES


class State(Construct):
    """
    The state table and the claim bucket, and with ``last_states`` the table of the last states of documents.

    The table has an item for each stream and for each lane. These never expire: a checkpoint is needed for as long as its
    stream, and a watermark for as long as a message of its lane may be received again. It also has items with a time to live
    from the forwarder: watermarks of unknown streams, notes of failed lanes, and names of collections without a mapper.

    Every item of ``last_states`` expires. That table has no backup: old states would be wrong, and they may be personal data.

    What is replaced or deleted in the bucket stays as an old version for ``VERSION_DAYS``.

    Each of them may exist already.
    """

    def __init__(
        self,
        scope: Construct,
        id: str,
        *,
        environment: Environment,
        key: kms.IKey | None,
        table: dynamodb.ITable | None = None,
        bucket: s3.IBucket | None = None,
    ) -> None:
        super().__init__(scope, id)
        self._key = key
        protected = environment.removal == "retain"
        self.table = table or self._table("Table", protected=protected)
        remembers = environment.forwarder.last_states
        self.last_states = self._table("LastStates", protected=protected, backup=False) if remembers else None
        self.bucket = bucket or self._bucket(object_days(environment))

    def _table(self, id: str, *, protected: bool, backup: bool = True) -> dynamodb.ITable:
        return dynamodb.Table(
            self,
            id,
            partition_key=dynamodb.Attribute(name="pk", type=dynamodb.AttributeType.STRING),
            billing_mode=dynamodb.BillingMode.PAY_PER_REQUEST,
            point_in_time_recovery_specification=dynamodb.PointInTimeRecoverySpecification(
                point_in_time_recovery_enabled=backup
            ),
            encryption=dynamodb.TableEncryption.CUSTOMER_MANAGED if self._key else dynamodb.TableEncryption.DEFAULT,
            encryption_key=self._key,
            deletion_protection=protected,
            time_to_live_attribute=EXPIRES,
        )

    def _bucket(self, days: int) -> s3.IBucket:
        return s3.Bucket(
            self,
            "Claims",
            encryption=s3.BucketEncryption.KMS if self._key else s3.BucketEncryption.S3_MANAGED,
            encryption_key=self._key,
            bucket_key_enabled=bool(self._key),
            block_public_access=s3.BlockPublicAccess.BLOCK_ALL,
            object_ownership=s3.ObjectOwnership.BUCKET_OWNER_ENFORCED,
            enforce_ssl=True,
            minimum_tls_version=1.2,
            versioned=True,
            lifecycle_rules=[
                s3.LifecycleRule(
                    id="WhatNobodyCanClaimAnyMore",
                    expiration=Duration.days(days),
                    noncurrent_version_expiration=Duration.days(VERSION_DAYS),
                    abort_incomplete_multipart_upload_after=Duration.days(1),
                )
            ],
        )


def object_days(environment: Environment) -> int:
    """
    Return how many days an object is kept: as long as a message can be in our queues, or an event in the archive and then in
    a consumer's queue, whichever is longer. So an event that is replayed on its last day in the archive still finds its data.
    """
    return max(CLAIM_DAYS, environment.bus.archive_days + RETENTION_DAYS)
